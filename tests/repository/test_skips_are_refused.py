"""``DAYBOOK_TEST_REQUIRE=all`` turns a skip into a failure, and leaves an xfail alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"
CARRY_ON = "--continue-on-collection-errors"
CASES = {
    "skip": "import pytest\ndef test_it():\n    pytest.skip('no such tool')\n",
    "skip_module": "import pytest\npytest.importorskip('no_such_module_here')\n",
    "xfail": "import pytest\n@pytest.mark.xfail(reason='ours')\ndef test_it():\n    assert False\n",
}


def run_cases(folder: Path, required: str) -> str:
    """Run the modules under our conftest in a process of its own; return what pytest said."""
    (folder / "conftest.py").write_text(CONFTEST.read_text())
    for name, text in CASES.items():
        (folder / f"test_{name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {
        **os.environ,
        "DAYBOOK_TEST_REQUIRE": required,
        "HYPOTHESIS_PROFILE": "dev",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(CONFTEST.parents[1]),
    }
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", CARRY_ON, str(folder)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return result.stdout


def test_a_skip_fails_where_everything_is_required(tmp_path: Path) -> None:
    said = run_cases(tmp_path, "all")
    for reason in ("no such tool", "No module named 'no_such_module_here'"):
        assert f"{reason} (DAYBOOK_TEST_REQUIRE=all allows no skip)" in said
    assert "1 failed, 1 xfailed, 1 error" in said.splitlines()[-1]


def test_a_skip_is_a_skip_otherwise(tmp_path: Path) -> None:
    assert "2 skipped, 1 xfailed" in run_cases(tmp_path, "").splitlines()[-1]
