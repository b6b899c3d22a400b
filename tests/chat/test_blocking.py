"""`ChatApplication` has its twin's names and arguments, streams, and ends what it began."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from daybook import ChatApplication, Daybook, Message
from daybook.chat import AsyncChatApplication, ChatReply
from daybook.errors import ConfigError, InvalidInputError, StoreClosedError
from tests.chat.scripted_models import Gated, Script, calls, echo, in_pairs, mark

DIFFERENT = {"url_or_book"}  # a `Daybook` for one, an `AsyncDaybook` for the other


def _public(thing: type) -> dict[str, Callable[..., Any]]:
    return {
        name: member
        for name, member in inspect.getmembers(thing, inspect.isfunction)
        if not name.startswith("_") or name == "__init__"
    }


def test_same_methods_and_arguments() -> None:
    blocking, waiting = _public(ChatApplication), _public(AsyncChatApplication)
    assert blocking.keys() == waiting.keys()
    for name, method in waiting.items():
        ours = inspect.signature(blocking[name]).parameters
        theirs = inspect.signature(method).parameters
        assert list(ours) == list(theirs), name
        for key, parameter in theirs.items():
            assert ours[key].kind == parameter.kind, (name, key)
            assert ours[key].default == parameter.default, (name, key)
            if key not in DIFFERENT:
                assert ours[key].annotation == parameter.annotation, (name, key)
    returned = inspect.signature(ChatApplication.chat).return_annotation
    assert returned == inspect.signature(AsyncChatApplication.chat).return_annotation


def test_the_exercise_as_it_was_set(url_of: Callable[[str], str]) -> None:
    """The interface and the limits that were asked for, on any engine."""
    with ChatApplication(
        redis_url=url_of("sqlite"), embedder="hash", model=echo, max_messages=50, session_ttl=3600
    ) as chat_app:
        session_id = chat_app.create_session(user_id="alice")
        response = chat_app.chat(session_id, "Hello!")
        assert str(response).startswith("you said Hello!")
        info = chat_app.get_session_info(session_id)
        assert info is not None
        assert info.message_count == 2
        assert info.last_active >= info.created_at
        assert [one.session_id for one in chat_app.list_sessions(user_id="alice")] == [
            session_id.id
        ]
        assert chat_app.delete_session(session_id)
        assert not chat_app.delete_session(session_id)
        assert chat_app.info(session_id) is None


def test_every_method_once(url_of: Callable[[str], str]) -> None:
    with ChatApplication(url_of("sqlite"), embedder="hash", model=echo) as chat:
        session = chat.create_session("alice", "First")
        chat.chat(session.id, "Hello")
        *pieces, reply = chat.stream(session.id, "again")
        assert "".join(map(str, pieces)) == str(reply)
        fork = chat.fork(session, at=2, user_id="alice")
        assert len(chat.history(fork)) == 2
        chat.share(session, "bob", user_id="alice")
        assert chat.info(session, user_id="bob") is not None
        assert chat.revoke(session, "bob")
        exported = chat.export(session)
        chat.delete_session(session)
        assert len(chat.history(chat.import_(exported))) == 4
        assert chat.book.capabilities.engine == "sqlite"


def test_many_threads_in_one_session() -> None:
    with ChatApplication("inmemory://", embedder="hash", model=echo) as chat:
        session = chat.create_session("alice")

        def work(number: int) -> None:
            for turn in range(3):
                chat.chat(session, f"{number} {turn}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        history = chat.history(session)
        assert len(history) == 24
        assert in_pairs(history, lambda text: f"you said {text}")


def test_a_stream_that_is_left_keeps_what_had_come() -> None:
    with ChatApplication("inmemory://", embedder="hash", model=echo) as chat:
        session = chat.create_session("alice")
        parts = chat.stream(session, "a b c d e f g")
        with closing(parts):
            assert next(parts) == "you "
        assert mark(chat.history(session)[-1], "incomplete") is True
        assert chat.chat(session, "more").text == "you said more "


def test_an_error_passes_through_a_stream() -> None:
    chat = ChatApplication("inmemory://", embedder="hash", model=echo)
    with chat, pytest.raises(InvalidInputError):
        list(chat.stream("s", ""))


def test_sync_tools_may_use_the_blocking_book() -> None:
    """They run in threads, so a blocking call does not wait for itself."""

    def look_up(key: str) -> str:
        """Look a record up."""
        found = chat.book.records.get(("alice",), key)
        return "nothing" if found is None else str(found.value["value"])

    script = Script(calls(("c1", "look_up", {"key": "colour"})), "done")
    with ChatApplication("inmemory://", embedder="hash", model=script, tools=[look_up]) as chat:
        chat.book.records.put(("alice",), "colour", {"value": "blue"})
        session = chat.create_session("alice")
        reply = chat.chat(session, "My colour?")
        assert isinstance(reply, ChatReply)
        assert chat.history(session)[2].text == "blue"


def test_what_it_opened_it_closes_and_nothing_else() -> None:
    with Daybook.open("inmemory://", embedder="hash", model=echo) as book:
        with ChatApplication(book) as chat:
            chat.chat(chat.create_session("alice", session_id="s"), "Hello")
        chat.close()
        assert len(book.history.list("s")) == 2
        with pytest.raises(StoreClosedError):
            chat.chat("s", Message.user("Hello"))
    with pytest.raises(ConfigError, match="tool"):
        ChatApplication("inmemory://", embedder="hash", tools=[7])  # type: ignore[list-item]
    owned = ChatApplication("inmemory://", embedder="hash")
    owned.close()
    owned.close()
    with pytest.raises(StoreClosedError):
        owned.book.sessions.get("s")


@pytest.mark.parametrize("early", [True, False])
def test_an_interrupt_at_any_moment_ends_the_answer(
    early: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may come when a step is under way and its future is in nobody's hands yet."""
    real = asyncio.run_coroutine_threadsafe
    model = Gated("Half a ")

    def interrupted(coroutine: Any, loop: Any) -> Any:
        future = real(coroutine, loop)
        if not steps:
            steps.append(1)
            if not early:
                real(asyncio.sleep(0.05), loop).result()
            raise KeyboardInterrupt
        return future

    with ChatApplication("inmemory://", embedder="hash", model=model) as chat:
        session = chat.create_session("alice")
        parts = chat.stream(session, "Hello?")
        assert next(parts) == "Half a "
        steps: list[int] = []
        monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", interrupted)
        with pytest.raises(KeyboardInterrupt):
            next(parts)
        partial = chat.history(session)[-1]
        assert (partial.text, mark(partial, "incomplete")) == ("Half a ", True)
