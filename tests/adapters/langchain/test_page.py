"""The page's programs run and say what the page says; names and missing packages are told."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.examples.page_programs import DOCS, broken_links, programs_of, words_printed

PAGE = DOCS / "adapters" / "langchain.md"
PROGRAMS = programs_of(PAGE)


@pytest.mark.parametrize(("program", "said"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_a_program_says_what_the_page_says(program: str, said: str, tmp_path: Path) -> None:
    assert words_printed(program, tmp_path, warnings="ignore", logs=False) == said.split()


def test_no_program_of_the_page_is_left_out() -> None:
    assert len(PROGRAMS) == PAGE.read_text().count("```python") >= 4


def test_links_of_the_page_lead_somewhere() -> None:
    assert broken_links(PAGE) == []


def test_every_name_is_there() -> None:
    package = import_module("daybook.adapters.langchain")
    assert len(package.__all__) >= 17
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError):
        _ = package.nothing


MISSING = """
import sys
sys.modules["langchain_core"] = None
import daybook.adapters, daybook.adapters.langchain as adapter
assert "langchain_core.messages" not in sys.modules
try:
    adapter.DaybookChatMessageHistory
except ImportError as error:
    print(type(error).__name__, "daybook[langchain]" in str(error))
"""


def test_a_missing_package_is_named() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MISSING], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.stdout.split() == ["MissingDependencyError", "True"], done.stderr
