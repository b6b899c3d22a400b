"""Giving back the room of messages that no session refers to any more.

A removed or cleared session notes its streams in `trim`, in the change that removes it; what is
here can be repeated at any time, by anyone, and stops nothing if it does not run.

Who refers to a stream is read at one moment after that change. A later fork shares only messages
that some session could read at that moment, so what none of those refers to is lost to all.
"""

from __future__ import annotations

from collections.abc import Sequence

from daybook.engines.mongodb.blocks import BLOCK_MESSAGES, body_field
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.keys import block_id
from daybook.engines.mongodb.pending import forget_gone

__all__ = ["gaps", "trim", "trim_streams"]

_ENDLESS = 1 << 62

Range = tuple[int, int]  # both ends included


async def trim(handles: Handles, key: bytes) -> None:
    """Remove what a session's former streams hold and nobody needs."""
    header = await handles.sessions.find_one({"_id": key}, {"trim": 1, "inc": 1, "first": 1})
    if header is None or not header.get("trim"):
        return
    streams = header["trim"]
    await trim_streams(handles, streams)
    # A session that was cleared or removed again meanwhile keeps its note.
    unchanged = {"_id": key, "inc": header["inc"], "first": header.get("first")}
    await handles.sessions.update_one(unchanged, {"$pullAll": {"trim": streams}})
    await forget_gone(handles, [key])


async def trim_streams(handles: Handles, streams: Sequence[bytes]) -> None:
    """Remove the blocks of streams that no session refers to; blank the rest of shared blocks."""
    async with handles.moment() as moment:
        wanted = {"ref": {"$in": list(streams)}}
        fields = {"k": 1, "seg": 1, "first": 1}
        found = handles.sessions.find(wanted, fields, session=moment)
        headers = await found.to_list()
    for stream in streams:
        for low, high in gaps(stream, headers):
            await _remove(handles, stream, low, high)


def gaps(stream: bytes, headers: Sequence[Document]) -> list[Range]:
    """Return the ranges of a stream's numbers that no session refers to."""
    kept = sorted(one for header in headers for one in _needed(stream, header))
    found: list[Range] = []
    start = 0
    for low, high in kept:
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    if start < _ENDLESS:
        found.append((start, _ENDLESS))
    return found


def _needed(stream: bytes, header: Document) -> list[Range]:
    """Return the ranges of a stream that one session reads, or will write."""
    first = header["first"]
    if header["k"] == stream:
        return [(first, _ENDLESS)]
    start = first
    for segment in header["seg"]:
        if segment["k"] == stream:
            return [(start, segment["l"])] if segment["l"] >= start else []
        start = max(start, segment["l"] + 1)
    return []


async def _remove(handles: Handles, stream: bytes, low: int, high: int) -> None:
    inside = {"$gte": block_id(stream, low), "$lte": block_id(stream, high)}
    await handles.blocks.delete_many({"_id": inside, "l": {"$lte": high}})
    for edge in (low, high + 1):
        if 0 < edge < _ENDLESS:
            await _blank(handles, stream, edge, low, high)


async def _blank(handles: Handles, stream: bytes, edge: int, low: int, high: int) -> None:
    """Empty the messages from `low` to `high` of the block that reaches over an edge."""
    near = {
        "$gte": block_id(stream, max(0, edge + 1 - BLOCK_MESSAGES)),
        "$lt": block_id(stream, edge),
    }
    found = handles.blocks.find({"_id": near, "l": {"$gte": edge}}, {"s": 1, "l": 1, "v": 1})
    async for block in found:
        places = range(max(low, block["s"]), min(high, block["l"]) + 1)
        empties = {"i": "", "f": b"", body_field(block): b""}
        blank = {
            f"{field}.{seq - block['s']}": empty
            for seq in places
            for field, empty in empties.items()
        }
        if blank:
            await handles.blocks.update_one({"_id": block["_id"]}, {"$set": blank})
