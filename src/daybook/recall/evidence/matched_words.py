"""Which words of a text a question asks for: the words themselves, not their hashes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from daybook.recall.text.scripts import UNSPACED

__all__ = ["Stems", "matched_spans", "shared_words", "words_asked"]

# Marks and vowel signs belong to their words, though Unicode does not count them as letters.
_SIGNS = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
    "\u0e31-\u0ebc\u0ec8-\u0ece\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u17dd"
)
_LETTER = rf"(?:(?![{UNSPACED}])[^\W_]|[{_SIGNS}])"
_WORD = re.compile(rf"[{UNSPACED}]+|{_LETTER}+(?:['\u2019]{_LETTER}+)*")
_UNSPACED = re.compile(f"[{UNSPACED}]")


class Stems(Protocol):
    """What finds the stems of words: an `Analyzer`."""

    def stems(self, text: str, *, like: str = "") -> list[int]:
        """Return the stem hashes of a text in the languages of `like`, stop words left out."""
        ...


def matched_spans(text: str, query: str, analyzer: Stems) -> list[tuple[int, int]]:
    """Return where words of `text` share a stem with a word of `query`, in order.

    In a script that is written without spaces, it is the parts that both have.

    Cost: a third of a microsecond a word, two for a word's first time.
    """
    wanted = set(analyzer.stems(query))
    if not wanted:
        return []
    asked: dict[str, bool] = {}
    spans: list[tuple[int, int]] = []
    for found in _WORD.finditer(text):
        word = found[0]
        if _UNSPACED.match(word):
            begin = found.start()
            parts = _common_parts(word, wanted, analyzer)
            spans += [(begin + first, begin + last) for first, last in parts]
            continue
        if word not in asked:
            asked[word] = not wanted.isdisjoint(analyzer.stems(word, like=text))
        if asked[word]:
            spans.append(found.span())
    return spans


def words_asked(query: str, analyzer: Stems) -> list[tuple[str, frozenset[int]]]:
    """Return the telling words of a question, each once, as written there, with their stems."""
    found: dict[str, tuple[str, frozenset[int]]] = {}
    for match in _WORD.finditer(query):
        stems = frozenset(analyzer.stems(match[0], like=query))
        if stems:
            found.setdefault(match[0].casefold(), (match[0], stems))
    return list(found.values())


def shared_words(
    text: str, asked: Sequence[tuple[str, frozenset[int]]], analyzer: Stems
) -> tuple[str, ...]:
    """Return those of the words `asked` that `text` has in some form.

    Cost: about half a microsecond a word of `text`.
    """
    held = set(analyzer.stems(text))
    shared: dict[str, None] = {}
    for word, stems in asked:
        if _UNSPACED.match(word):
            parts = _common_parts(word, held, analyzer)
            shared.update((word[first:last], None) for first, last in parts)
        elif not stems.isdisjoint(held):
            shared[word] = None
    return tuple(shared)


def _common_parts(run: str, held: Collection[int], analyzer: Stems) -> Iterator[tuple[int, int]]:
    """Yield the longest parts of a run without spaces whose characters and pairs are all held."""
    first = 0
    while first < len(run):
        last = first
        while last < len(run):
            stems = analyzer.stems(run[first : last + 1])
            if not stems or not all(stem in held for stem in stems):
                break
            last += 1
        if last > first:
            yield first, last
        first = max(last, first + 1)
