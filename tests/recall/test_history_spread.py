from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.times.calendar_times import calendar_spans
from daybook.recall.times.history_spread import asks_history, spread
from daybook.recall.times.holidays import HOLIDAYS, holiday


@pytest.mark.parametrize(
    "question",
    [
        "How has my weight changed over time?",
        "Give me a timeline of the renovation",
        "What is the history of my knee trouble?",
        "Tell me every time I was in Rome",
        "How did her English improve?",
        "What changes have I made to the garden?",
        "List all the times I saw the doctor",
    ],
)
def test_questions_for_a_history(question: str) -> None:
    assert asks_history(question)


@pytest.mark.parametrize(
    "question",
    [
        "How old is my dog?",
        "What did I learn in history class?",
        "When did we meet?",
        "How are you?",
    ],
)
def test_other_questions(question: str) -> None:
    assert not asks_history(question)


_ANSWERS = st.lists(
    st.tuples(st.floats(-5, 10, allow_nan=False), st.floats(0, 1e9, allow_nan=False)),
    min_size=1,
    max_size=60,
)


@given(_ANSWERS, st.integers(1, 20))
def test_the_best_half_is_given_and_order_kept(
    answers: list[tuple[float, float]], limit: int
) -> None:
    scores = sorted((score for score, _ in answers), reverse=True)
    places = spread(scores, [moment for _, moment in answers], limit)
    assert len(places) == min(limit, len(scores))
    assert places == sorted(set(places))
    assert set(range(min(len(scores), max(1, limit // 2)))) <= set(places)


def test_periods_are_covered() -> None:
    scores = [5.0 - place / 10 for place in range(20)]
    burst = [100.0 + place for place in range(16)]
    moments = [*burst, 1_000.0, 2_000.0, 3_000.0, 4_000.0]
    assert spread(scores, moments, 8) == [0, 1, 2, 3, 16, 17, 18, 19]
    assert spread(scores, [7.0] * 20, 8) == list(range(8))
    far_below = [*scores[:16], -9.0, -9.1, -9.2, -9.3]
    assert max(spread(far_below, moments, 8)) < 16


# Easter Sunday as almanacs print it.
@pytest.mark.parametrize(
    "sunday",
    [
        "1954-04-18",
        "1981-04-19",
        "2008-03-23",
        "2019-04-21",
        "2024-03-31",
        "2038-04-25",
        "2049-04-18",
    ],
)
def test_easter(sunday: str) -> None:
    first, days = holiday("easter", int(sunday[:4]))
    assert first + timedelta(days=2) == date.fromisoformat(sunday)
    assert days == 4


@given(st.sampled_from(HOLIDAYS), st.integers(1900, 2200))
def test_holidays_fall_in_their_year(name: str, year: int) -> None:
    first, days = holiday(name, year)
    assert first.year == year
    assert days >= 1
    if name == "thanksgiving":
        assert (first.month, first.weekday()) == (11, 3)
        assert 22 <= first.day <= 28


@pytest.mark.parametrize("name", HOLIDAYS)
def test_every_holiday_is_found_in_a_text(name: str) -> None:
    (span,) = calendar_spans(f"We met on {name}.", datetime(2024, 5, 15, tzinfo=UTC))
    first, days = holiday(name, span.since.year)
    assert span.since.date() == first
    assert (span.until - span.since).days == days
