"""`recall.search(max_tokens=…)` and `recall.passages` as a program uses them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import Daybook, Hit, Message, Passage, Recollection
from daybook.errors import InvalidInputError

DAY = datetime(2024, 5, 1, tzinfo=UTC)
QUESTION = "When does the ferry to Skye leave?"


def told(book: Daybook) -> dict[str, int]:
    """Tell of ferries in two sessions, one forked; return the tokens of each message."""
    trip = [
        Message.user("When does the ferry to Skye leave?", name="Mel"),
        Message.user("At nine, from Mallaig.", name="Ann"),
        Message.user("The ferry to Skye takes half an hour, they said.", name="Ann"),
        Message.assistant("Have a good crossing. " * 30),
        Message.user("We missed the ferry to Skye on Monday.", name="Mel"),
    ]
    dated = [
        Message(
            role=one.role,
            content=one.content,
            name=one.name,
            id=f"m{number}",
            created_at=DAY + timedelta(number),
        )
        for number, one in enumerate(trip)
    ]
    book.history.append("trip", dated, user_id="mel")
    book.sessions.fork("trip", at=3, new_session_id="fork")
    book.history.append("bread", Message.user("Rye bread needs a day.", id="b"), user_id="mel")
    entries = [*book.history.entries("trip"), *book.history.entries("bread")]
    return {entry.message.id: entry.tokens for entry in entries}


@pytest.fixture(scope="module")
def ferries() -> Iterator[tuple[Daybook, dict[str, int]]]:
    with Daybook.open("inmemory://", embedder="hash") as book:
        yield book, told(book)


def ids(hits: list[Hit]) -> list[str]:
    return [one.id for hit in hits for one in hit.messages]


@given(budget=st.integers(1, 400), neighbours=st.none() | st.integers(0, 2))
def test_hits_never_pass_the_budget(
    ferries: tuple[Daybook, dict[str, int]], budget: int, neighbours: int | None
) -> None:
    book, stored = ferries
    asked: dict[str, Any] = {"user_id": "mel", "neighbours": neighbours}
    best = book.recall.search(QUESTION, user_id="mel", limit=1)[0].message.id
    hits = book.recall.search(QUESTION, max_tokens=budget, **asked)
    found = ids(hits)
    assert sum(stored[one] for one in found) == sum(hit.tokens for hit in hits) <= budget
    assert len(set(found)) == len(found)
    assert (best in found) == (stored[best] <= budget)
    larger = book.recall.search(QUESTION, max_tokens=budget + 50, **asked)
    assert best not in found or best in ids(larger)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_room_for_all_brings_every_message_once(ferries: tuple[Daybook, dict[str, int]]) -> None:
    """What a fork shares is one message; the limit bounds what is looked at."""
    book, stored = ferries
    asked: dict[str, Any] = {"user_id": "mel", "max_tokens": 10_000}
    assert sorted(ids(book.recall.search(QUESTION, **asked))) == sorted(stored)
    assert len(book.recall.search(QUESTION, limit=2, **asked)) == 2
    [only] = book.recall.search(QUESTION, session_id="bread", **asked)
    assert only.message.id == "b"
    late = book.recall.search(QUESTION, since=DAY + timedelta(4), until=DAY + timedelta(5), **asked)
    assert ids(late) == ["m4"]


def test_a_message_larger_than_the_budget_is_left_out_of_hits_and_cut_in_passages(
    ferries: tuple[Daybook, dict[str, int]],
) -> None:
    book, stored = ferries
    question = "Have a good crossing?"
    assert book.recall.search(question, user_id="mel")[0].message.id == "m3"
    assert stored["m3"] > 60
    assert "m3" not in ids(book.recall.search(question, user_id="mel", max_tokens=60))
    found = book.recall.passages(question, user_id="mel", max_tokens=60)
    [line] = [one for passage in found.passages for one in passage.lines if one.is_cut]
    assert (line.message.id, line.text.endswith("[…]")) == ("m3", True)
    assert found.tokens <= 60


def test_passages_say_who_when_and_where(ferries: tuple[Daybook, dict[str, int]]) -> None:
    book, _ = ferries
    found = book.recall.passages(QUESTION, user_id="mel", session_id="trip", max_tokens=2_000)
    assert isinstance(found, Recollection)
    [passage] = found.passages
    assert isinstance(passage, Passage)
    assert (passage.session_id, passage.said_at) == ("trip", DAY)
    assert found.as_text() == passage.as_text()
    assert passage.as_text().splitlines()[:2] == [
        "[2024-05-01] Mel: When does the ferry to Skye leave?",
        "[2024-05-02] Ann: At nine, from Mallaig.",
    ]
    assert book.recall.passages(QUESTION, user_id="nobody").passages == ()


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "500"])
def test_a_budget_is_a_number_of_tokens(
    ferries: tuple[Daybook, dict[str, int]], value: Any
) -> None:
    book, _ = ferries
    for ask in (book.recall.search, book.recall.passages):
        with pytest.raises(InvalidInputError, match="max_tokens must be an int of 1 or more"):
            ask(QUESTION, user_id="mel", max_tokens=value)
        with pytest.raises(InvalidInputError, match="limit must be an int of 1 or more"):
            ask(QUESTION, user_id="mel", max_tokens=10, limit=value)
    with pytest.raises(InvalidInputError, match="max_tokens must be an int"):
        book.recall.passages(QUESTION, user_id="mel", max_tokens=None)  # type: ignore[arg-type]
