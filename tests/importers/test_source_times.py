from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from daybook.errors import InvalidInputError
from daybook.importers.source_times import parse_time

MOMENT = datetime(2024, 5, 1, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2024-05-01T10:00:00Z",
        "2024-05-01T12:00:00+02:00",
        "2024-05-01T10:00:00",
        "2024-05-01 10:00",
        " 2024-05-01T10:00:00.000000Z ",
        1714557600,
        1714557600.0,
        1714557600000,
        1714557600000000,
        "1714557600",
        "1714557600.0",
        "10:00 am on 1 May, 2024",
    ],
    ids=repr,
)
def test_all_spellings_of_a_moment_are_the_same_moment(value: Any) -> None:
    assert parse_time(value) == MOMENT


def test_noon_and_midnight() -> None:
    assert parse_time("12:05 am on 1 May, 2024") == MOMENT.replace(hour=0, minute=5)
    assert parse_time("12:05 pm on 1 May, 2024") == MOMENT.replace(hour=12, minute=5)


@pytest.mark.parametrize("value", [None, ""])
def test_no_time_is_none(value: Any) -> None:
    assert parse_time(value) is None


@pytest.mark.parametrize(
    "value",
    ["yesterday", "2024-13-01", "1:00 pm on 31 Foo, 2024", True, [], {}, float("nan"), -1e300],
)
def test_what_is_no_time_is_refused_without_being_quoted(value: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse_time(value)
    assert str(value) not in str(caught.value) or isinstance(value, bool)
