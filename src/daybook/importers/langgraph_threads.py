"""Threads that LangGraph's checkpoint savers keep, into sessions.

A thread becomes a session under the thread's id. Its messages are those of the current line of
checkpoints, from the first to the newest: what a later step removed or summarised away is
imported too, what stands on an abandoned branch is not. The latest form of a message counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.langchain_fields import from_langchain_fields, is_command
from daybook.importers.langgraph_savers import Saver, saver_of
from daybook.importers.report import ImportReport
from daybook.importers.source import (
    DEFAULT_USER,
    BadRecord,
    ImportedMessage,
    ImportedSession,
    Record,
)
from daybook.importers.source_file import SourceFile
from daybook.importers.source_times import parse_time
from daybook.importers.stable_ids import stable_id
from daybook.importers.storing import ImportTarget, Storing

__all__ = ["import_threads", "read_saved_threads", "read_threads"]

_BATCH = 2000


async def import_threads(
    book: ImportTarget,
    source: str | Path | Any,
    *,
    user_id: str | None = None,
    channel: str = "messages",
) -> ImportReport:
    """Import every thread of a saver and return what was done.

    Args:
        book: An opened `AsyncDaybook`.
        source: The path of an SQLite saver's file, a PostgreSQL saver's URL, or an
            `InMemorySaver`.
        user_id: Owns every thread; None for the ``user_id`` that a thread was run with, and
            ``me`` where there is none.
        channel: Where the graph keeps its messages.

    Raises:
        InvalidInputError: The source is no saver's.
        StoreError: A database failed; what was reported as done is stored.

    Atomicity, ordering and repetition are those of `daybook.importers.run.import_file`.
    """
    started = time.perf_counter()
    saver = await asyncio.to_thread(saver_of, source)
    name = Path(source).name if isinstance(source, str | Path) else type(source).__name__
    if "://" in str(source):
        name = "postgresql"
    storing = Storing(book, name)
    records = read_threads(saver, name, user_id=user_id, channel=channel)
    try:
        while batch := await asyncio.to_thread(lambda: list(islice(records, _BATCH))):
            await storing.store(batch)
        await storing.finish()
    finally:
        await asyncio.to_thread(saver.close)
    elapsed_s = time.perf_counter() - started
    return storing.report(format_name="langgraph", elapsed_s=elapsed_s)


def read_threads(
    saver: Saver, name: str, *, user_id: str | None = None, channel: str = "messages"
) -> Iterator[Record]:
    """Yield the sessions and messages of a saver."""
    for thread in saver.threads():
        yield from _Thread(saver, thread, name, channel).records(user_id)


def read_saved_threads(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield what an SQLite saver's file holds; see `import_threads`.

    Raises:
        InvalidInputError: The database is not a saver's.
    """
    saver = saver_of(file.path)
    try:
        yield from read_threads(saver, file.name, user_id=user_id)
    finally:
        saver.close()


class _Thread:
    """One thread's messages, collected along its checkpoints."""

    def __init__(self, saver: Saver, thread: str, name: str, channel: str) -> None:
        self._saver, self._thread, self._name, self._channel = saver, thread, name, channel
        self._found: dict[str, tuple[dict[str, Any], datetime | None, str]] = {}
        self._bad: list[BadRecord] = []
        self._user: str | None = None

    def records(self, user_id: str | None) -> Iterator[Record]:
        """Yield the session, then its messages."""
        self._walk()
        session = ImportedSession(
            session_id=self._thread,
            user_id=user_id or self._user or DEFAULT_USER,
            position=self._thread,
        )
        yield session
        yield from self._bad
        for message_id, (fields, said_at, position) in self._found.items():
            try:
                message = from_langchain_fields(fields, fallback_id=message_id, said_at=said_at)
            except InvalidInputError as exc:
                yield BadRecord(self._name, position, str(exc))
                continue
            yield ImportedMessage(session, message, position)

    def _walk(self) -> None:
        seen: str | None = None
        for checkpoint in self._current_line():
            position = f"{self._thread}/{checkpoint}"
            try:
                step = self._saver.step(self._thread, checkpoint, self._channel)
                said_at = parse_time(step.at)
            except InvalidInputError as exc:
                self._bad.append(BadRecord(self._name, position, str(exc)))
                continue
            named = step.metadata.get("user_id")
            self._user = named if isinstance(named, str) and named else self._user
            if isinstance(step.values, list) and (step.version is None or step.version != seen):
                seen = step.version
                self._take(step.values, said_at, position)

    def _take(self, values: list[Any], said_at: datetime | None, position: str) -> None:
        for at, fields in enumerate(values):
            if is_command(fields):
                continue
            named = fields.get("id") if isinstance(fields, dict) else None
            message_id = named if isinstance(named, str) and named else stable_id(self._thread, at)
            first = self._found.get(message_id)
            where = (said_at, f"{position}/{at}") if first is None else first[1:]
            self._found[message_id] = (fields, *where)

    def _current_line(self) -> list[str]:
        """Return the checkpoints that lead to the newest one, oldest first."""
        links = self._saver.links(self._thread)
        line: list[str] = []
        one: str | None = next(reversed(links), None)
        while one is not None and one in links:
            line.append(one)
            one = links.pop(one)
        return line[::-1]
