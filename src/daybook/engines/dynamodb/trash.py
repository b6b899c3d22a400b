"""Leftovers: what may be left behind is noted first, removed next, and looked at once more.

A note outlives the removal by an hour, so that what a slow writer wrote meanwhile goes as well.
Until then nothing of it can be read: neither a head nor a record refers to it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from daybook.engines.dynamodb.blobs import Blob, delete_blobs
from daybook.engines.dynamodb.calls import Calls, Item, Write
from daybook.engines.dynamodb.heads import load
from daybook.engines.dynamodb.hints import all_shards, is_old
from daybook.engines.dynamodb.keys import Key, owner_of, shard
from daybook.engines.dynamodb.record_items import Stored, decode_record, old_prefix
from daybook.engines.dynamodb.references import trim_stream
from daybook.engines.dynamodb.streams import blob_of_id

__all__ = [
    "Holder",
    "discard_blobs",
    "empty_trash",
    "forget_blobs",
    "note_blobs",
    "note_streams",
    "note_versions",
    "trim_versions",
]


class Holder(Struct, frozen=True, array_like=True):
    """What refers to a blob, once it is committed.

    Attributes:
        kind: ``tail`` of a head, ``body`` of a message, ``record``.
        place: The partition of the stream or record; the head's name.
        sort: The sort key of the message's id or of the current record.
    """

    kind: str
    place: str
    sort: str = ""


class _Note(Struct, frozen=True, array_like=True):
    """One possible leftover: a ``stream``, a record's ``versions`` or a ``blob``."""

    kind: str
    target: str
    holder: Holder | None = None
    blob: Blob | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Note)


def note_streams(calls: Calls, streams: Iterable[str]) -> None:
    """Note that a session is about to stop referring to streams."""
    calls.write_many([_item(_Note("stream", stream)) for stream in streams])


def note_versions(calls: Calls, records: Iterable[Stored]) -> None:
    """Note that lives of records are about to end."""
    notes: list[Item] = []
    for stored in records:
        place = stored.place
        notes.append(_item(_Note("versions", stored.life, Holder("record", *place))))
    calls.write_many(notes)


def note_blobs(calls: Calls, blobs: Iterable[tuple[Blob, Holder]]) -> None:
    """Note that blobs are about to be written, and what will refer to them."""
    calls.write_many([_item(_Note("blob", blob.nonce, holder, blob)) for blob, holder in blobs])


def forget_blobs(calls: Calls, blobs: Iterable[Blob]) -> None:
    """Take the notes away: what is committed refers to the blobs now."""
    calls.write_many([], [_note_key("blob", blob.nonce) for blob in blobs])


def discard_blobs(calls: Calls, blobs: Sequence[Blob]) -> None:
    """Remove blobs that nothing refers to, and their notes."""
    delete_blobs(calls, blobs)
    forget_blobs(calls, blobs)


def trim_versions(calls: Calls, place: Key, life: str) -> None:
    """Remove the old versions of a record's former life, long values included. Repeatable."""
    current = calls.get(place)
    if current is not None and decode_record(current).life == life:
        return
    items = calls.below(place[0], old_prefix(place, life))
    blobs = [decode_record(item).blob for item in items]
    delete_blobs(calls, [blob for blob in blobs if blob is not None])
    calls.write_many([], [(item["pk"], item["sk"]) for item in items])


def empty_trash(calls: Calls) -> None:
    """Remove all leftovers that are noted, and the notes that have done their duty."""
    for item in all_shards(calls, "g"):
        note, old = _decoder.decode(item["d"]), is_old(item)
        if note.kind == "stream":
            trim_stream(calls, note.target)
        elif note.kind == "versions" and note.holder is not None:
            trim_versions(calls, (note.holder.place, note.holder.sort), note.target)
        elif old and note.blob is not None and not _is_held(calls, note):
            delete_blobs(calls, [note.blob])
        if old:
            unchanged = {":at": item["at"]}
            calls.write(Write((item["pk"], item["sk"]), None, "#at = :at", unchanged))


def _is_held(calls: Calls, note: _Note) -> bool:
    holder, blob = note.holder, note.blob
    if holder is None or blob is None:
        return False
    if holder.kind == "tail":
        head = load(calls, holder.place).head
        return head is not None and head.staged == blob
    if holder.kind == "body":
        return _is_held_by_message(calls, holder, blob)
    place = (holder.place, holder.sort)
    current = calls.get(place)
    if current is None:
        return False
    found = decode_record(current)
    items = calls.below(place[0], old_prefix(place, found.life))
    return any(one.blob == blob for one in [found, *map(decode_record, items)])


def _is_held_by_message(calls: Calls, holder: Holder, blob: Blob) -> bool:
    stream = holder.place
    head = load(calls, owner_of(stream)).head
    if head is not None and any(entry.blob == blob for entry in head.tail):
        return True
    return blob_of_id(calls, stream, holder.sort) == blob


def _item(note: _Note) -> Item:
    pk, sk = _note_key(note.kind, note.target)
    return {"pk": pk, "sk": sk, "d": _encoder.encode(note), "at": time.time_ns()}


def _note_key(kind: str, target: str) -> Key:
    return f"g/{shard(target)}", f"{kind}/{target}"
