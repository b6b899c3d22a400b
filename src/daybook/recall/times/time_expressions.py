"""Find the spans of time a question names: "on 7 May", "since last week", "two days before Easter".

English, own rules, no dependency. A date without a year is the latest such date that has begun.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from daybook.recall.times.calendar_times import YEAR, CalendarSpan, calendar_spans
from daybook.recall.times.time_relations import RELATION, TimeWindow, related_window, relation_of

__all__ = ["TimeWindow", "time_windows"]

_SHORTEST_MONTH = 28
# A holiday is as often what is asked about as when it was.
_HOLIDAY_SHARE = 0.8
# "the second week immediately leading up to the": nothing that leads to a date is longer.
_LONGEST_LEAD = 80
# "What do we eat at Christmas?" asks for a habit.
_HABIT = re.compile(
    r"^\W*\w+(?:\s+(?!did|was|were|ha[ds]|have)\w+){0,2}\s+(?:do|does)\b", re.IGNORECASE
)
_LEADING = re.compile(rf"\b{RELATION}\s*(?:the\s+)?$", re.IGNORECASE)
_FROM = re.compile(r"\b(?:between|from)\s*(?:the\s+)?$", re.IGNORECASE)
_TO = re.compile(r"\s*(?:and|to|until|till|through|-|\u2013)\s*(?:the\s+)?", re.IGNORECASE)
# What a range's beginning may leave to its end: "from 3 to 10 March".
_DAY_ALONE = re.compile(
    r"\b(?:between|from)\s+(?:the\s+)?(?P<day>\d{1,2})(?:st|nd|rd|th)?"
    r"\s*(?:and|to|until|till|through|-|\u2013)\s*(?:the\s+)?$",
    re.IGNORECASE,
)


def time_windows(text: str, now: datetime) -> list[TimeWindow]:
    """Return the spans that `text` names, in order of appearance, none inside another's words.

    Args:
        text: A question in English.
        now: When it is asked, aware; relative expressions count from here.
    """
    habit = _HABIT.search(text) is not None
    spans = [span for span in calendar_spans(text, now) if not (habit and span.named)]
    return list(_joined(text, spans, now))


def _joined(text: str, spans: list[CalendarSpan], now: datetime) -> Iterator[TimeWindow]:
    """Apply the words before and between the expressions: between, since, the week after."""
    i = 0
    while i < len(spans):
        span = spans[i]
        before = text[max(0, span.start - _LONGEST_LEAD) : span.start]
        if i + 1 < len(spans) and _is_range(before, text[span.end : spans[i + 1].start]):
            last = spans[i + 1]
            first = _in_year_of(last.since, span.since, text[span.start : span.end])
            yield TimeWindow(min(first, last.since), max(first, last.until), True)
            i += 2
            continue
        yield _bounded(before, span, now)
        i += 1


def _in_year_of(last: datetime, first: datetime, written: str) -> datetime:
    """Return a range's beginning; written without a year it is the latest before its end."""
    if re.search(YEAR, written):
        return first
    moved = first.replace(year=last.year, day=min(first.day, _SHORTEST_MONTH))
    return moved if moved <= last else moved.replace(year=last.year - 1)


def _is_range(before: str, between: str) -> bool:
    if _TO.fullmatch(between) is None:
        return False
    return bool(_FROM.search(before)) or "and" not in between.lower()


def _bounded(before: str, span: CalendarSpan, now: datetime) -> TimeWindow:
    """Return the window of one expression, given the text before it."""
    day = _DAY_ALONE.search(before)
    if day is not None and 1 <= int(day["day"]) <= span.since.day:
        return TimeWindow(span.since.replace(day=int(day["day"])), span.until, True)
    share = _HOLIDAY_SHARE if span.named else 1.0
    match = _LEADING.search(before)
    if match is None:
        return TimeWindow(span.since, span.until, share=share)
    found = related_window(relation_of(match), span.since, span.until, now)
    return TimeWindow(found.since, found.until, found.strict, share)
