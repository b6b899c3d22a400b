"""Daybook itself, as a system to be measured: each conversation in a throw-away store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from daybook.client import AsyncDaybook
from daybook.errors import ConfigError
from daybook.evaluation.conversations import Conversation, Question, Turn
from daybook.evaluation.runs import Ask
from daybook.facets.history import MAX_BATCH
from daybook.model.message import Message, Role
from daybook.protocols.embedder import Embedder
from daybook.registry import load_embedder

__all__ = ["STORES", "DaybookSystem"]

STORES = ("inmemory", "sqlite")
_USER = "someone"


class _SetClock:
    """Shows the moment it was set to: a question is asked when it was asked, not today."""

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        """Return that moment."""
        return self.moment


class DaybookSystem:
    """`recall.search` with its defaults.

    The embedder is loaded once, when this is made, so that ingest times do not hold it.
    """

    def __init__(
        self, embedder: str | Embedder = "static", *, store: str = "inmemory", limit: int = 100
    ) -> None:
        """Load what is to be measured.

        Args:
            embedder: A name that `AsyncDaybook.open` takes, ``none`` for words alone, or an object.
            store: ``inmemory``, or ``sqlite`` for a file in a temporary folder.
            limit: How many messages a search asks for; a hundred hold ten sessions.

        Raises:
            ConfigError: There is no such embedder or store.
            MissingDependencyError: The embedder's packages are absent.
        """
        if store not in STORES:
            raise ConfigError(f"store must be one of {', '.join(STORES)}")
        self.name = embedder if isinstance(embedder, str) else embedder.id
        self._embedder: Embedder | None
        if isinstance(embedder, str):
            self._embedder = None if embedder == "none" else load_embedder(embedder)
        else:
            self._embedder = embedder
        self._store = store
        self._limit = limit

    @asynccontextmanager
    async def opened(self, conversation: Conversation) -> AsyncIterator[Ask]:
        """Append a conversation to a fresh daybook and index it."""
        now = max(turn.said_at for turn in conversation.turns) + timedelta(days=1)
        clock = _SetClock(now)
        with self._folder() as folder:
            url = "inmemory://" if not folder else f"sqlite:///{Path(folder) / 'bench.db'}"
            async with AsyncDaybook.open(
                url, embedder=self._embedder, clock=clock, background=False
            ) as book:
                await _append(book, conversation)
                await book.recall.flush(user_id=_USER)

                async def ask(question: Question) -> list[str]:
                    clock.moment = question.asked_at or now
                    hits = await book.recall.search(
                        question.text, user_id=_USER, limit=self._limit, neighbours=0
                    )
                    return [hit.message.id for hit in hits]

                yield ask

    def _folder(self) -> AbstractContextManager[str]:
        return (
            TemporaryDirectory(prefix="daybook-bench-")
            if self._store == "sqlite"
            else nullcontext("")
        )


async def _append(book: AsyncDaybook, conversation: Conversation) -> None:
    for session, turns in groupby(conversation.turns, key=_session):
        messages = [_message(turn) for turn in turns]
        for first in range(0, len(messages), MAX_BATCH):
            await book.history.append(session, messages[first : first + MAX_BATCH], user_id=_USER)


def _session(turn: Turn) -> str:
    return turn.session


def _message(turn: Turn) -> Message:
    return Message(
        role=cast("Role", turn.role),  # an append checks it
        content=turn.text,
        id=turn.id,
        name=turn.speaker or None,
        created_at=turn.said_at,
    )
