"""A piece of a message around the words that were asked for."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from daybook.cli.terminal import printable

if TYPE_CHECKING:
    from rich.text import Text

    from daybook.recall.analysis import Analyzer

__all__ = ["highlighted", "snippet"]

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


def snippet(text: str, query: str, *, width: int = 220) -> str:
    """Return `text` on one line, cut to about `width` characters where `query` matches most."""
    line = printable(text, one_line=True)
    if len(line) <= width:
        return line
    spots = [start for start, _ in _matches(line, query)]
    start = _densest(spots, width)
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
    wanted = set(_stems(query))
    return [found.span() for found in _WORD.finditer(text) if wanted.intersection(_stems(found[0]))]


def _stems(text: str) -> list[int]:
    return _analyzer().stems(text)


@cache
def _analyzer() -> Analyzer:
    from daybook.recall.analysis import Analyzer  # noqa: PLC0415 - slow to load

    return Analyzer()


def _densest(spots: list[int], width: int) -> int:
    """Return the start of the window that holds the most spots; 0 without any."""
    best, best_count, first = 0, 0, 0
    for last, spot in enumerate(spots):
        while spot - spots[first] > width * 3 // 4:
            first += 1
        if last - first + 1 > best_count:
            best, best_count = spots[first], last - first + 1
    return best
