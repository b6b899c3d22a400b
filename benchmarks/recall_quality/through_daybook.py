"""Conversations through `Daybook` itself, on an in-memory engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import groupby

from benchmarks.recall_quality.conversations import Conversation, Turn
from daybook import Daybook, Message

__all__ = ["daybook_opener"]

_DEPTH = 100


class _StoppedClock:
    """The day after a conversation's last turn."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return that moment."""
        return self._now


def daybook_opener(
    embedder: str, stack: ExitStack
) -> Callable[[Conversation], Callable[[str], list[str]]]:
    """Return what appends a conversation to a fresh daybook, closed with `stack`, to be asked."""

    def open_conversation(conversation: Conversation) -> Callable[[str], list[str]]:
        now = max(turn.said_at for turn in conversation.turns) + timedelta(days=1)
        book = Daybook.open("inmemory://", embedder=embedder, clock=_StoppedClock(now))
        stack.callback(book.close)
        for session, turns in groupby(conversation.turns, key=_session):
            messages = [_message(turn) for turn in turns]
            book.history.append(session, messages, user_id=conversation.id)
        book.recall.flush(user_id=conversation.id)

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
