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

    def test_recall_fills_a_token_budget(self) -> None:
        """The counts of the log are kept to, the best is in, nothing is there twice."""
        with self.opened() as book:
            stored = _told(book)
            best = book.recall.search(_QUESTION, user_id="alice")[0].message.id
            for budget in (1, stored[best], 60, 400):
                hits = book.recall.search(_QUESTION, user_id="alice", max_tokens=budget)
                ids = [one.id for hit in hits for one in hit.messages]
                tokens = sum(hit.tokens for hit in hits)
                assert tokens == sum(stored[one] for one in ids)
                assert tokens <= budget
                assert len(set(ids)) == len(ids)
                assert (best in ids) == (budget >= stored[best])
                assert budget < sum(stored.values()) or {"1", "2", "3", "4"} <= set(ids)

    def test_recall_makes_passages_within_a_budget(self) -> None:
        """The text of all passages keeps to it; messages that stand together stay together."""
        count = ApproximateTokenCounter().count_text
        with self.opened() as book:
            _told(book)
            for budget in (1, 40, 400):
                found = book.recall.passages(_QUESTION, user_id="alice", max_tokens=budget)
                assert count(found.as_text()) == found.tokens <= budget
            found = book.recall.passages(_QUESTION, user_id="alice")
            assert found.passages[0].session_id == "trip"
            assert [line.seq for line in found.passages[0].lines] == [1, 2, 3, 4]
            assert found.as_text().startswith("[2024-05-01] user: When does the ferry")
            assert book.recall.passages(_QUESTION, user_id="bob").as_text() == ""

    def test_recall_gives_its_reasons(self) -> None:
        """Only where they are asked for, and they add up to the score."""
        with self.opened() as book:
            _told(book)
            hits = book.recall.search(_QUESTION, user_id="alice", explain=True)
            assert hits
            for hit in hits:
                assert abs(sum(one.effect for one in hit.reasons) - hit.score) < 1e-3
            assert not book.recall.search(_QUESTION, user_id="alice")[0].reasons


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
