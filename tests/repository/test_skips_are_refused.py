"""``DAYBOOK_TEST_REQUIRE=all`` turns a skip into a failure, and leaves an xfail alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
CASES = {
    "skip": "import pytest\ndef test_it():\n    pytest.skip('no such tool')\n",
    "skip_module": "import pytest\npytest.importorskip('no_such_module_here')\n",
    "xfail": "import pytest\n@pytest.mark.xfail(reason='ours')\ndef test_it():\n    assert False\n",
}


def run_case(name: str, folder: Path, required: str) -> str:
    """Run one module under our conftest, in its own process, and return what pytest said."""
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    (folder / "test_case.py").write_text(CASES[name])
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {
        **os.environ,
        "DAYBOOK_TEST_REQUIRE": required,
        "HYPOTHESIS_PROFILE": "dev",
        "PYTHONPATH": str(CONFTEST.parents[1]),
    }
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", str(folder)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stdout


@pytest.mark.parametrize("name", ["skip", "skip_module"])
def test_a_skip_fails_where_everything_is_required(name: str, tmp_path: Path) -> None:
    said = run_case(name, tmp_path, "all")
    assert "allows no skip" in said
    assert "skipped" not in said.splitlines()[-1]


@pytest.mark.parametrize("name", ["skip", "skip_module"])
def test_a_skip_is_a_skip_otherwise(name: str, tmp_path: Path) -> None:
    assert "1 skipped" in run_case(name, tmp_path, "").splitlines()[-1]


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    assert "1 xfailed" in run_case("xfail", tmp_path, "all").splitlines()[-1]
