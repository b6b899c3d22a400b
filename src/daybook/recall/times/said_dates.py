"""Dates that a message says: "last Friday" in one of 8 May 2023 means 5 May.

A text is read sentence by sentence, because whether it looks ahead ("we'll go on Friday") or back
("we went on Friday") decides which Friday is meant. Pure, English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from daybook.recall.times.calendar_times import CalendarSpan, Lean, calendar_spans, may_name_time
from daybook.recall.times.time_relations import TimeWindow

__all__ = ["Sentence", "said_dates", "said_share", "sentences"]

# A long message is a document; its dates are rarely about when it was said.
_MOST_READ = 4_000
# "2.3" and "e.g. this" go on: a full stop ends a sentence before a space and no small letter.
_END = re.compile(r"(?<=[!?])\s+|(?<=\.)\s+(?![a-z])|\n+")
_AHEAD = re.compile(
    r"\b(?:will|won't|shall|going to|gonna|plans?|planned|planning|tomorrow|upcoming|next|soon"
    r"|booked|scheduled|looking forward|can't wait|until|hope to|hoping to|want to|about to"
    r"|deadline|due|coming up|\w+'ll)\b",
    re.IGNORECASE,
)
# "We are moving on Friday" is said of the next one.
_ARRANGED = re.compile(r"(?:\b(?:am|are|is)|'m|'re|'s)\s+\w+ing\b", re.IGNORECASE)
_BACK = re.compile(
    r"\b(?:was|were|did|had|went|got|came|met|bought|saw|made|took|gave|left|ran|won|began|started"
    r"|last|ago|yesterday|[a-z]{2,}ed)\b",
    re.IGNORECASE,
)
_DAY = 86_400.0
_LONGEST_WINDOW = 100 * _DAY
_LONGEST_SAID = 100 * _DAY
_WEEK = 7 * _DAY
# Of a date said that is wider than the window: "two weeks ago" hits that day only roughly.
_ROUGH_SHARE = 0.75
_LEAST_SHARE = 0.3


class Sentence(Struct, frozen=True):
    """One sentence of a text.

    Attributes:
        text: Its words.
        asks: Whether it is a question.
    """

    text: str
    asks: bool

    @property
    def ahead(self) -> bool:
        """Whether it looks ahead, to a plan or an appointment."""
        return _AHEAD.search(self.text) is not None


def sentences(text: str) -> Iterator[Sentence]:
    """Yield the sentences of the beginning of `text`."""
    for part in _END.split(text[:_MOST_READ]):
        found = part.strip()
        if found:
            yield Sentence(found, found.endswith("?"))


def said_dates(text: str, said_at: datetime) -> list[CalendarSpan]:
    """Return the spans of time that a message says, resolved against the moment it was said.

    Args:
        text: What it says.
        said_at: When, aware.

    Cost: about 15 µs a sentence that may say one.
    """
    found: list[CalendarSpan] = []
    if not may_name_time(text[:_MOST_READ]):
        return found
    for sentence in sentences(text):
        if may_name_time(sentence.text):
            found += calendar_spans(sentence.text, said_at, lean=_lean(sentence))
    return found


def said_share(windows: Sequence[TimeWindow], dates: Sequence[CalendarSpan]) -> float:
    """Return how well what a message says matches the times that a question names, 0 to 1.

    1 where a date said lies wholly inside a window, less where more of it lies outside. Windows and
    dates of more than a season say too little and count nothing.
    """
    best = 0.0
    for window in windows:
        length = (window.until - window.since).total_seconds()
        if length > _LONGEST_WINDOW:
            continue
        for date in dates:
            said = (date.until - date.since).total_seconds()
            inside = min(window.until, date.until) - max(window.since, date.since)
            overlap = inside.total_seconds()
            if overlap > 0 and said <= _LONGEST_SAID:
                least = _ROUGH_SHARE if said <= _WEEK else _LEAST_SHARE
                best = max(best, window.share * max(overlap / said, least))
    return best


def _lean(sentence: Sentence) -> Lean:
    if sentence.ahead or _ARRANGED.search(sentence.text):
        return "future"
    return "past" if _BACK.search(sentence.text) else "near"
