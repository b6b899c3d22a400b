"""How a question relates what it asks for to a time: before it, the week after it, since it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from msgspec import Struct

from daybook.recall.times.calendar_times import NUMBER, number_of

__all__ = ["RELATION", "Relation", "TimeWindow", "related_window", "relation_of"]

_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_WORDS = (
    r"before|after|following|since|until|till|prior\s+to|ahead\s+of|leading\s+up\s+to|by|around"
    r"|during"
)
# The words that stand between what is asked for and the time it is related to.
RELATION = (
    rf"(?:(?:the\s+)?(?:(?P<count>{NUMBER})\s+)?"
    rf"(?P<unit>day|week|weekend|month|year|morning|evening|night|{'|'.join(_WEEKDAYS)})s?\s+"
    r"(?:(?:right|just|immediately|directly)\s+)?)?"
    rf"(?P<word>{_WORDS})\b"
)
_BEFORE = frozenset({"before", "until", "till", "prior to", "ahead of", "leading up to", "by"})
_AFTER = frozenset({"after", "following"})
_UNIT_DAYS = {"day": 1, "morning": 1, "evening": 1, "night": 1, "week": 7, "month": 30, "year": 365}
# How far from the mark "two weeks after" may be.
_SLACK_DAYS = {"week": 3, "month": 10, "year": 60}
_VAGUE = re.compile(r"few|couple|several", re.IGNORECASE)
_WEEKEND_DAYS = 2
_SATURDAY = 5
_AROUND = timedelta(days=3)


class TimeWindow(Struct, frozen=True):
    """A span of time.

    Attributes:
        since: First moment in it, aware.
        until: First moment after it, aware.
        strict: True if the question bounds time with it ("since May", "between … and …");
            False if it only dates something, which may have been talked about near then.
        share: How much it counts, from 0 to 1: less if it is less sure what the question means.
        event: Whether an event dates it ("after the wedding"), not the calendar.
    """

    since: datetime
    until: datetime
    strict: bool = False
    share: float = 1.0
    event: bool = False


class Relation(Struct, frozen=True):
    """What a question says about a time.

    Attributes:
        word: "before", "after", "since", "during" and the like.
        unit: Of the measure before the word ("the week after"), singular; empty without one.
        count: How many units ("two weeks after"); None if it does not say.
        vague: Whether the count is "a few" or the like.
    """

    word: str
    unit: str = ""
    count: int | None = None
    vague: bool = False


def relation_of(match: re.Match[str]) -> Relation:
    """Return what a match of `RELATION` says."""
    count = match["count"]
    return Relation(
        word=" ".join(match["word"].lower().split()),
        unit=(match["unit"] or "").lower(),
        count=None if count is None else number_of(count),
        vague=bool(count and _VAGUE.search(count)),
    )


def related_window(
    relation: Relation, since: datetime, until: datetime, now: datetime
) -> TimeWindow:
    """Return the span that stands in `relation` to the one from `since` to `until`.

    Args:
        relation: What the question says.
        since: First moment of the time that it names.
        until: First moment after it.
        now: When it is asked: "since" and "after" reach to the end of that day.
    """
    after = relation.word in _AFTER
    if relation.unit and (after or relation.word in _BEFORE):
        first, beyond = _measured(relation, since, until, 1 if after else -1)
        return TimeWindow(first, beyond, relation.count is None)
    if relation.word in _BEFORE:
        end = until if relation.word == "by" else since
        return TimeWindow(datetime(1970, 1, 2, tzinfo=now.tzinfo), end, True)
    if after or relation.word == "since":
        opened = until if after else since
        tomorrow = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return TimeWindow(opened, max(tomorrow, opened + timedelta(days=1)), True)
    if relation.word == "around":
        return TimeWindow(since - _AROUND, until + _AROUND)
    return TimeWindow(since, until)


def _measured(
    relation: Relation, since: datetime, until: datetime, way: int
) -> tuple[datetime, datetime]:
    """Return the unit next to a span, or the place so many units away from it."""
    if relation.unit in _WEEKDAYS:
        return _next_days(_WEEKDAYS.index(relation.unit), 1, since, until, way)
    if relation.unit == "weekend":
        return _next_days(_SATURDAY, _WEEKEND_DAYS, since, until, way)
    days = _UNIT_DAYS[relation.unit]
    edge = until if way > 0 else since
    if relation.count is None or relation.vague:
        far = edge + timedelta(days=way * days * (relation.count or 1))
        return min(edge, far), max(edge, far)
    slack = timedelta(days=_SLACK_DAYS.get(relation.unit, 0))
    day = since if way < 0 else until - timedelta(days=1)
    middle = day + timedelta(days=way * days * relation.count)
    return middle - slack, middle + slack + timedelta(days=1)


def _next_days(
    weekday: int, count: int, since: datetime, until: datetime, way: int
) -> tuple[datetime, datetime]:
    """Return the first such days that lie wholly after (or before) a span."""
    if way > 0:
        start = until + timedelta(days=(weekday - until.weekday()) % 7)
    else:
        last = since - timedelta(days=count)
        start = last - timedelta(days=(last.weekday() - weekday) % 7)
    return start, start + timedelta(days=count)
