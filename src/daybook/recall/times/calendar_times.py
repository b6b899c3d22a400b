"""Dates and spans of the calendar that an English text names: "on 7 May", "two weeks ago".

Own rules, no dependency. Days begin at midnight in the time zone of the moment that relative
expressions count from. Not understood: clock times and durations ("for three weeks").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from daybook.recall.times.holidays import HOLIDAYS, holiday

__all__ = ["NUMBER", "YEAR", "CalendarSpan", "Lean", "calendar_spans", "may_name_time", "number_of"]

Lean = Literal["past", "near", "future"]
Span = tuple[datetime, datetime]

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sept sep", "october oct", "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_WEEKDAYS = {
    name: number
    for number, name in enumerate(
        "monday tuesday wednesday thursday friday saturday sunday".split()
    )
}
_NUMBERS = {
    name: number
    for number, name in enumerate(
        "one two three four five six seven eight nine ten eleven twelve".split(), start=1
    )
} | {"a": 1, "an": 1, "a couple of": 2, "couple of": 2, "a few": 3, "few": 3, "several": 4}
# First month and number of months; a winter begins in December of the year before.
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_MONTHS_A_YEAR = 12
_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_NAMED_DAYS = {
    "today": 0, "tonight": 0, "this morning": 0, "this afternoon": 0, "this evening": 0,
    "yesterday": -1, "last night": -1, "the day before yesterday": -2,
    "tomorrow": 1, "the day after tomorrow": 2,
}  # fmt: skip

_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
NUMBER = r"\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
YEAR = r"(?:19|20)\d\d"
_ORDINAL = r"(?:st|nd|rd|th)?"
_WEEKDAY = "|".join(_WEEKDAYS)
_SEASON = "|".join(_SEASONS)
_UNIT = "day|week|month|year"
_HOLIDAY = "|".join(HOLIDAYS)
_BOUNDS = frozenset("since before after until from and to between by".split())


# A text without any of these words, and without a digit, names no time.
_WORD = re.compile(r"[a-z]+|\d")
_HINTS = frozenset(
    """
    0 1 2 3 4 5 6 7 8 9 day days week weeks month months year years weekend today tonight yesterday
    tomorrow morning afternoon evening night christmas halloween valentine patrick independence
    easter mother father memorial labor thanksgiving
    """.split()
).union(_MONTHS, _WEEKDAYS, _SEASONS)


class CalendarSpan(Struct, frozen=True):
    """A span of time that some words of a text name.

    Attributes:
        start: Where the words begin.
        end: Where they end.
        since: First moment of the span, aware.
        until: First moment after it, aware.
        named: Whether the words also name a subject ("Christmas"), not only a time.
    """

    start: int
    end: int
    since: datetime
    until: datetime
    named: bool = False


class _Moment(Struct, frozen=True):
    """What relative expressions count from, and which of two like dates is meant."""

    now: datetime
    lean: Lean

    @property
    def today(self) -> datetime:
        """Midnight before now."""
        return self.now.replace(hour=0, minute=0, second=0, microsecond=0)

    def month(self, year: int, month: int, count: int = 1) -> Span:
        """Return whole months; `month` may lie outside 1 to 12 and counts into other years."""
        last = month + count - 1
        first = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=self.now.tzinfo)
        return first, datetime(year + last // 12, last % 12 + 1, 1, tzinfo=self.now.tzinfo)

    def day(self, year: int, month: int, day: int) -> Span:
        """Return one day.

        Raises:
            ValueError: There is no such day.
        """
        start = datetime(year, month, day, tzinfo=self.now.tzinfo)
        return start, start + timedelta(days=1)

    def days(self, offset: int, count: int = 1) -> Span:
        """Return whole days, the first `offset` days from today."""
        start = self.today + timedelta(days=offset)
        return start, start + timedelta(days=count)

    def year_of(self, month: int, day: int = 1) -> int:
        """Return the year of a date written without one.

        Leaning to the past it is the latest such date that has begun, to the future the first that
        is not over, else the nearest.
        """
        now = self.now
        latest = now.year - ((month, day) > (now.month, now.day))
        if self.lean == "past" or (month, day) == (now.month, now.day):
            return latest
        following = latest + 1
        if self.lean == "future":
            return following
        gone = (now.month - month) * 30.4 + now.day - day + 365 * (now.year - latest)
        return latest if gone <= 365 - gone else following


Reader = Callable[[re.Match[str], _Moment], Span | None]


def calendar_spans(text: str, now: datetime, *, lean: Lean = "past") -> list[CalendarSpan]:
    """Return the spans that `text` names, in order of appearance, none inside another's words.

    Args:
        text: A question or a statement in English.
        now: When it was said, aware; relative expressions count from here.
        lean: Which date is meant where none says ("in May", "on Friday"): the latest that has
            begun, the nearest (weekdays: the latest), or the next.

    Cost: about 15 µs for a sentence that may name one, 2 µs for others.
    """
    words = frozenset(_WORD.findall(text.lower()))
    if _HINTS.isdisjoint(words):
        return []
    moment = _Moment(now, lean)
    found = sorted(_expressions(text, words, moment), key=lambda one: (one.start, -one.end))
    spans: list[CalendarSpan] = []
    for span in found:
        if not spans or span.start >= spans[-1].end:
            spans.append(span)
    return spans


def may_name_time(text: str) -> bool:
    """Tell, quickly, whether a text has any word by which it could name a time."""
    return not _HINTS.isdisjoint(_WORD.findall(text.lower()))


def number_of(word: str) -> int:
    """Return the number that `word`, matched by `NUMBER`, means: 3 for "three" or "a few"."""
    return int(word) if word.isdigit() else _NUMBERS[" ".join(word.lower().split())]


def _expressions(text: str, words: frozenset[str], moment: _Moment) -> Iterator[CalendarSpan]:
    for hints, pattern, read in _RULES:
        for match in () if hints.isdisjoint(words) else pattern.finditer(text):
            try:
                span = read(match, moment)
            except (ValueError, OverflowError):  # 31 June, or a year out of range
                continue
            if span is not None:
                yield CalendarSpan(_start(match), match.end(), *span, read is _read_holiday)


def _start(match: re.Match[str]) -> int:
    """Return where the expression begins, the bounding word before it ("since") left out."""
    lead = match.groupdict().get("lead")
    if not lead or lead.lower() not in _BOUNDS:
        return match.start()
    after = match.end("lead")
    # From "May" on, not from the space before it: else "before May 7" would begin before "May 7".
    return after + len(match.string[after:]) - len(match.string[after:].lstrip(" \t\n-"))


def _lead(match: re.Match[str]) -> str:
    return (match["lead"] or "").lower()


def _read_date(match: re.Match[str], moment: _Moment) -> Span:
    month, day = _MONTHS[match["month"].lower()], int(match["day"])
    year = int(match["year"]) if match["year"] else moment.year_of(month, day)
    return moment.day(year, month, day)


def _read_month(match: re.Match[str], moment: _Moment) -> Span | None:
    name, lead = match["month"], _lead(match)
    # "may" and "march" are verbs too: only with a capital and a preposition or a year.
    if name in ("may", "march", "mar", "sep") and not match["year"]:
        return None
    if name.lower() in ("may", "march") and not (lead or match["year"]):
        return None
    month, now = _MONTHS[name.lower()], moment.now
    if match["year"]:
        return _part(moment.month(int(match["year"]), month), lead)
    if lead == "last":
        return moment.month(now.year - (month >= now.month), month)
    if lead == "next":
        return moment.month(now.year + (month <= now.month), month)
    year = now.year if month == now.month else moment.year_of(month)
    return _part(moment.month(year, month), lead)


def _part(span: Span, lead: str) -> Span:
    """Return the part of a month or year that "the beginning of" or "the end of" means."""
    since, until = span
    third = timedelta(days=(until - since).days // 3)
    if lead.startswith(("the beginning", "the start", "beginning", "start")):
        return since, since + third
    if lead.startswith(("the end", "end")):
        return until - third, until
    return since, until


def _read_season(match: re.Match[str], moment: _Moment) -> Span | None:
    lead = _lead(match)
    if not match["year"] and lead not in ("last", "this", "next"):
        return None
    month = _SEASONS[match["season"].lower()]
    if match["year"]:
        return moment.month(int(match["year"]), month, 3)
    now = moment.now
    # In January and February "this winter" began the year before.
    year = now.year - (month == _MONTHS_A_YEAR and now.month <= 2)  # noqa: PLR2004
    since, until = moment.month(year, month, 3)
    if lead == "last" and until > now:
        return moment.month(year - 1, month, 3)
    if lead == "next" and since <= now:
        return moment.month(year + 1, month, 3)
    return since, until


def _read_numeric(match: re.Match[str], moment: _Moment) -> Span:
    if match["iso_year"]:
        return moment.day(int(match["iso_year"]), int(match["iso_month"]), int(match["iso_day"]))
    month, day = int(match["first"]), int(match["second"])
    if month > _MONTHS_A_YEAR:
        month, day = day, month
    return moment.day(int(match["last"]), month, day)


def _read_named_day(match: re.Match[str], moment: _Moment) -> Span:
    return moment.days(_NAMED_DAYS[" ".join(match[0].lower().split())])


def _read_ago(match: re.Match[str], moment: _Moment) -> Span:
    return _away(-number_of(match["count"]), match["unit"].lower(), moment)


def _read_ahead(match: re.Match[str], moment: _Moment) -> Span:
    return _away(number_of(match["count"]), match["unit"].lower(), moment)


def _away(count: int, unit: str, moment: _Moment) -> Span:
    """Return what is `count` units away: that day, week, month or year."""
    now = moment.now
    if unit == "month":
        return moment.month(now.year, now.month + count)
    if unit == "year":
        return moment.month(now.year + count, 1, 12)
    slack = 0 if unit == "day" else 3
    return moment.days(count * _UNIT_DAYS[unit] - slack, 2 * slack + 1)


def _read_past(match: re.Match[str], moment: _Moment) -> Span:
    days = number_of(match["count"] or "one") * _UNIT_DAYS[match["unit"].lower()]
    return moment.days(-days, days + 1)


def _read_unit(match: re.Match[str], moment: _Moment) -> Span:
    step = {"this": 0, "earlier this": 0, "next": 1, "the coming": 1}
    ahead, unit = step.get(" ".join(_lead(match).split()), -1), match["unit"].lower()
    now = moment.now
    if unit == "month":
        return moment.month(now.year, now.month + ahead)
    if unit == "year":
        return moment.month(now.year + ahead, 1, 12)
    monday = 7 * ahead - now.weekday()
    if unit == "weekend":
        # On a weekend "last weekend" is the one before; on a weekday the latest one.
        return moment.days(monday + 5, 2)
    return moment.days(monday, 7)


def _read_weekday(match: re.Match[str], moment: _Moment) -> Span:
    lead, weekday = " ".join(_lead(match).split()), _WEEKDAYS[match["weekday"].lower()]
    today = moment.now.weekday()
    ahead = (weekday - today) % 7
    if lead in ("next", "this coming", "coming", "by"):
        return moment.days(ahead or 7)
    if lead == "this":
        return moment.days(weekday - today)
    if lead == "on" and moment.lean == "future":
        return moment.days(ahead)
    return moment.days(-((today - weekday - 1) % 7 + 1))


def _read_holiday(match: re.Match[str], moment: _Moment) -> Span | None:
    name, now = match["holiday"].lower(), moment.now
    if match["year"]:
        return _of_holiday(name, int(match["year"]), moment)
    years = [_of_holiday(name, now.year + step, moment) for step in (-2, -1, 0, 1, 2)]
    begun = [span for span in years if span[0] <= now]
    ahead = [span for span in years if span[1] > now]
    lead = _lead(match)
    if lead == "next" or (moment.lean == "future" and lead != "last"):
        return ahead[0]
    if moment.lean == "near" and lead != "last":
        return min(years, key=lambda span: abs(span[0] - now))
    return begun[-1]


def _of_holiday(name: str, year: int, moment: _Moment) -> Span:
    first, days = holiday(name, year)
    since = datetime(first.year, first.month, first.day, tzinfo=moment.now.tzinfo)
    return since, since + timedelta(days=days)


def _read_year(match: re.Match[str], moment: _Moment) -> Span:
    return _part(moment.month(int(match["year"]), 1, 12), _lead(match))


def _rule(
    hints: Iterable[str], pattern: str, read: Reader
) -> tuple[frozenset[str], re.Pattern[str], Reader]:
    """Return a rule that is tried on texts with one of `hints` among their words."""
    return frozenset(hints), re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), read


_DIGITS = "0123456789"
_UNITS = [f"{unit}{end}" for unit in _UNIT_DAYS for end in ("", "s")]

_PART = r"(?:the\s+)?(?:beginning|start|end)\s+of"
_RULES = (
    _rule(
        _MONTHS,
        rf"(?P<day>\d{{1,2}}){_ORDINAL}\s+(?:of\s+)?(?P<month>{_MONTH})\b\.?(?:,?\s+(?P<year>{YEAR}))?",
        _read_date,
    ),
    _rule(
        _MONTHS,
        rf"(?P<month>{_MONTH})\b\.?[\s-]+(?:the\s+)?(?P<day>\d{{1,2}}){_ORDINAL}"
        rf"(?:(?:,|-)?\s*(?P<year>{YEAR}))?",
        _read_date,
    ),
    _rule(
        _MONTHS,
        rf"(?:(?P<lead>{_PART}|in|of|during|since|by|last|this|next|early|mid|late|before|after"
        rf"|until|from|and|to|between)[\s-]+)?(?P<month>{_MONTH})\b\.?"
        rf"(?:,?\s+(?:of\s+)?(?P<year>{YEAR}))?",
        _read_month,
    ),
    _rule(
        _SEASONS,
        rf"(?:(?P<lead>last|this|(?<!the )next)\s+)?(?P<season>{_SEASON})"
        rf"(?:\s+(?:of\s+)?(?P<year>{YEAR}))?",
        _read_season,
    ),
    _rule(
        _DIGITS,
        r"(?P<iso_year>(?:19|20)\d\d)-(?P<iso_month>\d\d)-(?P<iso_day>\d\d)"
        r"|(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<last>(?:19|20)\d\d)",
        _read_numeric,
    ),
    _rule(
        (name.split()[-1] for name in _NAMED_DAYS),
        "|".join(name.replace(" ", r"\s+") for name in reversed(_NAMED_DAYS)),
        _read_named_day,
    ),
    _rule(("ago", "back"), rf"(?P<count>{NUMBER})\s+(?P<unit>{_UNIT})s?\s+(?:ago|back)", _read_ago),
    _rule(_UNITS, rf"in\s+(?P<count>{NUMBER})\s+(?P<unit>{_UNIT})s?(?:\s+time)?", _read_ahead),
    _rule(
        _UNITS, rf"(?:past|last|previous)\s+(?P<count>{NUMBER})\s+(?P<unit>{_UNIT})s?", _read_past
    ),
    _rule(_UNITS, rf"past(?P<count>)\s+(?P<unit>{_UNIT})", _read_past),
    _rule(
        (*_UNITS, "weekend"),
        rf"(?P<lead>last|previous|this|earlier\s+this|next|the\s+coming)"
        rf"\s+(?P<unit>{_UNIT}|weekend)",
        _read_unit,
    ),
    _rule(
        _WEEKDAYS,
        rf"(?P<lead>last|on|by|this\s+past|past|this|next|this\s+coming|coming)"
        rf"\s+(?P<weekday>{_WEEKDAY})",
        _read_weekday,
    ),
    _rule(
        (_WORD.findall(name)[0] for name in HOLIDAYS),
        r"(?P<lead>last|this|next|on|at|over|during|since|before|after|until|till|by|around"
        r"|between|and)\s+(?:the\s+)?"
        rf"(?P<holiday>{_HOLIDAY})(?:\s+(?:of\s+)?(?P<year>{YEAR}))?",
        _read_holiday,
    ),
    _rule(_DIGITS, rf"(?:(?P<lead>{_PART})\s+)?(?P<year>{YEAR})", _read_year),
)
