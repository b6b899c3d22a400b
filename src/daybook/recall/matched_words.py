"""Which words of a text a question asks for: the words themselves, not their hashes."""

from __future__ import annotations

import re
from typing import Protocol

__all__ = ["Stems", "matched_spans", "shared_words"]

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


class Stems(Protocol):
    """What finds the stems of words: an `Analyzer`."""

    def stems(self, text: str) -> list[int]:
        """Return the stem hashes of a text, stop words left out."""
        ...


def matched_spans(text: str, query: str, analyzer: Stems) -> list[tuple[int, int]]:
    """Return where words of `text` share a stem with a word of `query`, in order.

    Cost: about a microsecond a word.
    """
    wanted = set(analyzer.stems(query))
    if not wanted:
        return []
    return [
        found.span()
        for found in _WORD.finditer(text)
        if wanted.intersection(analyzer.stems(found[0]))
    ]


def shared_words(text: str, query: str, analyzer: Stems) -> tuple[str, ...]:
    """Return the words of `query`, as written there, that `text` has in some form, each once.

    Cost: about a microsecond a word.
    """
    held = set(analyzer.stems(text))
    found: dict[str, str] = {}
    for match in _WORD.finditer(query):
        if held.intersection(analyzer.stems(match[0])):
            found.setdefault(match[0].casefold(), match[0])
    return tuple(found.values())
