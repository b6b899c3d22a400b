"""The contract seen from outside: any engine through `Daybook` and through `AsyncDaybook`.

The tests are written once, in blocking style; for `AsyncDaybook` every call is run on a loop.
Inherit `FacadeContract` with `blocking` set to False and implement ``url``; inherit it again, or
`FacadeUseContract` alone, for `Daybook`, which says nothing of its own about an engine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from daybook.errors import ConflictError, DaybookError, InvalidInputError, NotFoundError
from daybook.model.message import Message
from daybook.testing.facade_odd_data_contract import FacadeOddDataContract
from daybook.testing.facade_use_contract import FacadeUseContract, found_texts
from daybook.testing.fake_clock import FakeClock
from daybook.testing.odd_data import ODD_OBJECTS
from daybook.testing.recall_facade_contract import RecallFacadeContract
from daybook.testing.session_facade_contract import SessionFacadeContract

__all__ = ["FacadeContract"]

_HOUR = timedelta(hours=1)


class FacadeContract(
    FacadeUseContract, FacadeOddDataContract, SessionFacadeContract, RecallFacadeContract
):
    """What a program sees."""

    def test_a_limit_is_the_newest_in_the_order_said(self) -> None:
        """And places stay valid as bounds."""
        with self.opened() as book:
            book.history.append("s", [Message.user(str(n)) for n in range(1, 8)], user_id="alice")
            assert [one.text for one in book.history.list("s", limit=3)] == ["5", "6", "7"]
            assert [one.text for one in book.history.list("s", after=2, before=5)] == ["3", "4"]
            older = book.history.entries("s", before=5, limit=2)
            assert [(one.seq, one.message.text) for one in older] == [(3, "3"), (4, "4")]
            assert book.history.list("none") == []

    def test_times_come_back_aware_and_in_utc(self) -> None:
        """The moment is kept to the microsecond; a naive one is refused."""
        moment = datetime(2023, 5, 7, 9, 8, 7, 654321, tzinfo=timezone(timedelta(hours=-7)))
        naive = moment.replace(tzinfo=None)
        with self.opened() as book:
            book.history.append("s", Message.user("x", created_at=moment), user_id="alice")
            [found] = book.history.list("s")
            assert found.created_at == moment
            assert found.created_at.tzinfo is UTC
            with pytest.raises(InvalidInputError):
                book.history.append("s", Message.user("y", created_at=naive))

    def test_users_are_apart_whatever_their_metadata_says(self) -> None:
        """Look-alikes of the scope in a caller's JSON are data, never an address."""
        lie = ODD_OBJECTS["scope look-alikes"]
        with self.opened() as book:
            book.history.append("s", Message.user("rhubarb", metadata=lie), user_id="alice")
            book.sessions.update("s", metadata=lie)
            book.records.put(("alice",), "k", lie)
            assert book.sessions.get("s").user_id == "alice"
            assert book.sessions.get("s", user_id="bob") is None
            assert book.history.list("s", user_id="bob") == []
            assert book.sessions.list(user_id="bob").items == []
            assert book.recall.search("rhubarb", user_id="bob") == []
            assert book.records.list(("bob",)) == []
            assert book.history.clear("s", user_id="bob") == 0
            assert book.sessions.delete("s", user_id="bob") is False
            with pytest.raises(ConflictError):
                book.history.append("s", Message.user("mine"), user_id="bob")
            with pytest.raises(NotFoundError):
                book.sessions.stats("s", user_id="bob")
            assert len(book.recall.search("rhubarb", user_id="alice")) == 1

    def test_tenants_are_apart_in_one_store(self) -> None:
        """The same names under another tenant are other things."""
        if not (self.persists and self.shares):
            return
        with self.opened(tenant="one") as one, self.opened(tenant="two") as two:
            one.history.append("s", Message.user("rhubarb"), user_id="alice")
            one.records.put(("alice",), "k", {"n": 1})
            assert two.history.list("s") == []
            assert two.recall.search("rhubarb", user_id="alice") == []
            assert two.records.get(("alice",), "k") is None
            two.history.append("s", Message.user("other"), user_id="alice")
            assert two.sessions.delete("s") is True
            assert [each.text for each in one.history.list("s")] == ["rhubarb"]

    def test_an_expired_session_is_gone_everywhere(self) -> None:
        """From lists, history and recall, without a sweep."""
        clock = FakeClock()
        with self.opened(clock=clock) as book:
            book.sessions.create(user_id="alice", session_id="s", ttl=_HOUR)
            book.history.append("s", Message.user("rhubarb"))
            assert found_texts(book, "rhubarb") == {"rhubarb"}
            clock.advance(_HOUR)
            assert book.sessions.get("s") is None
            assert book.history.list("s") == []
            assert found_texts(book, "rhubarb") == set()
            with pytest.raises(NotFoundError):
                book.history.append("s", Message.user("late"))
            assert book.sessions.expire_idle() == 1

    def test_records_live_on_when_renewed(self) -> None:
        """As long as they were given to, from now; as they were else."""
        clock, home = FakeClock(), ("alice",)
        with self.opened(clock=clock) as book:
            book.records.put(home, "ever", {"n": 0})
            old = book.records.put(home, "written", {"n": 1}, ttl=_HOUR)
            book.records.put(home, "written", {"n": 2}, ttl=2 * _HOUR)
            put = book.records.put(home, "renewed", {"n": 3}, ttl=_HOUR)
            clock.advance(_HOUR / 2)
            for _ in range(2):
                found = book.records.get_many([(home, "renewed"), (home, "ever"), (home, "none")])
                assert [one and one.key for one in found] == ["renewed", "ever", None]
                book.records.renew([old, *(one for one in found if one)])
            clock.advance(_HOUR * 0.75)
            after = book.records.get(home, "renewed")
            assert (after.version, after.updated_at) == (1, put.updated_at)
            assert after.expires_at == put.expires_at + _HOUR / 2
            clock.advance(_HOUR * 0.25)
            assert {one.key for one in book.records.list(home)} == {"ever", "written"}
            clock.advance(_HOUR / 2)
            assert {one.key for one in book.records.list(home)} == {"ever"}
            assert book.records.delete_many([(home, "ever"), (home, "none")]) == 1
            assert book.records.delete_many([]) == 0

    def test_records_are_found_by_what_is_searched(self) -> None:
        """All of a value, some paths of it, or nothing; a later write decides anew."""
        value = {"title": "rhubarb", "parts": [{"text": "granite"}, {"text": "marble"}]}
        home = ("alice",)
        with self.opened() as book:
            book.records.put(home, "all", value)
            book.records.put(home, "some", value, searched=["parts[*].text"])
            book.records.put(home, "none", value, searched=False)
            assert _keys(book, "granite") == {"all", "some"}
            assert _best(book, "rhubarb") == "all"
            book.records.put(home, "all", value, searched=False)
            book.records.put(home, "none", value, searched=["title"])
            assert _keys(book, "marble") == {"some", "none"}
            assert _best(book, "rhubarb") == "none"
            with pytest.raises(InvalidInputError):
                book.records.put(home, "bad", value, searched="title")

    def test_errors_show_no_content(self) -> None:
        """What a message or value says never stands in an error."""
        with self.opened() as book:
            book.history.append("s", Message.user("canary-1", id="m"), user_id="alice")
            secret = {"canary-2": ["canary-3", float("nan")]}
            calls: list[Callable[[], Any]] = [
                lambda: book.history.append("s", Message.user("canary-4", id="m")),
                lambda: book.history.append("s", Message.user("canary-5\ud800")),
                lambda: book.records.put(("alice",), "k", {"a": secret["canary-2"]}),
                lambda: book.recall.search("canary-6", user_id="alice", limit=0),
            ]
            for call in calls:
                with pytest.raises(DaybookError) as caught:
                    call()
                assert "canary" not in str(caught.value)


def _keys(book: Any, query: str) -> set[str]:
    return {hit.record.key for hit in book.records.search(("alice",), query=query)}


def _best(book: Any, query: str) -> str:
    return str(book.records.search(("alice",), query=query)[0].record.key)
