"""The part of `FacadeContract` that goes once through all that a book does, for a second facade.

One facade says what the other says, so with the whole contract kept through one of them, an engine
needs only this through the other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from daybook.errors import ConflictError, InvalidInputError, StoreClosedError
from daybook.model.message import Message
from daybook.testing.facade_opening import FacadeOpening
from daybook.testing.fake_clock import FakeClock
from daybook.testing.odd_data import ODD_OBJECTS, refused_values

__all__ = ["FacadeUseContract", "found_texts"]

_HOUR = timedelta(hours=1)


def found_texts(book: Any, query: str, **rest: Any) -> set[str]:
    """Return the texts that a search among Alice's messages finds."""
    return {hit.message.text for hit in book.recall.search(query, user_id="alice", **rest)}


class FacadeUseContract(FacadeOpening):
    """A book is written to, read, searched, closed and opened again."""

    def test_a_retry_is_harmless_and_a_change_conflicts(self) -> None:
        """The same objects again give the same places; another body under an id is refused."""
        batch = [Message.user("a", id="1"), Message.assistant("b", id="2", metadata={"k": [1]})]
        with self.opened() as book:
            first = book.history.append("s", batch, user_id="alice")
            again = book.history.append("s", batch, user_id="alice")
            assert (first.first_seq, first.last_seq) == (again.first_seq, again.last_seq) == (1, 2)
            assert (first.duplicates, again.duplicates) == (0, 2)
            with pytest.raises(ConflictError):
                book.history.append("s", [Message.user("new"), Message.user("c", id="1")])
            assert [one.text for one in book.history.list("s")] == ["a", "b"]

    def test_recall_follows_every_change(self) -> None:
        """A search right after a write sees it, and after a removal does not."""
        with self.opened() as book:
            book.history.append("s", Message.user("rhubarb pie"), user_id="alice")
            book.history.append("t", Message.user("rhubarb jam"), user_id="alice")
            assert found_texts(book, "rhubarb") == {"rhubarb pie", "rhubarb jam"}
            assert found_texts(book, "rhubarb", session_id="t") == {"rhubarb jam"}
            book.history.clear("t")
            assert found_texts(book, "rhubarb") == {"rhubarb pie"}
            book.history.append("t", Message.user("rhubarb cake"))
            assert found_texts(book, "rhubarb") == {"rhubarb pie", "rhubarb cake"}
            book.sessions.delete("s")
            assert found_texts(book, "rhubarb") == {"rhubarb cake"}

    def test_records_from_outside(self) -> None:
        """Versions, conditions, filters, lives; refused values are refused by one error."""
        clock = FakeClock()
        with self.opened(clock=clock) as book:
            home = ("alice", "prefs")
            for name, value in ODD_OBJECTS.items():
                assert repr(book.records.put(home, name, value).value) == repr(value)
            for value in refused_values().values():
                with pytest.raises(InvalidInputError):
                    book.records.put(home, "bad", {"value": value})
            assert book.records.get(home, "bad") is None
            book.records.put(home, "n", {"n": 1}, expected_version=0)
            with pytest.raises(ConflictError):
                book.records.put(home, "n", {"n": 2}, expected_version=0)
            book.records.put(home, "n", {"n": 2}, ttl=_HOUR)
            [found] = book.records.list(("alice",), filter={"n": {"$gt": 1}})
            assert (found.value, found.version) == ({"n": 2}, 2)
            clock.advance(_HOUR)
            assert book.records.get(home, "n") is None
            assert book.records.delete(home, "empty") is True
            assert book.records.delete(home, "empty") is False

    def test_a_second_open_sees_what_was_stored(self) -> None:
        """History, records and recall; or nothing, if declared so."""
        with self.opened() as book:
            book.history.append("s", Message.user("rhubarb"), user_id="alice")
            book.records.put(("alice",), "k", {"n": 1})
        with self.opened() as book:
            assert len(book.history.list("s")) == int(self.persists)
            assert found_texts(book, "rhubarb") == ({"rhubarb"} if self.persists else set())
            assert (book.records.get(("alice",), "k") is not None) is self.persists

    def test_a_closed_book_refuses_calls(self) -> None:
        """With the store's own error; closing again does nothing."""
        with self.opened() as book:
            book.history.append("s", Message.user("x"), user_id="alice")
            book.close()
            book.close()
            calls: list[Callable[[], Any]] = [
                lambda: book.history.append("s", Message.user("y")),
                lambda: book.history.list("s"),
                lambda: book.sessions.get("s"),
                lambda: book.records.get(("alice",), "k"),
                lambda: book.recall.search("x", user_id="alice"),
            ]
            for call in calls:
                with pytest.raises(StoreClosedError):
                    call()
