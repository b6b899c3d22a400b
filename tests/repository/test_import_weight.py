"""`import daybook` is light: no heavy library, and quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["click", "hypothesis", "langchain", "langchain_core", "numpy", "onnx", "onnxruntime",
         "pydantic", "pytest", "rich", "sqlite3", "Stemmer", "tokenizers", "torch"]  # fmt: skip
MOST_MILLISECONDS = 60

LOADED = f"""
import sys
{{statement}}
heavy = {HEAVY!r}
print(*[name for name in heavy if name in sys.modules])
"""

TIMED = """
import time
{before}
start = time.process_time()
{statement}
print((time.process_time() - start) * 1000)
"""


def run_python(program: str, folder: Path) -> str:
    """Run a program in a fresh interpreter, outside the checkout."""
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return result.stdout.strip()


@pytest.mark.parametrize(
    "statement",
    ["import daybook", "from daybook import Message", "from daybook import AsyncDaybook, Daybook"],
)
def test_importing_loads_no_heavy_library(statement: str, tmp_path: Path) -> None:
    assert run_python(LOADED.format(statement=statement), tmp_path) == ""


def test_the_weight_check_sees_a_heavy_import(tmp_path: Path) -> None:
    """The control: a heavy import is reported."""
    assert "numpy" in run_python(LOADED.format(statement="import numpy"), tmp_path).split()


@pytest.mark.parametrize(
    ("before", "statement"),
    [
        ("", "import daybook"),
        # Opening one needs asyncio, which alone takes half as long on a slow machine.
        ("import asyncio", "from daybook import Daybook, Message"),
    ],
)
def test_importing_takes_at_most_sixty_milliseconds(
    before: str, statement: str, tmp_path: Path
) -> None:
    """Processor time, best of a few runs: the limit is on our work, not on a busy machine."""
    program = TIMED.format(before=before, statement=statement)
    times = [float(run_python(program, tmp_path)) for _ in range(7)]
    assert min(times) <= MOST_MILLISECONDS, times
