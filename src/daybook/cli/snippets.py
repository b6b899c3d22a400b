"""A piece of a message around the words that were asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from daybook.cli.terminal import printable

if TYPE_CHECKING:
    from rich.text import Text

    from daybook.recall.text.analysis import Analyzer

__all__ = ["highlighted", "snippet"]


def snippet(text: str, query: str, *, width: int = 220) -> str:
    """Return `text` on one line, cut to about `width` characters where `query` matches most."""
    line = printable(text, one_line=True)
    if len(line) <= width:
        return line
    from daybook.recall.evidence.excerpts import densest  # noqa: PLC0415 - with what it needs, slow to load

    start = densest(line, _matches(line, query), width * 3 // 4)
    if start > 0:
        start = max(0, start - width // 4)
        start = line.find(" ", start) + 1 or start
    end = start + width
    if end < len(line):
        end = line.rfind(" ", start, end) if " " in line[start:end] else end
    return ("… " if start else "") + line[start:end].strip() + (" …" if end < len(line) else "")


def highlighted(text: str, query: str, *, style: str = "bold yellow") -> Text:
    """Return `text` with the words that `query` asks for set off."""
    from rich.text import Text  # noqa: PLC0415 - slow to load

    shown = Text(text)
    for start, end in _matches(text, query):
        shown.stylize(style, start, end)
    return shown


def _matches(text: str, query: str) -> list[tuple[int, int]]:
    """Return where words of `text` share a stem with a word of `query`."""
    from daybook.recall.evidence.matched_words import matched_spans  # noqa: PLC0415 - slow to load

    return matched_spans(text, query, _analyzer())


@cache
def _analyzer() -> Analyzer:
    from daybook.recall.text.analysis import Analyzer  # noqa: PLC0415 - slow to load

    return Analyzer()
