"""What a program sees of recall within a token budget, on any engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.model.message import Message

__all__ = ["RecallFacadeContract"]

_DAY = datetime(2024, 5, 1, tzinfo=UTC)
_QUESTION = "When does the ferry to Skye leave?"


class RecallFacadeContract(ABC):
    """`book.recall` with a budget, through either facade."""

    @abstractmethod
    def opened(self, **options: Any) -> AbstractContextManager[Any]:
        """Open a book on the test's engine."""

    def test_recall_within_a_token_budget(self) -> None:
        """Hits and passages keep to it, the best is in, nothing is there twice; reasons add up."""
        with self.opened() as book:
            stored = _told(book)
            best = book.recall.search(_QUESTION, user_id="alice")[0].message.id
            for budget in (1, stored[best], 60, 400):
                _check_hits(book, stored, best, budget)
                _check_passages(book, budget)
            found = book.recall.passages(_QUESTION, user_id="alice")
            assert found.passages[0].session_id == "trip"
            assert [line.seq for line in found.passages[0].lines] == [1, 2, 3, 4]
            assert found.as_text().startswith("[2024-05-01] user: When does the ferry")
            assert book.recall.passages(_QUESTION, user_id="bob").as_text() == ""
            for hit in book.recall.search(_QUESTION, user_id="alice", explain=True):
                assert hit.reasons
                assert abs(sum(one.effect for one in hit.reasons) - hit.score) < 1e-3


def _check_hits(book: Any, stored: dict[str, int], best: str, budget: int) -> None:
    hits = book.recall.search(_QUESTION, user_id="alice", max_tokens=budget)
    ids = [one.id for hit in hits for one in hit.messages]
    tokens = sum(hit.tokens for hit in hits)
    assert tokens == sum(stored[one] for one in ids)
    assert tokens <= budget
    assert len(set(ids)) == len(ids)
    assert (best in ids) == (budget >= stored[best])
    assert budget < sum(stored.values()) or {"1", "2", "3", "4"} <= set(ids)


def _check_passages(book: Any, budget: int) -> None:
    found = book.recall.passages(_QUESTION, user_id="alice", max_tokens=budget)
    count = ApproximateTokenCounter().count_text
    assert count(found.as_text()) == found.tokens <= budget


def _told(book: Any) -> dict[str, int]:
    """Tell a book of a ferry; return the tokens of each message by its id."""
    said = [
        Message.user("When does the ferry to Skye leave?", id="1", created_at=_DAY),
        Message.assistant("At nine.", id="2", created_at=_DAY),
        Message.user("The ferry to Skye was late. " * 20, id="3", created_at=_DAY),
        Message.user("We took the ferry to Skye at ten.", id="4", created_at=_DAY),
    ]
    book.history.append("trip", said, user_id="alice")
    book.history.append("else", Message.user("I bake bread.", id="5"), user_id="alice")
    entries = [*book.history.entries("trip"), *book.history.entries("else")]
    return {entry.message.id: entry.tokens for entry in entries}
