"""Find the spans of time a question names: "on 7 May", "last month", "two weeks ago".

English, own rules, no dependency. Days begin at midnight in the time zone of `now`. A date without
a year is the latest such date that has begun. Not understood: clock times, holidays, durations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

__all__ = ["TimeWindow", "time_windows"]

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
_SHORTEST_MONTH = 28
_UNIT_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}

_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NUMBER = r"\d{1,3}|" + "|".join(sorted(_NUMBERS, key=len, reverse=True))
_YEAR = r"(?:19|20)\d\d"
_ORDINAL = r"(?:st|nd|rd|th)?"
_WEEKDAY = "|".join(_WEEKDAYS)
_SEASON = "|".join(_SEASONS)
_UNIT = "day|week|month|year"
_BOUNDS = frozenset("since before after until from and to between".split())


class TimeWindow(Struct, frozen=True):
    """A span of time.

    Attributes:
        since: First moment in it, aware.
        until: First moment after it, aware.
        strict: True if the question bounds time with it ("since May", "between … and …");
            False if it only dates something, which may have been talked about near then.
    """

    since: datetime
    until: datetime
    strict: bool = False


Reader = Callable[[re.Match[str], datetime], tuple[datetime, datetime] | None]


def time_windows(text: str, now: datetime) -> list[TimeWindow]:
    """Return the spans that `text` names, in order of appearance, none inside another's words.

    Args:
        text: A question in English.
        now: When it is asked, aware; relative expressions count from here.
    """
    found = sorted(_expressions(text, now), key=lambda item: (item[0], -item[1]))
    spans: list[tuple[int, int, tuple[datetime, datetime]]] = []
    for start, end, span in found:
        if not spans or start >= spans[-1][1]:
            spans.append((start, end, span))
    return list(_joined(text, spans, now))


def _expressions(text: str, now: datetime) -> Iterator[tuple[int, int, tuple[datetime, datetime]]]:
    for pattern, read in _RULES:
        for match in pattern.finditer(text):
            try:
                span = read(match, now)
            except (ValueError, OverflowError):  # 31 June, or a year out of range
                continue
            if span is not None:
                yield _start(match), match.end(), span


def _start(match: re.Match[str]) -> int:
    """Return where the expression begins, the bounding word before it ("since") left out."""
    lead = match.groupdict().get("lead")
    return match.end("lead") if lead and lead.lower() in _BOUNDS else match.start()


def _joined(
    text: str, spans: list[tuple[int, int, tuple[datetime, datetime]]], now: datetime
) -> Iterator[TimeWindow]:
    """Apply the words before and between the expressions: between, since, before, after."""
    i = 0
    while i < len(spans):
        start, end, (since, until) = spans[i]
        before = text[:start].lower()
        if i + 1 < len(spans) and _is_range(before, text[end : spans[i + 1][0]].lower()):
            last, beyond = spans[i + 1][2]
            first = _in_year_of(last, since, text[start:end])
            yield TimeWindow(min(first, last), max(first, beyond), True)
            i += 2
            continue
        yield _bounded(before, since, until, now)
        i += 1


def _in_year_of(last: datetime, first: datetime, written: str) -> datetime:
    """Return a range's beginning; written without a year it is the latest before its end."""
    if re.search(_YEAR, written):
        return first
    moved = first.replace(year=last.year, day=min(first.day, _SHORTEST_MONTH))
    return moved if moved <= last else moved.replace(year=last.year - 1)


def _is_range(before: str, between: str) -> bool:
    if re.fullmatch(r"\s*(?:and|to|until|till|through|-|\u2013)\s*(?:the\s+)?", between) is None:
        return False
    return bool(re.search(r"\b(?:between|from)\s*(?:the\s+)?$", before)) or "and" not in between


def _bounded(before: str, since: datetime, until: datetime, now: datetime) -> TimeWindow:
    if re.search(r"\b(?:since|after)\s*(?:the\s+)?$", before):
        opened = since if "since" in before[-12:] else until
        return TimeWindow(opened, max(_tomorrow(now), opened + timedelta(days=1)), True)
    if re.search(r"\b(?:before|until|till|prior to)\s*(?:the\s+)?$", before):
        return TimeWindow(datetime(1970, 1, 2, tzinfo=now.tzinfo), since, True)
    return TimeWindow(since, until)


def _day(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _tomorrow(now: datetime) -> datetime:
    return _day(now) + timedelta(days=1)


def _month(year: int, month: int, now: datetime) -> tuple[datetime, datetime]:
    """Return a month; `month` may lie outside 1 to 12 and then counts into other years."""
    first = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=now.tzinfo)
    beyond = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=now.tzinfo)
    return first, beyond


def _months(year: int, month: int, count: int, now: datetime) -> tuple[datetime, datetime]:
    return _month(year, month, now)[0], _month(year, month + count - 1, now)[1]


def _one_day(year: int, month: int, day: int, now: datetime) -> tuple[datetime, datetime]:
    start = datetime(year, month, day, tzinfo=now.tzinfo)
    return start, start + timedelta(days=1)


def _number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[" ".join(word.lower().split())]


def _year_of(match: re.Match[str], now: datetime, month: int, day: int = 1) -> int:
    """Return the year written in the match, else that of the latest such date that has begun."""
    if match["year"]:
        return int(match["year"])
    return now.year - ((month, day) > (now.month, now.day))


def _read_date(match: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    month, day = _MONTHS[match["month"].lower()], int(match["day"])
    return _one_day(_year_of(match, now, month, day), month, day, now)


def _read_month(match: re.Match[str], now: datetime) -> tuple[datetime, datetime] | None:
    name = match["month"]
    # "may" and "march" are verbs too: only with a capital and a preposition or a year.
    if name in ("may", "march", "mar", "sep") and not match["year"]:
        return None
    if name.lower() in ("may", "march") and not (match["lead"] or match["year"]):
        return None
    month = _MONTHS[name.lower()]
    return _month(_year_of(match, now, month), month, now)


def _read_season(match: re.Match[str], now: datetime) -> tuple[datetime, datetime] | None:
    lead = (match["lead"] or "").lower()
    if not match["year"] and lead not in ("last", "this"):
        return None
    month = _SEASONS[match["season"].lower()]
    year = int(match["year"]) if match["year"] else now.year
    if not match["year"] and lead == "last" and _months(year, month, 3, now)[1] > now:
        year -= 1
    return _months(year, month, 3, now)


def _read_numeric(match: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    if match["iso_year"]:
        return _one_day(int(match["iso_year"]), int(match["iso_month"]), int(match["iso_day"]), now)
    month, day = int(match["first"]), int(match["second"])
    if month > _MONTHS_A_YEAR:
        month, day = day, month
    return _one_day(int(match["last"]), month, day, now)


def _read_named_day(match: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    offset = {"today": 0, "tonight": 0, "this morning": 0, "yesterday": -1, "last night": -1}
    start = _day(now) + timedelta(days=offset.get(" ".join(match[0].lower().split()), -2))
    return start, start + timedelta(days=1)


def _read_ago(match: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    count, unit = _number(match["count"]), match["unit"].lower()
    if unit == "month":
        return _month(now.year, now.month - count, now)
    if unit == "year":
        return _months(now.year - count, 1, 12, now)
    middle = _day(now) - timedelta(days=count * _UNIT_DAYS[unit])
    slack = timedelta(days=0 if unit == "day" else 3)
    return middle - slack, middle + slack + timedelta(days=1)


def _read_past(match: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    days = _number(match["count"] or "one") * _UNIT_DAYS[match["unit"].lower()]
    return _tomorrow(now) - timedelta(days=days + 1), _tomorrow(now)


def _read_unit(match: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    back, unit = int(match["lead"].lower() != "this"), match["unit"].lower()
    if unit == "month":
        return _month(now.year, now.month - back, now)
    if unit == "year":
        return _months(now.year - back, 1, 12, now)
    monday = _day(now) - timedelta(days=now.weekday() + 7 * back)
    if unit == "weekend":
        # On a weekend "last weekend" is the one before; on a weekday the latest one.
        return monday + timedelta(days=5), monday + timedelta(days=7)
    return monday, monday + timedelta(days=7)


def _read_weekday(match: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    back = (now.weekday() - _WEEKDAYS[match["weekday"].lower()] - 1) % 7 + 1
    start = _day(now) - timedelta(days=back)
    return start, start + timedelta(days=1)


def _read_year(match: re.Match[str], now: datetime) -> tuple[datetime, datetime]:
    return _months(int(match["year"]), 1, 12, now)


def _rule(pattern: str, read: Reader) -> tuple[re.Pattern[str], Reader]:
    return re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), read


_RULES = (
    _rule(
        rf"(?P<day>\d{{1,2}}){_ORDINAL}\s+(?:of\s+)?(?P<month>{_MONTH})\b\.?(?:,?\s+(?P<year>{_YEAR}))?",
        _read_date,
    ),
    _rule(
        rf"(?P<month>{_MONTH})\b\.?[\s-]+(?:the\s+)?(?P<day>\d{{1,2}}){_ORDINAL}"
        rf"(?:(?:,|-)?\s*(?P<year>{_YEAR}))?",
        _read_date,
    ),
    _rule(
        rf"(?:(?P<lead>in|of|during|since|by|last|this|early|mid|late|before|after|until|from|and|to"
        rf"|between)[\s-]+)?(?P<month>{_MONTH})\b\.?(?:,?\s+(?:of\s+)?(?P<year>{_YEAR}))?",
        _read_month,
    ),
    _rule(
        rf"(?:(?P<lead>last|this)\s+)?(?P<season>{_SEASON})(?:\s+(?:of\s+)?(?P<year>{_YEAR}))?",
        _read_season,
    ),
    _rule(
        r"(?P<iso_year>(?:19|20)\d\d)-(?P<iso_month>\d\d)-(?P<iso_day>\d\d)"
        r"|(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<last>(?:19|20)\d\d)",
        _read_numeric,
    ),
    _rule(
        r"the day before yesterday|yesterday|today|tonight|this morning|last night",
        _read_named_day,
    ),
    _rule(rf"(?P<count>{_NUMBER})\s+(?P<unit>{_UNIT})s?\s+ago", _read_ago),
    _rule(rf"(?:past|last|previous)\s+(?P<count>{_NUMBER})\s+(?P<unit>{_UNIT})s?", _read_past),
    _rule(rf"past(?P<count>)\s+(?P<unit>{_UNIT})", _read_past),
    _rule(rf"(?P<lead>last|previous|this)\s+(?P<unit>{_UNIT}|weekend)", _read_unit),
    _rule(rf"(?:(?:last|on|this past|past)\s+)(?P<weekday>{_WEEKDAY})", _read_weekday),
    _rule(rf"(?P<year>{_YEAR})", _read_year),
)
