from __future__ import annotations

from datetime import UTC, datetime

import pytest

from daybook.recall.text.analysis import Analyzer
from daybook.recall.times.calendar_times import calendar_spans
from daybook.recall.times.event_anchors import (
    Sighting,
    between_window,
    event_windows,
    find_anchor,
    place_event,
)

_NOW = datetime(2024, 5, 15, 14, 30, tzinfo=UTC)
_STEMS = Analyzer().stems


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def phrase_of(question: str) -> str | None:
    anchor = find_anchor(question, calendar_spans(question, _NOW))
    return None if anchor is None else anchor.phrase


@pytest.mark.parametrize(
    ("question", "phrase"),
    [
        ("What did I do the week after the trip?", "the trip"),
        ("After the wedding, where did we go?", "the wedding"),
        ("What did I eat when I was in Rome?", "I was in Rome"),
        ("When I was in Rome, what did I eat?", "I was in Rome"),
        ("What did I wear the day I got the job?", "I got the job"),
        ("Where was I on the day of the accident?", "the accident"),
        ("Where did we live before we moved?", "we moved"),
        ("What have I read since I started the new job?", "I started the new job"),
        ("What happened two days before the exam?", "the exam"),
        ("Who visited us during the renovation?", "the renovation"),
        ("What did I buy the weekend after Anna's birthday?", "Anna's birthday"),
        ("What did Tom say when we met at the airport?", "we met at the airport"),
        ("Where had we stayed before traveling to Chicago?", "traveling to Chicago"),
    ],
)
def test_events_that_date_a_question(question: str, phrase: str) -> None:
    assert phrase_of(question) == phrase


@pytest.mark.parametrize(
    "question",
    [
        "When did I go to the dentist?",
        "Who looked after the dog?",
        "What did I do after work?",
        "How long after the surgery did I run again?",
        "What does she do when she is tired?",
        "What could I do after the exam?",
        "What did I buy after 7 May?",
        "What was I doing before?",
        "Which book was written by the river?",
        "Where do I live?",
        "",
    ],
)
def test_questions_without_an_event(question: str) -> None:
    assert phrase_of(question) is None


@pytest.mark.parametrize(
    ("text", "said", "first"),
    [
        ("We moved today, at last.", "2024-02-20", "2024-02-20"),
        ("We moved last Friday. Nice street!", "2024-02-20", "2024-02-16"),
        ("It rains. On 3 February we moved.", "2024-02-20", "2024-02-03"),
        ("We are moving on Friday!", "2024-02-20", "2024-02-23"),
    ],
)
def test_what_tells_of_an_event_says_when_it_was(text: str, said: str, first: str) -> None:
    placed = place_event("we moved", [Sighting(text, day(said))], _STEMS)
    assert placed is not None
    assert placed[0] == day(first)


@pytest.mark.parametrize(
    "text", ["Have we moved?", "We will be moving soon.", "The dog sleeps.", "We moved in 2019."]
)
def test_what_does_not_tell(text: str) -> None:
    placed = place_event("we moved", [Sighting(text, day("2024-02-20"))], _STEMS)
    assert placed is None or text.endswith("2019.")
    if placed is not None:  # a year says less than the day on which it was said
        assert placed[0] == day("2024-02-20")


def test_the_sighting_with_more_of_the_event_counts() -> None:
    told = [
        Sighting("A trip, what a joy.", day("2024-03-01")),
        Sighting("The trip to Rome was long.", day("2024-04-01")),
    ]
    placed = place_event("the trip to Rome", told, _STEMS)
    assert placed is not None
    assert placed[0] == day("2024-04-01")
    assert place_event("the trip to Rome", told[:1], _STEMS) is None
    assert place_event("the", told, _STEMS) is None


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("What did I buy the week after the trip?", "2024-04-02", "2024-04-09"),
        ("What did I buy the day before the trip?", "2024-03-31", "2024-04-01"),
        ("What did I buy two weeks after the trip?", "2024-04-12", "2024-04-19"),
        ("What did I buy during the trip?", "2024-03-29", "2024-04-05"),
        ("What did I buy after the trip?", "2024-04-02", "2024-05-16"),
        ("What have I bought since the trip?", "2024-04-01", "2024-05-16"),
        ("What had I bought before the trip?", "1970-01-02", "2024-04-01"),
    ],
)
def test_where_the_answer_is(question: str, since: str, until: str) -> None:
    anchor = find_anchor(question, [])
    assert anchor is not None
    windows = event_windows(anchor, day("2024-04-01"), day("2024-04-02"), _NOW)
    assert (windows[0].since, windows[0].until) == (day(since), day(until))
    assert all(window.event and 0 < window.share <= 1 for window in windows)
    assert all(windows[0].since <= w.since < w.until <= windows[0].until for w in windows)


def test_between_two_events() -> None:
    anchor = find_anchor("What did I buy between the trip and when we moved?", [])
    assert anchor is not None
    assert (anchor.phrase, anchor.end_phrase) == ("the trip", "we moved")
    assert anchor.rest.split() == ["What", "did", "I", "buy", "?"]
    trip, move = (day("2024-01-20"), day("2024-01-21")), (day("2024-02-19"), day("2024-02-20"))
    for start, end in ((trip, move), (move, trip)):
        (window,) = between_window(start, end)
        assert (window.since, window.until) == (trip[1], move[0])
    assert between_window(trip, trip) == []
    assert find_anchor("What was the difference between the dog and the cat?", []) is None
