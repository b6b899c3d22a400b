"""The programs of the pages run and say what the pages say; links lead somewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from daybook.recall.evidence.explanation import KINDS
from tests.examples.page_programs import DOCS, broken_links, programs_of, words_printed

# How many programs each page has, so that none is passed over.
PAGES = {"chat": 4, "context": 3, "costs": 3, "recall": 3, "reindexing": 1}
PROGRAMS = [
    pytest.param(*program, id=f"{page}-{number}")
    for page in PAGES
    for number, program in enumerate(programs_of(DOCS / f"{page}.md"))
]


@pytest.mark.parametrize(("program", "said"), PROGRAMS)
def test_a_program_says_what_the_page_says(program: str, said: str, tmp_path: Path) -> None:
    assert words_printed(program, tmp_path) == said.split()


@pytest.mark.parametrize("page", PAGES)
def test_no_program_of_a_page_is_left_out(page: str) -> None:
    text = (DOCS / f"{page}.md").read_text()
    assert len(programs_of(DOCS / f"{page}.md")) == text.count("```python") >= PAGES[page]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    assert broken_links(DOCS / f"{page}.md") == []


def test_a_program_that_says_something_else_is_seen(tmp_path: Path) -> None:
    """What runs, and fails, warns or prints otherwise, does not pass."""
    assert words_printed("print('a', 'b')", tmp_path) == ["a", "b"]
    for broken in (
        "1 / 0",
        "import warnings; warnings.warn('x')",
        "import sys; sys.stderr.write('x')",
    ):
        with pytest.raises(AssertionError):
            words_printed(broken, tmp_path, logs=False)


def test_the_page_on_recall_lists_every_kind_of_reason() -> None:
    text = (DOCS / "recall.md").read_text()
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []
