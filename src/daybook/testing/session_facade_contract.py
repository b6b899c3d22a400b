"""What a program sees of sessions: views, names, forks, sharing, exports; on any engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from daybook.errors import AccessDeniedError, ConflictError, InvalidInputError, NotFoundError
from daybook.model.message import Message, ToolCall
from daybook.testing.fake_clock import FakeClock

__all__ = ["SessionFacadeContract"]

_HOUR = timedelta(hours=1)


def _said(*texts: str) -> list[Message]:
    return [Message.user(text, id=text) for text in texts]


def _texts(messages: list[Message]) -> list[str]:
    return [message.text for message in messages]


class SessionFacadeContract(ABC):
    """`book.sessions`, through either facade."""

    @abstractmethod
    def opened(self, **options: Any) -> AbstractContextManager[Any]:
        """Open a book on the test's engine."""

    def test_a_conversation_is_found_by_its_owners_name_for_it(self) -> None:
        """The same two names make the same session, other users' are others'."""
        with self.opened(background=False) as book:
            made = book.sessions.create(user_id="alice", conversation_id="support/1")
            assert made.conversation_id == "support/1"
            assert book.sessions.get(user_id="alice", conversation_id="support/1") == made
            assert book.sessions.get(user_id="bob", conversation_id="support/1") is None
            name = book.sessions.id_of(user_id="bob", conversation_id="support/1")
            book.history.append(name, _said("a"), user_id="bob")
            assert name != made.id
            assert book.sessions.get(user_id="bob", conversation_id="support/1").id == name
            with pytest.raises(ConflictError):
                book.sessions.create(user_id="alice", conversation_id="support/1")
            with pytest.raises(InvalidInputError):
                book.sessions.get(conversation_id="support/1")

    def test_a_view_hides_and_never_parts_a_tool_pair(self) -> None:
        """Results go out of view with their call; exports and `hidden=True` show everything."""
        calls = (ToolCall("c1", "f", {}), ToolCall("c2", "f", {}))
        said = [
            Message.user("q"),
            Message.assistant("", tool_calls=calls),
            Message.tool("one", tool_call_id="c1"),
            Message.user("hurry"),
            Message.tool("two", tool_call_id="c2"),
            Message.assistant("done"),
        ]
        shown = {1: ["done"], 2: ["done"], 3: ["hurry", "done"], 4: ["hurry", "done"]}
        with self.opened(background=False) as book:
            for most in range(1, 8):
                name = f"s{most}"
                book.sessions.create(user_id="alice", session_id=name, max_messages=most)
                book.history.append(name, said)
                wanted = shown.get(most, ["", "one", "hurry", "two", "done"][-most:])
                wanted = ["q", *wanted] if most > 5 else wanted
                assert _texts(book.history.list(name)) == wanted, most
                assert _texts(book.history.list(name, limit=1)) == ["done"]
                assert len(book.history.list(name, hidden=True)) == 6
                assert book.sessions.stats(name).message_count == 6
            book.sessions.update("s1", max_messages=None)
            assert len(book.history.list("s1")) == 6

    def test_touching_prolongs_a_life(self) -> None:
        """As an append does."""
        clock = FakeClock()
        with self.opened(clock=clock, background=False) as book:
            book.sessions.create(user_id="alice", session_id="s", ttl=_HOUR)
            for _ in range(3):
                clock.advance(_HOUR - timedelta(seconds=1))
                assert book.sessions.touch("s").expires_at == clock.now() + _HOUR
            clock.advance(_HOUR)
            with pytest.raises(NotFoundError):
                book.sessions.touch("s")

    def test_branches_make_a_tree(self) -> None:
        """Forks of forks, the tree from any of them, also after one in the middle is gone."""
        with self.opened(background=False) as book:
            book.sessions.create(user_id="alice", session_id="root")
            book.history.append("root", _said("a", "b", "c"))
            book.sessions.fork("root", at=2, new_session_id="left")
            book.history.append("left", _said("x"))
            book.sessions.fork("left", new_session_id="deep")
            book.sessions.fork("root", at=1, new_session_id="right")
            book.sessions.create(user_id="alice", session_id="apart")
            tree = book.sessions.branches("deep")
            shape = [(depth, one.session_id, one.forked_at) for depth, one in tree.walk()]
            assert sorted(shape) == sorted(
                [(0, "root", None), (1, "left", 2), (2, "deep", 3), (1, "right", 1)]
            )
            assert _texts(book.history.list("deep")) == ["a", "b", "x"]
            book.sessions.delete("left")
            gone = {one.session_id: one.session for _, one in book.sessions.branches("root").walk()}
            assert gone["left"] is None
            assert gone["deep"] is not None
            assert _texts(book.history.list("deep")) == ["a", "b", "x"]

    def test_branches_differ_and_merge(self) -> None:
        """A diff is what each holds alone; a merge adds it once."""
        with self.opened(background=False) as book:
            book.sessions.create(user_id="alice", session_id="root")
            book.history.append("root", _said("a", "b"))
            book.sessions.fork("root", new_session_id="fork")
            book.history.append("root", _said("mine"))
            book.history.append("fork", _said("x", "y"))
            apart = book.sessions.diff("root", "fork", user_id="alice")
            assert apart.shared_seq == 2
            assert [entry.message.text for entry in apart.ours] == ["mine"]
            assert [(entry.seq, entry.message.text) for entry in apart.theirs] == [
                (3, "x"),
                (4, "y"),
            ]
            receipt = book.sessions.merge("fork", into="root", user_id="alice")
            assert (receipt.first_seq, receipt.last_seq, receipt.duplicates) == (4, 5, 0)
            assert book.sessions.merge("fork", into="root") is None
            assert _texts(book.history.list("root")) == ["a", "b", "mine", "x", "y"]
            book.sessions.create(user_id="alice", session_id="apart")
            with pytest.raises(InvalidInputError):
                book.sessions.diff("root", "apart")

    def test_a_reader_reads_and_a_writer_writes(self) -> None:
        """And neither may do more; a stranger learns nothing."""
        with self.opened(background=False) as book:
            book.sessions.create(user_id="alice", session_id="s", title="plans")
            book.history.append("s", _said("a", "b"))
            assert book.sessions.get("s", user_id="bob") is None
            book.sessions.share("s", "bob", user_id="alice")
            assert _texts(book.history.list("s", user_id="bob")) == ["a", "b"]
            assert book.sessions.get("s", user_id="bob").title == "plans"
            assert book.sessions.stats("s", user_id="bob").message_count == 2
            assert [one.id for one in book.sessions.shared_with("bob")] == ["s"]
            with pytest.raises(AccessDeniedError):
                book.history.append("s", _said("c"), user_id="bob")
            book.sessions.share("s", "bob", role="writer", user_id="alice")
            assert book.history.append("s", _said("c"), user_id="bob").last_seq == 3
            forbidden: list[Callable[[], Any]] = [
                lambda: book.sessions.update("s", user_id="bob", title="mine"),
                lambda: book.sessions.share("s", "eve", user_id="bob"),
                lambda: book.sessions.revoke("s", "bob", user_id="bob"),
                lambda: book.sessions.grants("s", user_id="bob"),
                lambda: book.sessions.export("s", user_id="eve"),
                lambda: book.sessions.fork("s", user_id="eve"),
            ]
            for call in forbidden:
                with pytest.raises(NotFoundError):
                    call()
            assert book.sessions.delete("s", user_id="bob") is False
            assert book.history.clear("s", user_id="bob") == 0
            assert book.history.list("s", user_id="eve") == []
            assert _texts(book.history.list("s", user_id="alice")) == ["a", "b", "c"]

    def test_a_revoked_or_ended_grant_holds_no_more(self) -> None:
        """From the next call on; the user's own forks stay theirs."""
        clock = FakeClock()
        with self.opened(clock=clock, background=False) as book:
            book.sessions.create(user_id="alice", session_id="s")
            book.history.append("s", _said("a"))
            book.sessions.share("s", "bob", role="writer")
            copy = book.sessions.fork("s", user_id="bob")
            assert copy.user_id == "bob"
            assert book.sessions.revoke("s", "bob", user_id="alice") is True
            assert book.sessions.revoke("s", "bob", user_id="alice") is False
            assert book.history.list("s", user_id="bob") == []
            with pytest.raises(ConflictError):
                book.history.append("s", _said("b"), user_id="bob")
            assert book.sessions.shared_with("bob") == []
            book.sessions.delete("s")
            assert _texts(book.history.list(copy.id, user_id="bob")) == ["a"]
            book.sessions.create(user_id="alice", session_id="t")
            book.history.append("t", _said("a"))
            book.sessions.share("t", "bob", expires_at=clock.now() + _HOUR)
            clock.advance(_HOUR)
            assert book.history.list("t", user_id="bob") == []
            assert book.sessions.grants("t") == []
            assert book.sessions.shared_with("bob") == []
            for wrong in ({"role": "owner"}, {"expires_at": clock.now()}):
                with pytest.raises(InvalidInputError):
                    book.sessions.share("t", "bob", **wrong)

    def test_an_export_comes_back_byte_for_byte(self) -> None:
        """Numbers, times, view, grants, ancestry; also after a clear, and a second time."""
        clock = FakeClock()
        with self.opened(clock=clock, background=False, tenant="here") as book:
            book.sessions.create(
                user_id="alice",
                session_id="s",
                title="Grüße",
                metadata={"n": 2**63, "x": [None, 0.1]},
                ttl=_HOUR,
                max_messages=2,
            )
            book.history.append("s", _said("old"))
            book.history.clear("s")
            clock.advance(timedelta(minutes=1, microseconds=1))
            book.history.append("s", _said("a", "b\x00", "c"))
            book.sessions.share("s", "bob", role="writer")
            book.sessions.fork("s", at=3, new_session_id="f", ttl=2 * _HOUR)
            book.history.append("f", _said("x"))
            exports = {name: book.sessions.export(name) for name in ("s", "f")}
        clock.advance(timedelta(minutes=5))
        with self.opened(clock=clock, background=False, tenant="there") as other:
            for name, text in exports.items():
                for _ in range(2):
                    other.sessions.import_(text)
                    assert other.sessions.export(name) == text
            entries = other.history.entries("s", hidden=True)
            assert [entry.seq for entry in entries] == [2, 3, 4]
            assert other.history.append("s", _said("d")).first_seq == 5
            other.sessions.import_(exports["s"])
            assert len(other.history.list("s", hidden=True)) == 4
            for wrong in ("", "{}", exports["s"].replace('"version":1', '"version":9'), "[1]"):
                with pytest.raises(InvalidInputError):
                    other.sessions.import_(wrong)

    def test_a_page_for_people_holds_text_only(self) -> None:
        """Nothing that was said becomes markup."""
        with self.opened(background=False) as book:
            book.sessions.create(user_id="alice", session_id="s", title="<b>t</b>")
            book.history.append("s", _said("<script>alert(1)</script>"))
            page = book.sessions.export("s", format="html")
            assert "<script" not in page
            assert "&lt;script&gt;" in page
            assert "script" in book.sessions.export("s", format="markdown")
            with pytest.raises(InvalidInputError):
                book.sessions.export("s", format="pdf")

    def test_a_fork_is_found_once(self) -> None:
        """What a fork shares is not found twice; what it adds is found in it."""
        with self.opened() as book:
            book.sessions.create(user_id="alice", session_id="s")
            book.history.append("s", [Message.user("the zebra sleeps", id="z")])
            book.sessions.fork("s", new_session_id="f")
            book.history.append("f", [Message.user("the heron wakes", id="h")])
            zebras = book.recall.search("zebra", user_id="alice", neighbours=0)
            assert [hit.message.id for hit in zebras].count("z") == 1
            herons = book.recall.search("heron", user_id="alice")
            assert herons[0].session_id == "f"
            book.sessions.delete("s")
            zebras = book.recall.search("zebra", user_id="alice")
            assert zebras[0].session_id == "f"
