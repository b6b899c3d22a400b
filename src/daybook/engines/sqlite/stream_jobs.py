"""Streams of messages: what sessions share after a fork, and what may go when one ends.

A session's row number is the number of its own stream. `stream_refs` has one row for each older
stream that a fork reads; a stream's messages stay while its session lives or a fork refers to them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from daybook.enginekit.packed_ids import id_to_column
from daybook.engines.sqlite.schema import SPAN
from daybook.model.entry import NewEntry, StoredEntry
from daybook.model.lineage import Segment, windows

__all__ = [
    "Segments",
    "Stream",
    "decode_segments",
    "drop_stream",
    "encode_segments",
    "find_inherited",
    "is_shared",
    "read",
    "refer",
    "roles_inherited",
    "totals",
    "trim",
]

Segments = tuple[Segment[int], ...]

_READ = "SELECT key - ?, body, tokens FROM messages WHERE key > ? AND key < ? ORDER BY key "
_decoder = msgspec.json.Decoder(Segments)


class Stream(Struct, frozen=True):
    """Where a live session's messages are.

    Attributes:
        row: Its own stream.
        segments: Older streams that it reads first.
        hidden: Numbers up to this one are outside its view.
    """

    row: int
    segments: Segments
    hidden: int


def encode_segments(segments: Segments) -> bytes | None:
    """Return segments as a column, None for none."""
    return msgspec.json.encode(segments) if segments else None


def decode_segments(column: bytes | None) -> Segments:
    """Return the segments of a column."""
    return _decoder.decode(column) if column else ()


def read(
    connection: sqlite3.Connection,
    stream: Stream,
    *,
    after: int,
    before: int,
    limit: int = -1,
    newest_first: bool = False,
) -> list[StoredEntry]:
    """Return a session's messages with ``after < seq < before``; -1 for no limit."""
    order = f"{_READ}{'DESC' if newest_first else 'ASC'} LIMIT ?"
    if not stream.segments:
        base = stream.row * SPAN
        found = connection.execute(order, (base, base + after, base + before, limit))
        return [StoredEntry(*columns) for columns in found]
    parts = windows(stream.segments, stream.row, after=after, before=before)
    answer: list[StoredEntry] = []
    for part in reversed(parts) if newest_first else parts:
        left = limit if limit < 0 else limit - len(answer)
        if not left:
            break
        base = part.stream * SPAN
        found = connection.execute(order, (base, base + part.after, base + part.before, left))
        answer += [StoredEntry(*columns) for columns in found]
    return answer


def totals(connection: sqlite3.Connection, stream: Stream, *, up_to: int) -> tuple[int, int]:
    """Return how many messages a session has up to a number, and their tokens."""
    messages = tokens = 0
    for part in windows(stream.segments, stream.row, after=0, before=up_to + 1):
        base = part.stream * SPAN
        counted = connection.execute(
            "SELECT count(*), coalesce(sum(tokens), 0) FROM messages WHERE key > ? AND key < ?",
            (base + part.after, base + part.before),
        ).fetchone()
        messages, tokens = messages + counted[0], tokens + counted[1]
    return messages, tokens


def roles_inherited(connection: sqlite3.Connection, segments: Segments) -> list[tuple[int, int]]:
    """Return ``(role number, messages)`` over what a session reads from older streams."""
    found: list[tuple[int, int]] = []
    start = 0
    for segment in segments:
        base = segment.stream * SPAN
        found += connection.execute(
            "SELECT role, count(*) FROM messages WHERE key > ? AND key <= ? GROUP BY role",
            (base + start, base + segment.last_seq),
        ).fetchall()
        start = segment.last_seq
    return found


def find_inherited(
    connection: sqlite3.Connection, segments: Segments, entries: Sequence[NewEntry]
) -> dict[str, tuple[int, bytes]]:
    """Return ``(seq, fingerprint)`` of the entries whose ids stand in older streams, by id."""
    known: dict[str, tuple[int, bytes]] = {}
    for segment in segments:
        for entry in entries:
            found = connection.execute(
                "SELECT seq, fingerprint FROM message_ids WHERE session = ? AND id = ? "
                "AND seq <= ?",
                (segment.stream, id_to_column(entry.id), segment.last_seq),
            ).fetchone()
            if found is not None:
                known[entry.id] = found
    return known


def refer(connection: sqlite3.Connection, row: int, segments: Segments) -> None:
    """Note that a session reads these streams."""
    connection.executemany(
        "INSERT INTO stream_refs (stream, session, last_seq) VALUES (?, ?, ?)",
        [(segment.stream, row, segment.last_seq) for segment in segments],
    )


def is_shared(connection: sqlite3.Connection, row: int) -> bool:
    """Tell whether a fork reads from this stream."""
    query = "SELECT 1 FROM stream_refs WHERE stream = ? LIMIT 1"
    return connection.execute(query, (row,)).fetchone() is not None


def drop_stream(connection: sqlite3.Connection, row: int, segments: Segments) -> None:
    """Remove what only this stream's session held; its row is gone from `sessions` already."""
    trim(connection, row)
    if segments:
        connection.execute("DELETE FROM stream_refs WHERE session = ?", (row,))
        for segment in segments:
            trim(connection, segment.stream)


def trim(connection: sqlite3.Connection, row: int) -> None:
    """Remove a stream's messages beyond what forks read, unless its session lives."""
    query = "SELECT 1 FROM sessions WHERE row = ?"
    if connection.execute(query, (row,)).fetchone() is not None:
        return
    (last_seq,) = connection.execute(
        "SELECT coalesce(max(last_seq), 0) FROM stream_refs WHERE stream = ?", (row,)
    ).fetchone()
    connection.execute(
        "DELETE FROM messages WHERE key > ? AND key < ?",
        (row * SPAN + last_seq, row * SPAN + SPAN),
    )
    connection.execute("DELETE FROM message_ids WHERE session = ? AND seq > ?", (row, last_seq))
