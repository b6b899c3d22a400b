"""Keep the notes of a digest few, distinct and in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from daybook.model.digest import Note
from daybook.protocols.token_counter import TokenCounter

__all__ = ["LINE_TOKENS", "distinct_notes", "fitting_notes", "fitting_prose", "note_tokens"]

# Date, speaker and number before each note.
LINE_TOKENS = 14
_WORD = re.compile(r"\w+")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")  # noqa: RUF001 - so they end in Chinese
_SAME = 0.8


def note_tokens(note: Note, counter: TokenCounter) -> int:
    """Return what a note takes as a line of a rendered digest, about."""
    return counter.count_text(note.text) + LINE_TOKENS


def distinct_notes(notes: Iterable[Note]) -> list[Note]:
    """Return notes without those that an older one says already, by message number.

    Two say the same if four of five words are the same. A number tells notes apart: "3 eggs" and
    "4 eggs" both stay.

    Cost: O(notes²) on short word sets. Pure.
    """
    kept: list[Note] = []
    # What is alike has the same numbers: only such notes are compared.
    by_numbers: dict[frozenset[str], list[frozenset[str]]] = {}
    for note in sorted(notes, key=lambda one: one.seq):
        mine = frozenset(word.lower() for word in _WORD.findall(note.text))
        numbers = frozenset(word for word in mine if any(map(str.isdigit, word)))
        others = by_numbers.setdefault(numbers, [])
        if not any(_alike(mine, theirs) for theirs in others):
            kept.append(note)
            others.append(mine)
    return kept


def fitting_notes(notes: Sequence[Note], limit: int, counter: TokenCounter) -> list[Note]:
    """Return the notes that matter most within a token limit, in order.

    Higher priorities first; among equals those at both ends of the conversation: who somebody is
    was said early, what holds now was said late.
    """
    ranked = [
        place
        for priority in (3, 2, 1)
        for place in _from_both_ends(
            [index for index, note in enumerate(notes) if note.priority == priority]
        )
    ]
    left = limit
    kept: list[int] = []
    for place in ranked:
        size = note_tokens(notes[place], counter)
        if size <= left:
            kept.append(place)
            left -= size
    return [notes[place] for place in sorted(kept)]


def fitting_prose(prose: str, limit: int, counter: TokenCounter) -> str:
    """Return the beginning of a text that fits a token limit: whole sentences if one fits.

    Cost: a few times linear in the text. Pure.
    """
    if counter.count_text(prose) <= limit:
        return prose
    ends = [found.start() for found in _SENTENCE.finditer(prose)]
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        if counter.count_text(prose[: ends[middle - 1]]) <= limit:
            low = middle
        else:
            high = middle - 1
    if low:
        return prose[: ends[low - 1]]
    cut = len(prose)
    while cut and counter.count_text(prose[:cut]) > limit:
        cut //= 2
    return prose[:cut]


def _from_both_ends(places: list[int]) -> list[int]:
    """Return the last, the first, the last but one, the second and so on."""
    newest, oldest = places[::-1], places
    both = [place for pair in zip(newest, oldest, strict=True) for place in pair]
    return both[: len(places)]


def _alike(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    some, others = len(mine), len(theirs)
    if some < _SAME * others or others < _SAME * some:
        return False
    shared = len(mine & theirs)
    return shared >= _SAME * (some + others - shared)
