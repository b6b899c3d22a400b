"""An engine from outside: its package is installed, found by its URL, and convicted if broken."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "third_party_engine"
LONGEST = 380

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the example, built and unpacked as an installer does."""
    copy = tmp_path / "package"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=copy, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(copy / "site")
    return copy


def run_its_tests(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    pytest_here = ["-m", "pytest", "-q", "-c", os.devnull, "--rootdir", "."]
    return subprocess.run(
        [sys.executable, *pytest_here, *arguments, "tests"],
        cwd=package,
        # The kit needs no plugin; loading those that are installed takes as long as the tests.
        env={
            **os.environ,
            "PYTHONPATH": str(package / "site"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_its_own_suite_passes(package: Path) -> None:
    result = run_its_tests(package)
    assert result.returncode == 0, result.stdout[-3000:]


def test_a_journal_that_is_not_read_is_convicted(package: Path) -> None:
    """The control: the engine forgets what was written when it is opened again."""
    engine = package / "site" / "daybook_journal" / "engine.py"
    sound = engine.read_text()
    broken = sound.replace("self._apply(call.store, call.method, arguments)", "pass")
    assert broken != sound
    engine.write_text(broken)
    result = run_its_tests(package, "-k", "second_open or reopen")
    assert result.returncode == 1
    assert "test_a_second_open_sees_the_data" in result.stdout


def test_it_is_short() -> None:
    lines = [path.read_text().splitlines() for path in (EXAMPLE / "src").rglob("*.py")]
    assert sum(map(len, lines)) <= LONGEST
