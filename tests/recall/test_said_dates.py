from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.times.calendar_times import Lean, calendar_spans
from daybook.recall.times.said_dates import said_dates, said_share, sentences
from daybook.recall.times.time_expressions import TimeWindow, time_windows

# A Monday.
_SAID_AT = datetime(2023, 5, 8, 18, tzinfo=UTC)
_DAY = timedelta(days=1)


def window(day: str, days: int = 1) -> TimeWindow:
    since = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return TimeWindow(since, since + days * _DAY)


def said(text: str) -> list[str]:
    return [date.since.date().isoformat() for date in said_dates(text, _SAID_AT)]


@pytest.mark.parametrize(
    ("text", "first_days"),
    [
        ("We went there last Friday.", ["2023-05-05"]),
        ("I met her on 7 May.", ["2023-05-07"]),
        ("We went to the lake on Friday.", ["2023-05-05"]),
        ("We will go to the lake on Friday.", ["2023-05-12"]),
        ("The exam is next Friday. I went out yesterday!", ["2023-05-12", "2023-05-07"]),
        ("We got married in June.", ["2022-06-01"]),
        ("We are going to get married in June.", ["2023-06-01"]),
        ("The concert: in April, as ever", ["2023-04-01"]),
        ("The fair: in June, as ever", ["2023-06-01"]),
        ("In two weeks I turn forty.", ["2023-05-19"]),
        ("At Christmas we were in Wales.", ["2022-12-24"]),
        ("For Christmas we'll be home, and at Christmas we'll sing.", ["2023-12-24"]),
        ("I live by the sea and may march.", []),
    ],
)
def test_dates_count_from_when_they_were_said(text: str, first_days: list[str]) -> None:
    assert said(text) == first_days


def test_a_full_stop_inside_a_number_ends_no_sentence() -> None:
    texts = [one.text for one in sentences("Version 2.3 is out. Is it? Yes!\nFine")]
    assert texts == ["Version 2.3 is out.", "Is it?", "Yes!", "Fine"]


@pytest.mark.parametrize(
    ("text", "day", "days", "share"),
    [
        ("I met her last Friday.", "2023-05-05", 1, 1.0),
        ("I met her last Friday.", "2023-05-06", 1, 0.0),
        ("I met her two weeks ago.", "2023-04-24", 1, 0.75),
        ("I met her in April.", "2023-04-03", 1, 0.3),
        ("I met her in April.", "2023-03-20", 60, 1.0),
        ("I met her in 2022.", "2022-04-03", 1, 0.0),
        ("I met her last Friday.", "2022-01-01", 700, 0.0),
        ("I met her.", "2023-05-08", 1, 0.0),
    ],
)
def test_how_well_a_date_said_matches(text: str, day: str, days: int, share: float) -> None:
    dates = said_dates(text, _SAID_AT)
    assert said_share([window(day, days)], dates) == pytest.approx(share)


_ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
_NOWS = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - Hypothesis takes bounds without a zone
    datetime(2060, 1, 1),  # noqa: DTZ001
)


@given(_NOWS, _ZONES, st.integers(1, 60))
def test_days_ago_is_that_day_in_any_zone(now: datetime, zone: str, count: int) -> None:
    there = now.replace(tzinfo=ZoneInfo(zone))
    (found,) = time_windows(f"What happened {count} days ago?", there)
    assert found.since.date() == (now - count * _DAY).date()
    assert found.until.date() == (now - (count - 1) * _DAY).date()
    assert (found.since.hour, found.until.hour) == (0, 0)


@given(_NOWS, _ZONES, st.integers(1, 11), st.sampled_from(["week", "month", "year"]))
def test_units_ago_hold_that_place(now: datetime, zone: str, count: int, unit: str) -> None:
    there = now.replace(tzinfo=ZoneInfo(zone))
    (found,) = time_windows(f"{count} {unit}s ago", there)
    if unit == "week":
        assert found.since.date() <= (now - 7 * count * _DAY).date() < found.until.date()
    else:
        months = count if unit == "month" else 12 * count
        place = now.year * 12 + now.month - 1 - months
        assert found.since.year * 12 + found.since.month - 1 <= place
        assert place < found.until.year * 12 + found.until.month - 1


@given(
    _NOWS,
    st.sampled_from(
        ["last week", "this month", "next Friday", "on Monday", "at Easter", "in March", "tomorrow"]
    ),
    st.sampled_from(("past", "near", "future")),
)
def test_a_span_begins_before_it_ends_and_stands_where_its_words_do(
    now: datetime, words: str, lean: Lean
) -> None:
    text = f"We met {words}, I think."
    (span,) = calendar_spans(text, now.replace(tzinfo=UTC), lean=lean)
    assert span.since < span.until
    assert text[span.start : span.end] in words
    assert abs(span.since - now.replace(tzinfo=UTC)) < timedelta(days=740)


@given(_NOWS, st.integers(1, 12), st.integers(1, 28))
def test_a_date_without_a_year_leans_as_told(now: datetime, month: int, day: int) -> None:
    moment = now.replace(tzinfo=UTC)
    text = f"on {day} {datetime(2000, month, 1, tzinfo=UTC):%B}"
    leans: tuple[Lean, ...] = ("past", "near", "future")
    found = {lean: calendar_spans(text, moment, lean=lean)[0].since for lean in leans}
    today = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    assert found["past"] <= moment < found["past"] + timedelta(days=367)
    assert found["future"] >= today
    assert found["near"] in (found["past"], found["future"])
    assert abs(found["near"] - moment) <= timedelta(days=185)
