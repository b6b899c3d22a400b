"""`import daybook` is light: no heavy library, and quick."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ["click", "hypothesis", "langchain", "langchain_core", "numpy", "onnx", "onnxruntime",
         "pydantic", "pytest", "rich", "sqlite3", "Stemmer", "tokenizers", "torch"]  # fmt: skip
# Modules of ours, and all that they bring: what the milliseconds of `make bench` come from.
MOST_OURS, MOST_IN_ALL = 70, 125

LOADED = f"""
import sys
{{statement}}
heavy = {HEAVY!r}
print(*[name for name in heavy if name in sys.modules])
"""

COUNTED = """
import sys
{before}
known = set(sys.modules)
{statement}
new = set(sys.modules) - known
print(sum(name.startswith("daybook") for name in new), len(new))
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


def modules_of(before: str, statement: str, folder: Path) -> tuple[int, int]:
    """Return how many modules of ours a statement loads, and how many in all."""
    ours, everything = run_python(
        COUNTED.format(before=before, statement=statement), folder
    ).split()
    return int(ours), int(everything)


@pytest.mark.parametrize(
    ("before", "statement"),
    [("", "import daybook"), ("import asyncio", "from daybook import Daybook, Message")],
)
def test_importing_loads_few_modules(before: str, statement: str, tmp_path: Path) -> None:
    """Counted, not timed: `benchmarks/imports.py` times it against the target of 60 ms."""
    ours, everything = modules_of(before, statement, tmp_path)
    assert (ours <= MOST_OURS, everything <= MOST_IN_ALL) == (True, True), (ours, everything)


def test_the_count_sees_what_is_loaded_without_need(tmp_path: Path) -> None:
    """The control: with contexts and costs loaded there are too many."""
    wasteful = (
        "from daybook import Daybook, Message\nimport daybook.facets.context, daybook.cli.app"
    )
    ours, everything = modules_of("import asyncio", wasteful, tmp_path)
    assert ours > MOST_OURS
    assert everything > MOST_IN_ALL
