"""Which words of a text a question asks for: the words themselves, not their hashes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

__all__ = ["Stems", "matched_spans", "shared_words", "words_asked"]

_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


class Stems(Protocol):
    """What finds the stems of words: an `Analyzer`."""

    def stems(self, text: str) -> list[int]:
        """Return the stem hashes of a text, stop words left out."""
        ...


def matched_spans(text: str, query: str, analyzer: Stems) -> list[tuple[int, int]]:
    """Return where words of `text` share a stem with a word of `query`, in order.

    Cost: a third of a microsecond a word, two for a word's first time.
    """
    wanted = set(analyzer.stems(query))
    if not wanted:
        return []
    asked: dict[str, bool] = {}
    spans = []
    for found in _WORD.finditer(text):
        word = found[0]
        if word not in asked:
            asked[word] = not wanted.isdisjoint(analyzer.stems(word))
        if asked[word]:
            spans.append(found.span())
    return spans


def words_asked(query: str, analyzer: Stems) -> list[tuple[str, frozenset[int]]]:
    """Return the telling words of a question, each once, as written there, with their stems."""
    found: dict[str, tuple[str, frozenset[int]]] = {}
    for match in _WORD.finditer(query):
        stems = frozenset(analyzer.stems(match[0]))
        if stems:
            found.setdefault(match[0].casefold(), (match[0], stems))
    return list(found.values())


def shared_words(
    text: str, asked: Sequence[tuple[str, frozenset[int]]], analyzer: Stems
) -> tuple[str, ...]:
    """Return those of the words `asked` that `text` has in some form.

    Cost: about half a microsecond a word of `text`.
    """
    held = analyzer.stems(text)
    return tuple(word for word, stems in asked if not stems.isdisjoint(held))
