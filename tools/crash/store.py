"""Opening a store the way the harness needs it, and looking at all that it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from daybook.client import AsyncDaybook
from daybook.model.message import Message

__all__ = [
    "FOLDER",
    "USER",
    "Observed",
    "integrity",
    "is_folder",
    "make_empty",
    "make_message",
    "observe",
    "open_book",
]

FOLDER = ".store"
USER = "ann"
_PROBE = "zebrafinch"  # a word that no workload says


@dataclass
class Observed:
    """What a reopened store shows.

    Attributes:
        stored: Every asked session's messages, as (sequence number, id).
        faults: What does not work or does not add up, in words.
    """

    stored: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


@asynccontextmanager
async def open_book(
    path: Path, *, synchronous: str = "full", lock_timeout_s: float = 30.0
) -> AsyncIterator[AsyncDaybook]:
    """Open a store with the words-only index and no background work: nothing happens unasked.

    A path that ends in `FOLDER` is a store of the file engine, with its index in a file beside it.
    """
    index = None
    url = f"sqlite:///{path}?synchronous={synchronous}&lock_timeout_s={lock_timeout_s}&readers=1"
    if is_folder(path):
        fsync = "true" if synchronous == "full" else "false"
        url = f"file:///{path}?fsync={fsync}&lock_timeout_s={lock_timeout_s}&readers=1"
        index = f"sqlite:///{path}-index.db"
    async with AsyncDaybook.open(url, index=index, embedder=None, background=False) as book:
        yield book


def is_folder(path: Path) -> bool:
    """Tell whether a path is for a store of the file engine."""
    return path.suffix == FOLDER


async def make_empty(path: Path) -> None:
    """Create a file with nothing in it but its tables."""
    async with open_book(path):
        pass


def make_message(message_id: str, size: int = 40) -> Message:
    """Return a message that says its own id and then fills its size."""
    text = f"note {message_id.replace('-', 'x')} "
    return Message.user(text + "x" * max(size - len(text), 0), id=message_id)


def integrity(path: Path) -> list[str]:
    """Return what an SQLite file's own check finds wrong; empty if it is sound."""
    if is_folder(path):
        return []  # it has no check of its own: reading everything is the check
    try:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("PRAGMA integrity_check").fetchall()
    except sqlite3.DatabaseError as exc:
        return [f"the file cannot be read: {exc}"]
    return [] if rows == [("ok",)] else [f"integrity_check: {row[0]}" for row in rows]


async def observe(path: Path, sessions: Iterable[str], *, probe: bool = True) -> Observed:
    """Reopen a file and read it; then append to it and search it, and check it by SQLite's means.

    `probe` off leaves the file as it is but for what opening does.
    """
    observed = Observed()
    async with open_book(path) as book:
        for session in sessions:
            entries = await book.history.entries(session, user_id=USER)
            observed.stored[session] = [(one.seq, one.message.id) for one in entries]
            found = await book.sessions.get(session, user_id=USER)
            if (found.message_count if found else 0) != len(entries):
                observed.faults.append(f"session {session} miscounts its messages")
        if probe:
            observed.faults += await _probe(book, observed)
    observed.faults += integrity(path)
    return observed


async def _probe(book: AsyncDaybook, observed: Observed) -> list[str]:
    """Append, search for the new and for the old, count the index."""
    faults: list[str] = []
    await book.history.append("probe", Message.user(f"a {_PROBE} sang"), user_id=USER)
    hits = await book.recall.search(_PROBE, user_id=USER, limit=3, neighbours=0)
    if [hit.session_id for hit in hits[:1]] != ["probe"]:
        faults.append("a message appended after the crash is not found")
    newest = next((one[-1][1] for one in observed.stored.values() if one), None)
    if newest is not None:
        hits = await book.recall.search(newest.replace("-", "x"), user_id=USER, limit=50)
        if newest not in {hit.message.id for hit in hits}:
            faults.append(f"{newest} is stored and not found")
    await book.recall.flush()
    state = await book.recall.state()
    stored = 1 + sum(map(len, observed.stored.values()))
    if state.documents != stored:
        faults.append(f"{state.documents} documents are indexed of {stored} messages")
    await book.sessions.delete("probe", user_id=USER)
    return faults
