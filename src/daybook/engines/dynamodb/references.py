"""Which sessions need which messages of a stream, and the removal of what none needs.

A fork notes in each older stream up to which message it refers to it, before its head is written.
What a stream's owner needs stands in the owner's head.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from daybook.engines.dynamodb.blobs import delete_blobs
from daybook.engines.dynamodb.calls import Calls, Item
from daybook.engines.dynamodb.heads import Head, load_many
from daybook.engines.dynamodb.hints import is_old
from daybook.engines.dynamodb.keys import Key, message_key, owner_of, stream_partition
from daybook.engines.dynamodb.streams import seq_of_id, stored_blobs
from daybook.model.lineage import Segment

__all__ = ["drop_references", "refer", "trim_stream"]

_WHOLE = 10**14  # a session refers to all of its own stream
_HIGHEST = "m/\U0010ffff"


class _Reference(Struct, frozen=True, array_like=True):
    """What a fork needs of an older stream.

    Attributes:
        child: The fork's own stream, which no other attempt to make it has.
        incarnation: Which life of the fork.
        last_seq: Up to which message.
    """

    child: str
    incarnation: int
    last_seq: int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Reference)


def refer(calls: Calls, segments: Iterable[Segment[str]], child: str, incarnation: int) -> None:
    """Note that a fork, named by its own stream, is about to refer to parts of older streams."""
    items: list[Item] = []
    for segment in segments:
        partition, place = _reference_key(segment.stream, child)
        body = _encoder.encode(_Reference(child, incarnation, segment.last_seq))
        items.append({"pk": partition, "sk": place, "d": body, "at": time.time_ns()})
    calls.write_many(items)


def drop_references(calls: Calls, segments: Iterable[Segment[str]], child: str) -> None:
    """Take these notes away: the fork was not made, or is gone."""
    calls.write_many([], [_reference_key(one.stream, child) for one in segments])


def trim_stream(calls: Calls, stream: str) -> None:
    """Remove what nobody refers to from a stream: messages, ids, long bodies. Repeatable."""
    partition = stream_partition(stream)
    references = calls.below(partition, "r/")
    keep, void = _still_needed(calls, stream, references)
    if keep == _WHOLE:
        return
    messages = list(calls.query(partition, message_key(stream, keep + 1)[1], _HIGHEST))
    ids = [item for item in calls.below(partition, "i/") if seq_of_id(item) > keep]
    delete_blobs(calls, stored_blobs(messages))
    calls.write_many([], [(partition, item["sk"]) for item in [*messages, *ids, *void]])


def _still_needed(calls: Calls, stream: str, references: Sequence[Item]) -> tuple[int, list[Item]]:
    """Return up to which message a stream is referred to (0: not at all) and void references."""
    found = [(_decoder.decode(item["d"]), item) for item in references]
    owner = owner_of(stream)
    heads = load_many(calls, [owner, *(owner_of(reference.child) for reference, _ in found)])
    keep = _bound(heads[owner].head, stream)
    void: list[Item] = []
    for reference, item in found:
        bound = _needed_by(heads[owner_of(reference.child)].head, reference, item, stream)
        keep = max(keep, bound)
        if not bound:
            void.append(item)
    return keep, void


def _needed_by(head: Head | None, reference: _Reference, item: Item, stream: str) -> int:
    if head is not None and head.stream == reference.child:
        return _bound(head, stream)
    if head is not None and head.incarnation > reference.incarnation:
        return 0
    # Its fork is being made at this moment, or whoever made it died on the way.
    return 0 if is_old(item) else reference.last_seq


def _bound(head: Head | None, stream: str) -> int:
    if head is None or head.session is None:
        return 0
    if head.stream == stream:
        return _WHOLE
    return max((one.last_seq for one in head.segments if one.stream == stream), default=0)


def _reference_key(stream: str, child: str) -> Key:
    return stream_partition(stream), f"r/{child}"
