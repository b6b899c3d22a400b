"""Conversations through `Daybook` itself, on an in-memory engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from benchmarks.recall_quality.conversations import Conversation, Turn
from daybook import Daybook, Message

__all__ = ["daybook_opener", "opened_book"]

_DEPTH = 100


class _StoppedClock:
    """The day after a conversation's last turn."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return that moment."""
        return self._now


def opened_book(conversation: Conversation, stack: ExitStack, **options: Any) -> Daybook:
    """Return a fresh daybook that holds a conversation, opened with `options`, closed by `stack`.

    Its user is the conversation's id; the time is the day after the last turn.
    """
    now = max(turn.said_at for turn in conversation.turns) + timedelta(days=1)
    book = Daybook.open("inmemory://", clock=_StoppedClock(now), **options)
    stack.callback(book.close)
    for session, turns in groupby(conversation.turns, key=_session):
        book.history.append(session, list(map(_message, turns)), user_id=conversation.id)
    book.recall.flush(user_id=conversation.id)
    return book


def daybook_opener(
    embedder: str, stack: ExitStack
) -> Callable[[Conversation], Callable[[str], list[str]]]:
    """Return what appends a conversation to a fresh daybook, closed with `stack`, to be asked."""

    def open_conversation(conversation: Conversation) -> Callable[[str], list[str]]:
        book = opened_book(conversation, stack, embedder=embedder)

        def ask(question: str) -> list[str]:
            hits = book.recall.search(question, user_id=conversation.id, limit=_DEPTH)
            return [hit.message.id for hit in hits]

        return ask

    return open_conversation


def _session(turn: Turn) -> str:
    return turn.session


def _message(turn: Turn) -> Message:
    return Message(
        role=turn.role,  # type: ignore[arg-type]
        content=turn.text,
        id=turn.id,
        name=turn.speaker or None,
        created_at=turn.said_at,
    )
