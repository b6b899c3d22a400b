"""`RunnableWithMessageHistory` in production: many users, many writers, failures.

A session manager, writers that do not overwrite each other, a store that cannot be reached (nothing
is kept aside in silence), retries that store a turn once. The model is played; no key, no network.
A chat application with limits, expiry, sharing and branches: `../chat_backend.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import ConfigurableFieldSpec, RunnableLambda

from daybook import Daybook
from daybook.adapters.langchain import HistoryWriteError, RunnableWithMessageHistory
from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.errors import StoreError, StoreTimeoutError, StoreUnavailableError

URL = "sqlite:///production.db"


def answer(messages: list[BaseMessage]) -> AIMessage:
    """Play a model."""
    return AIMessage(f"I know {len(messages)} messages", id=f"answer-{len(messages)}")


model = RunnableLambda(answer)


class SessionManager:
    """Sessions of many users; the store knows whose each is, and when it ends."""

    def __init__(self, book: Daybook) -> None:
        """Take the book that sessions are in."""
        self.book = book
        fields = [
            ConfigurableFieldSpec(id=name, annotation=str) for name in ("user_id", "session_id")
        ]
        self.chain = RunnableWithMessageHistory(model, self.history, history_factory_config=fields)

    def history(self, user_id: str, session_id: str) -> DaybookChatMessageHistory:
        """Return a history, which lives for a day after its last message."""
        life = timedelta(days=1)
        return DaybookChatMessageHistory(session_id, self.book, user_id=user_id, ttl=life)

    def chat(self, user_id: str, text: str, session_id: str | None = None) -> tuple[str, str]:
        """Take a turn in a new session, or in one that the user owns."""
        if session_id is None:
            session_id = self.book.sessions.create(user_id=user_id).id  # cannot be guessed
        elif self.book.sessions.get(session_id, user_id=user_id) is None:
            raise LookupError("there is no such session, or it is another user's")
        names: Any = {"configurable": {"user_id": user_id, "session_id": session_id}}
        return session_id, str(self.chain.invoke(text, names).text)


def many_users() -> None:
    """Keep users apart."""
    with Daybook.open(URL) as book:
        manager = SessionManager(book)
        session, _ = manager.chat("alice", "I build a Python app")
        manager.chat("bob", "I work on JavaScript")
        print(f"alice again: {manager.chat('alice', 'What do I build?', session)[1]}")
        try:
            manager.chat("bob", "What is built here?", session)
        except LookupError as refused:
            print(f"bob in hers: {refused}")
        print(f"alice's sessions: {len(book.sessions.list(user_id='alice').items)}")
        print(f"removed, a day after their last message: {book.sessions.expire_idle()}")


def writers() -> None:
    """Write one session from eight threads: nobody reads, changes and writes back a whole list."""

    def write(place: str, writer: int) -> None:
        history = DaybookChatMessageHistory("busy", place)
        for number in range(5):
            turn = [HumanMessage(f"{writer} {number}?"), AIMessage(f"{writer} {number}!")]
            history.add_messages(turn)

    for place in (URL, "file:///busy"):
        threads = [threading.Thread(target=write, args=(place, at)) for at in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        texts = [one.text for one in DaybookChatMessageHistory("busy", place).messages]
        whole = all(texts[at][:-1] == texts[at + 1][:-1] for at in range(0, len(texts), 2))
        engine = place.partition(":")[0]
        print(f"eight writers, {engine}: {len(texts)} of 80 messages, turns whole: {whole}")


class Failing(DaybookChatMessageHistory):
    """A history whose store fails as often as it is told to, before or after it has written."""

    def __init__(self, session_id: str, *errors: StoreError) -> None:
        """Name the session and the errors to come."""
        super().__init__(session_id, URL)
        self.errors = list(errors)

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Fail, or write; a timeout comes after the write, so nobody can tell."""
        error = self.errors.pop(0) if self.errors else None
        if not isinstance(error, StoreUnavailableError):
            super().add_messages(messages)
        if error is not None:
            raise error


def store_is_down() -> None:
    """Answer the user though the store is down, and know that the turn is not stored yet."""
    down = StoreUnavailableError("cannot be reached", engine="sqlite", operation="append")
    history = Failing("degraded", down)
    chain = RunnableWithMessageHistory(model, lambda session_id: history)  # noqa: ARG005
    question = HumanMessage("Are you there?", id="question-1")
    try:
        chain.invoke([question], {"configurable": {"session_id": "degraded"}})
    except HistoryWriteError as failed:
        print(f"store down: '{failed.output.text}', stored: {len(history)}")
        history.add_messages([question, failed.output])
    print(f"store back: stored {len(history)}")


def retried() -> None:
    """Try again after any failure: messages have ids, so a turn is stored once."""
    late = StoreTimeoutError("no answer in time", engine="sqlite", operation="append")
    history = Failing("retried", late, late)
    turn = [HumanMessage("Hello", id="q1"), AIMessage("Hi!", id="a1")]
    for attempt in range(1, 4):
        try:
            history.add_messages(turn)
        except StoreError as error:
            print(f"attempt {attempt} timed out, may be retried: {error.retryable}")
        else:
            print(f"attempt {attempt} succeeded, stored: {len(history)} messages")


if __name__ == "__main__":
    many_users()
    writers()
    store_is_down()
    retried()
