"""Odd data through the facade: it comes back equal, or one typed error refuses it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daybook.errors import InvalidInputError
from daybook.model.codec import MAX_MESSAGE_BYTES
from daybook.model.entry import NewEntry
from daybook.model.message import Message
from daybook.model.scope import DEFAULT_TENANT, Scope
from daybook.registry import open_engine
from daybook.testing.facade_opening import FacadeOpening
from daybook.testing.fake_clock import FakeClock
from daybook.testing.odd_data import (
    ODD_OBJECTS,
    ODD_TEXTS,
    refused_ids,
    refused_messages,
    refused_values,
    stored_messages,
)

__all__ = ["FacadeOddDataContract"]

_TEXTS = st.text(st.characters(), max_size=12)  # lone surrogates included
_NUMBERS = st.integers(-(2**70), 2**70) | st.floats()
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_OBJECTS = st.dictionaries(_TEXTS, _VALUES, max_size=3)
_LONGEST_TITLE = 1000
_JUNK = (b"", b"\xff\x00", b"null", b'{"v":1', b'{"v":9,"id":"x"}')


class FacadeOddDataContract(FacadeOpening):
    """Messages, sessions and records with everything in them that ever broke a store."""

    def test_odd_messages_come_back_equal(self) -> None:
        """Every message of the corpus, one session each."""
        with self.opened(background=False) as book:
            for name, message in stored_messages().items():
                book.history.append(name, message, user_id="alice")
                [found] = book.history.list(name)
                assert found.content == message.content, name
                assert repr(found.metadata) == repr(message.metadata), name
                assert (found.id, found.created_at) == (message.id, FakeClock().now())

    def test_refused_messages_store_nothing(self) -> None:
        """One typed error, before any engine; a good message in the batch is not stored either."""
        with self.opened() as book:
            for name, message in refused_messages().items():
                with pytest.raises(InvalidInputError):
                    book.history.append("s", [Message.user("good"), message], user_id="alice")
                assert book.sessions.get("s") is None, name

    def test_what_can_name_nothing_is_refused(self) -> None:
        """As session, user or key; nothing is stored."""
        with self.opened() as book:
            for wrong in refused_ids().values():
                with pytest.raises(InvalidInputError):
                    book.history.append(wrong, Message.user("x"), user_id="alice")
                if wrong is not None:
                    with pytest.raises(InvalidInputError):
                        book.history.append("s", Message.user("x"), user_id=wrong)
                with pytest.raises(InvalidInputError):
                    book.records.put(("alice",), wrong, {})
            assert book.sessions.list().items == []

    def test_odd_session_facts_come_back_equal(self) -> None:
        """Titles and metadata, at creation and after a change; refused ones leave no session."""
        titles = [one for one in ODD_TEXTS.values() if len(one) <= _LONGEST_TITLE]
        with self.opened(background=False) as book:
            for number, (name, value) in enumerate(ODD_OBJECTS.items()):
                title = titles[number % len(titles)]
                if self._too_large(value):
                    with pytest.raises(InvalidInputError):
                        book.sessions.create(user_id="alice", session_id=name, metadata=value)
                    assert book.sessions.get(name) is None, name
                    continue
                made = book.sessions.create(
                    user_id="alice", session_id=name, title=title, metadata=value
                )
                found = book.sessions.get(name)
                assert found == made, name
                assert (found.title, repr(found.metadata)) == (title, repr(value)), name
                changed = book.sessions.update(name, title=None, metadata={**value, "more": 1})
                assert repr(changed.metadata) == repr({**value, "more": 1}), name
            for name, wrong in refused_values().items():
                with pytest.raises(InvalidInputError):
                    book.sessions.create(
                        user_id="alice", session_id="bad", metadata={"value": wrong}
                    )
                assert book.sessions.get("bad") is None, name

    def _too_large(self, metadata: dict[str, Any]) -> bool:
        """Tell whether the engine must refuse a session's metadata."""
        return self.largest_metadata is not None and len(repr(metadata)) > self.largest_metadata

    def test_a_message_of_the_largest_size_is_stored(self) -> None:
        """And one byte more is refused."""
        with self.opened(background=False, embedder=None) as book:
            rest = len(Message.user("", id="m").id) + 200
            message = Message.user("x" * (MAX_MESSAGE_BYTES - rest), id="m")
            book.history.append("s", message, user_id="alice")
            assert book.history.list("s")[0].text == message.text
            with pytest.raises(InvalidInputError):
                book.history.append("s", Message.user("x" * MAX_MESSAGE_BYTES))
            assert len(book.history.list("s")) == 1

    def test_a_corrupt_message_hides_no_other(self) -> None:
        """Bytes that are no message are shown as a marked placeholder; the session goes on."""
        if not self.persists:
            return  # nothing but this book could reach its engine
        with self.opened() as book:
            book.history.append("s", Message.user("rhubarb one", id="1"), user_id="alice")
        asyncio.run(self._spoil("s"))
        with self.opened() as book:
            book.history.append("s", [Message.user("rhubarb two", id="2")])
            book.history.append("s", [Message.user("rhubarb one", id="1")])
            found = book.history.entries("s")
            assert [one.corrupt for one in found] == [False, *[True] * len(_JUNK), False]
            assert [found[0].message.id, found[-1].message.id] == ["1", "2"]
            hits = book.recall.search("rhubarb", user_id="alice")
            assert {hit.message.id for hit in hits} == {"1", "2"}
            fork = book.sessions.fork("s")
            assert len(book.history.entries(fork.id)) == len(found)

    async def _spoil(self, session_id: str) -> None:
        engine = await open_engine(self.url(), clock=FakeClock())
        try:
            junk = [
                NewEntry(f"junk {number}", body, b"%08d" % number, "user", 1)
                for number, body in enumerate(_JUNK)
            ]
            assert await engine.log.append(Scope(DEFAULT_TENANT, "alice"), session_id, junk)
        finally:
            await engine.close()

    def test_random_data_comes_back_equal_or_is_refused(self) -> None:
        """The same verdict for a message's metadata, a session's and a record's value."""
        with self.opened(background=False) as book:
            book.sessions.create(user_id="alice", session_id="s")

            @settings(
                max_examples=self.random_examples,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(text=_TEXTS, value=_OBJECTS)
            def compare(text: str, value: dict[str, Any]) -> None:
                message = Message.user(text, metadata=value)
                kept = _stored(lambda: book.history.append("s", message))
                both = {"v": value, "t": text}
                as_record = _stored(lambda: book.records.put(("alice",), "k", both))
                as_facts = _stored(lambda: book.sessions.update("s", metadata=both))
                assert kept is as_record is as_facts
                if kept:
                    [found] = book.history.list("s", limit=1)
                    assert (found.id, found.text) == (message.id, text)
                    assert repr(found.metadata) == repr(value)
                    assert repr(book.records.get(("alice",), "k").value) == repr(both)
                    assert repr(book.sessions.get("s").metadata) == repr(both)

            compare()


def _stored(call: Any) -> bool:
    try:
        call()
    except InvalidInputError:
        return False
    return True
