"""Every program in ``examples/adapters`` runs as a newcomer would run it, and says something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "adapters"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    programs = sorted(EXAMPLES.glob("*.py"))
    metafunc.parametrize("program", programs, ids=lambda path: path.stem)


def test_example_runs(program: Path, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
