from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.times.time_expressions import time_windows

# A Wednesday.
_NOW = datetime(2024, 5, 15, 14, 30, tzinfo=UTC)


def days(text: str, now: datetime = _NOW) -> list[tuple[str, str]]:
    return [
        (one.since.date().isoformat(), one.until.date().isoformat())
        for one in time_windows(text, now)
    ]


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("on 7 May 2023", "2023-05-07", "2023-05-08"),
        ("on the 7th of May, 2023", "2023-05-07", "2023-05-08"),
        ("on May 7th, 2023", "2023-05-07", "2023-05-08"),
        ("on Sept. 3 2022", "2022-09-03", "2022-09-04"),
        ("on 7 May", "2024-05-07", "2024-05-08"),
        ("on 7 June", "2023-06-07", "2023-06-08"),
        ("on 2023-12-31", "2023-12-31", "2024-01-01"),
        ("on 3/21/2024", "2024-03-21", "2024-03-22"),
        ("on 21/3/2024", "2024-03-21", "2024-03-22"),
        ("March-15-2024", "2024-03-15", "2024-03-16"),
        ("in May 2023", "2023-05-01", "2023-06-01"),
        ("in May", "2024-05-01", "2024-06-01"),
        ("in December", "2023-12-01", "2024-01-01"),
        ("last August", "2023-08-01", "2023-09-01"),
        ("early February 2021", "2021-02-01", "2021-03-01"),
        ("in 2021", "2021-01-01", "2022-01-01"),
        ("the summer of 2022", "2022-06-01", "2022-09-01"),
        ("winter 2022", "2022-12-01", "2023-03-01"),
        ("last summer", "2023-06-01", "2023-09-01"),
        ("last spring", "2023-03-01", "2023-06-01"),
        ("this spring", "2024-03-01", "2024-06-01"),
        ("today", "2024-05-15", "2024-05-16"),
        ("yesterday", "2024-05-14", "2024-05-15"),
        ("last night", "2024-05-14", "2024-05-15"),
        ("the day before yesterday", "2024-05-13", "2024-05-14"),
        ("this week", "2024-05-13", "2024-05-20"),
        ("last week", "2024-05-06", "2024-05-13"),
        ("last weekend", "2024-05-11", "2024-05-13"),
        ("last month", "2024-04-01", "2024-05-01"),
        ("previous year", "2023-01-01", "2024-01-01"),
        ("last Friday", "2024-05-10", "2024-05-11"),
        ("last Wednesday", "2024-05-08", "2024-05-09"),
        ("on Monday", "2024-05-13", "2024-05-14"),
        ("3 days ago", "2024-05-12", "2024-05-13"),
        ("two weeks ago", "2024-04-28", "2024-05-05"),
        ("a month ago", "2024-04-01", "2024-05-01"),
        ("six months ago", "2023-11-01", "2023-12-01"),
        ("two years ago", "2022-01-01", "2023-01-01"),
        ("a couple of days ago", "2024-05-13", "2024-05-14"),
        ("in the past 10 days", "2024-05-05", "2024-05-16"),
        ("over the past month", "2024-04-15", "2024-05-16"),
        ("last May", "2023-05-01", "2023-06-01"),
        ("next month", "2024-06-01", "2024-07-01"),
        ("next March", "2025-03-01", "2025-04-01"),
        ("tomorrow", "2024-05-16", "2024-05-17"),
        ("the day after tomorrow", "2024-05-17", "2024-05-18"),
        ("next Friday", "2024-05-17", "2024-05-18"),
        ("in two weeks", "2024-05-26", "2024-06-02"),
        ("at the beginning of May 2023", "2023-05-01", "2023-05-11"),
        ("at the end of March", "2024-03-22", "2024-04-01"),
        ("at Christmas", "2023-12-24", "2023-12-27"),
        ("at Easter", "2024-03-29", "2024-04-02"),
        ("on Thanksgiving 2022", "2022-11-24", "2022-11-28"),
        ("two weeks before August 11, 2023", "2023-07-25", "2023-08-01"),
        ("a month after 3 March 2024", "2024-03-23", "2024-04-13"),
        ("three days after 7 May 2023", "2023-05-10", "2023-05-11"),
        ("around 7 May 2023", "2023-05-04", "2023-05-11"),
    ],
)
def test_one_expression(text: str, since: str, until: str) -> None:
    assert days(f"What did we do {text}?") == [(since, until)]
    assert not time_windows(text, _NOW)[0].strict


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("between March and May 2023", "2023-03-01", "2023-06-01"),
        ("between March 2022 and May 2023", "2022-03-01", "2023-06-01"),
        ("from 3 March 2023 to 10 March 2023", "2023-03-03", "2023-03-11"),
        ("between November and February 2023", "2022-11-01", "2023-03-01"),
        ("since March 2023", "2023-03-01", "2024-05-16"),
        ("after 7 May 2023", "2023-05-08", "2024-05-16"),
        ("before 7 May 2023", "1970-01-02", "2023-05-07"),
        ("before Christmas", "1970-01-02", "2023-12-24"),
        ("since last week", "2024-05-06", "2024-05-16"),
        ("since Easter", "2024-03-29", "2024-05-16"),
        ("by June 2023", "1970-01-02", "2023-07-01"),
        ("until last month", "1970-01-02", "2024-04-01"),
        ("following 7 May 2023", "2023-05-08", "2024-05-16"),
        ("leading up to 7 May 2023", "1970-01-02", "2023-05-07"),
        ("from 3 to 10 March 2023", "2023-03-03", "2023-03-11"),
        ("between 3 and 10 March 2023", "2023-03-03", "2023-03-11"),
        ("between last month and yesterday", "2024-04-01", "2024-05-15"),
        ("the week after 7 May 2023", "2023-05-08", "2023-05-15"),
        ("the day before 7 May 2023", "2023-05-06", "2023-05-07"),
        ("the week before August 3, 2023", "2023-07-27", "2023-08-03"),
        ("on the Sunday before October 25, 2022", "2022-10-23", "2022-10-24"),
        ("the weekend after 7 May 2024", "2024-05-11", "2024-05-13"),
        ("the month after Christmas", "2023-12-27", "2024-01-26"),
    ],
)
def test_bounds_are_strict(text: str, since: str, until: str) -> None:
    assert days(f"What changed {text}?") == [(since, until)]
    assert time_windows(text, _NOW)[0].strict


@pytest.mark.parametrize(
    "text",
    [
        "What may happen when they march?",
        "May I ask something?",
        "How did the fall from the ladder go?",
        "Room 2300 and 12 apples",
        "the next spring in the mattress",
        "the Christmas tree",
        "What do we eat at Christmas?",
        "",
    ],
)
def test_no_expression(text: str) -> None:
    assert days(text) == []


def test_several_expressions_in_order() -> None:
    found = days("How long between 3 March 2024, when it rained, and 5 April 2024?")
    assert found == [("2024-03-03", "2024-03-04"), ("2024-04-05", "2024-04-06")]


def test_days_begin_where_now_is() -> None:
    east = timezone(timedelta(hours=9))
    window = time_windows("yesterday", datetime(2024, 1, 1, 3, tzinfo=east))[0]
    assert window.since == datetime(2023, 12, 31, tzinfo=east)


@given(st.text(alphabet="0123456789 /-maylstgonkdr", max_size=40), st.datetimes())
def test_any_text_gives_ordered_spans(text: str, now: datetime) -> None:
    for window in time_windows(text, now.replace(tzinfo=UTC)):
        assert window.since <= window.until or window.strict
