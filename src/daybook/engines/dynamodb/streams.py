"""The messages of a stream: one item each, one more for each id, in the stream's partition.

Only what is committed is ever written here, so writing it again writes the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from daybook.engines.dynamodb.blobs import Blob, read_blobs
from daybook.engines.dynamodb.calls import Calls, Item
from daybook.engines.dynamodb.heads import Entry, Head
from daybook.engines.dynamodb.keys import Key, id_key, message_key, stream_partition
from daybook.engines.dynamodb.stream_items import (
    Counts,
    StreamMessage,
    message_item,
    message_of,
)
from daybook.model.entry import NewEntry, StoredEntry
from daybook.model.lineage import windows
from daybook.model.session import Session

__all__ = [
    "Known",
    "StaleHeadError",
    "blob_of_id",
    "counts_at",
    "flush",
    "known_ids",
    "pack_tail",
    "read_places",
    "read_window",
    "seq_of_id",
    "stored_blobs",
    "tail_of",
]

Known = dict[str, tuple[bytes, int]]  # by message id: fingerprint and sequence number


class StaleHeadError(Exception):
    """Messages of a head are gone: the session changed after the head was read; read it again."""


_encoder = msgspec.msgpack.Encoder()
_tail_decoder = msgspec.msgpack.Decoder(tuple[Entry, ...])
_id_decoder = msgspec.msgpack.Decoder(tuple[int, bytes])


def pack_tail(entries: Sequence[Entry]) -> bytes:
    """Return a tail as bytes."""
    return _encoder.encode(entries)


def tail_of(calls: Calls, head: Head) -> tuple[Entry, ...]:
    """Return the messages of a head that are not in its stream yet.

    Raises:
        StaleHeadError: They were moved since.
    """
    if head.staged is None:
        return head.tail
    [body] = read_blobs(calls, [head.staged])
    if body is None:
        raise StaleHeadError
    return _tail_decoder.decode(body)


def flush(calls: Calls, head: Head, session: Session) -> Known:
    """Write a head's tail to its stream; return its ids. Repeatable, by anyone, at any time."""
    entries = tail_of(calls, head)
    seq = session.last_seq - len(entries)
    roles = Counter(head.roles)
    roles.subtract(entry.role for entry in entries)
    tokens = session.token_count - sum(entry.tokens for entry in entries)
    known: Known = {}
    items: list[Item] = []
    for entry in entries:
        seq += 1
        roles[entry.role] += 1
        tokens += entry.tokens
        items.append(message_item(message_key(head.stream, seq), entry, roles, tokens))
        mark = _encoder.encode((seq, entry.fingerprint))
        partition, sort = id_key(head.stream, entry.id)
        items.append({"pk": partition, "sk": sort, "d": mark})
        known[entry.id] = (entry.fingerprint, seq)
    calls.write_many(items)
    return known


def known_ids(calls: Calls, head: Head, session: Session, entries: Sequence[NewEntry]) -> Known:
    """Return which of these ids the session's streams hold; its tail is not looked at."""
    bounds = _bounds(head, session)
    keys = {
        id_key(stream, entry.id): (entry.id, after, last)
        for stream, after, last in bounds
        for entry in entries
    }
    known: Known = {}
    for key, item in calls.get_many(list(keys)).items():
        name, after, last = keys[key]
        seq, fingerprint = _id_decoder.decode(item["d"])
        if after < seq <= last:
            known[name] = (fingerprint, seq)
    return known


def _bounds(head: Head, session: Session) -> list[tuple[str, int, int]]:
    """Return for each stream after which and up to which number it counts; empty ones left out."""
    found: list[tuple[str, int, int]] = []
    after = session.first_seq - 1
    for segment in head.segments:
        if segment.last_seq > after:
            found.append((segment.stream, after, segment.last_seq))
            after = segment.last_seq
    flushed = session.last_seq - head.tail_count
    if flushed > after:
        found.append((head.stream, after, flushed))
    return found


def counts_at(calls: Calls, head: Head, session: Session, at: int) -> Counts:
    """Return a session's counts up to a message of its streams (not of its tail).

    Raises:
        StaleHeadError: The message is gone.
    """
    if at < session.first_seq:
        return Counts({}, 0)
    [window] = windows(head.segments, head.stream, after=at - 1, before=at + 1)
    item = calls.get(message_key(window.stream, at))
    if item is None:
        raise StaleHeadError
    return message_of(item).counts


def read_window(
    calls: Calls, head: Head, session: Session, low: int, high: int
) -> list[StoredEntry]:
    """Return the messages ``low`` to ``high``, both included, in ascending order.

    Raises:
        StaleHeadError: One of them is gone.
    """
    low, high = max(low, session.first_seq), min(high, session.last_seq)
    if low > high:
        return []
    tail_first = session.last_seq - head.tail_count + 1
    found: list[tuple[int, StreamMessage]] = []
    for window in windows(
        head.segments, head.stream, after=low - 1, before=min(high + 1, tail_first)
    ):
        first, last = window.after + 1, window.before - 1
        partition, start = message_key(window.stream, first)
        items = calls.query(partition, start, message_key(window.stream, last)[1])
        found += [(_seq_of(item), message_of(item)) for item in items]
    if high >= tail_first:
        found += _tail_messages(calls, head, tail_first, low, high)
    if len(found) != high - low + 1:
        raise StaleHeadError
    return _with_blobs(calls, found)


def read_places(
    calls: Calls, head: Head, session: Session, wanted: set[int]
) -> dict[int, StoredEntry]:
    """Return single messages by number; those out of the session's range are left out.

    Raises:
        StaleHeadError: One of them is gone.
    """
    seqs = sorted(seq for seq in wanted if session.first_seq <= seq <= session.last_seq)
    tail_first = session.last_seq - head.tail_count + 1
    keys: dict[Key, int] = {}
    for seq in seqs:
        if seq < tail_first:
            [window] = windows(head.segments, head.stream, after=seq - 1, before=seq + 1)
            keys[message_key(window.stream, seq)] = seq
    items = calls.get_many(list(keys))
    found = [(keys[key], message_of(item)) for key, item in items.items()]
    if seqs and seqs[-1] >= tail_first:
        rest = _tail_messages(calls, head, tail_first, seqs[0], seqs[-1])
        found += [(seq, message) for seq, message in rest if seq in wanted]
    if len(found) != len(seqs):
        raise StaleHeadError
    return {entry.seq: entry for entry in _with_blobs(calls, found)}


def blob_of_id(calls: Calls, stream: str, sort: str) -> Blob | None:
    """Return the blob of the message whose id stands under a sort key of a stream, if any."""
    known = calls.get((stream_partition(stream), sort))
    message = None if known is None else calls.get(message_key(stream, seq_of_id(known)))
    return None if message is None else message_of(message).blob


def seq_of_id(item: Item) -> int:
    """Return which message an id's item speaks of."""
    return _id_decoder.decode(item["d"])[0]


def stored_blobs(items: Sequence[Item]) -> list[Blob]:
    """Return the blobs that message items refer to."""
    messages = (message_of(item) for item in items)
    return [message.blob for message in messages if message.blob is not None]


def _tail_messages(
    calls: Calls, head: Head, tail_first: int, low: int, high: int
) -> list[tuple[int, StreamMessage]]:
    nothing = Counts({}, 0)
    return [
        (seq, StreamMessage(entry.tokens, entry.body, entry.blob, nothing))
        for seq, entry in enumerate(tail_of(calls, head), tail_first)
        if low <= seq <= high
    ]


def _with_blobs(calls: Calls, found: Sequence[tuple[int, StreamMessage]]) -> list[StoredEntry]:
    blobs = [message.blob for _, message in found if message.blob is not None]
    bodies = dict(zip(blobs, read_blobs(calls, blobs), strict=True)) if blobs else {}
    entries: list[StoredEntry] = []
    for seq, message in found:
        body = message.body if message.blob is None else bodies[message.blob]
        if body is None:
            raise StaleHeadError
        entries.append(StoredEntry(seq, body, message.tokens))
    return entries


def _seq_of(item: Item) -> int:
    return int(item["sk"].partition("/")[2])
