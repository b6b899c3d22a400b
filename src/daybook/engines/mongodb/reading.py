"""Reading messages: the session's document, then its blocks, both as of one state.

Numbers have no gaps, so what a window must hold is known once the session is; if a block is
missing, the session was cleared or removed between the two looks, and both are taken again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from daybook.engines.mongodb.blocks import block_range, entries_in, tail_entries
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.driver_errors import ENGINE
from daybook.engines.mongodb.header import reached, segments_of
from daybook.engines.mongodb.keys import session_key
from daybook.errors import CorruptRecordError
from daybook.model.entry import StoredEntry
from daybook.model.lineage import Window, windows
from daybook.model.scope import Scope

__all__ = ["Wanted", "read"]

_ATTEMPTS = 8
_MESSAGE_FIELDS = {"v": 1, "k": 1, "s": 1, "l": 1, "i": 1, "r": 1, "n": 1, "p": 1, "b": 1}


class Wanted(Struct, frozen=True):
    """A window of a session's messages, given its document: ``after < seq < before``."""

    session_id: str
    bounds: Callable[[Document], tuple[int, int]]


class _Part(Struct, frozen=True):
    """A window of a session as it was found."""

    header: Document
    after: int
    before: int

    def sealed(self) -> list[Window[bytes]]:
        """Return which of it is in blocks."""
        before = min(self.before, self.header["base"] + 1)
        return windows(segments_of(self.header), self.header["k"], after=self.after, before=before)


async def read(
    handles: Handles, scope: Scope, wanted: Sequence[Wanted], now: int
) -> list[list[StoredEntry]]:
    """Return the messages of each window, in ascending order; none of a missing session.

    Raises:
        CorruptRecordError: Messages that must be there are not.
    """
    if not wanted:
        return []
    for _ in range(_ATTEMPTS):
        headers = await _headers(handles, scope, wanted)
        parts = [_part(headers, scope, one, now) for one in wanted]
        blocks = await _blocks(handles, [part for part in parts if part is not None])
        found = [[] if part is None else list(_collect(part, blocks)) for part in parts]
        if all(map(_is_whole, parts, found)):
            return found
    raise CorruptRecordError(
        "messages are missing that the session counts", engine=ENGINE, operation="read"
    )


async def _headers(
    handles: Handles, scope: Scope, wanted: Sequence[Wanted]
) -> dict[bytes, Document]:
    keys = {session_key(scope.tenant, one.session_id) for one in wanted}
    condition: dict[str, Any] = {"_id": {"$in": list(keys)}}
    if len(keys) == 1:
        condition = {"_id": keys.pop()}
    return {header["_id"]: header async for header in handles.sessions.find(condition)}


def _part(
    headers: Mapping[bytes, Document], scope: Scope, wanted: Wanted, now: int
) -> _Part | None:
    header = headers.get(session_key(scope.tenant, wanted.session_id))
    found = reached(header, scope, wanted.session_id, now)
    if found is None:
        return None
    after, before = wanted.bounds(found)
    after, before = max(after, found["first"] - 1), min(before, found["last"] + 1)
    return _Part(found, after, before)


async def _blocks(handles: Handles, parts: Sequence[_Part]) -> dict[bytes, list[Document]]:
    """Return all blocks that any part needs, by stream and in order, read in one trip."""
    needed = _merged(window for part in parts for window in part.sealed())
    if not needed:
        return {}
    ranges = [block_range(window) for window in needed]
    condition = ranges[0] if len(ranges) == 1 else {"$or": ranges}
    found: dict[bytes, list[Document]] = {}
    async for block in handles.blocks.find(condition, _MESSAGE_FIELDS):
        found.setdefault(block["k"], []).append(block)
    for blocks in found.values():
        blocks.sort(key=_first_seq)
    return found


def _merged(needed: Iterator[Window[bytes]]) -> list[Window[bytes]]:
    """Return windows as few that do not overlap."""
    merged: list[Window[bytes]] = []
    for window in sorted(needed, key=lambda one: (one.stream, one.after)):
        last = merged[-1] if merged else None
        if last is not None and last.stream == window.stream and window.after < last.before:
            merged[-1] = Window(last.stream, last.after, max(last.before, window.before))
        else:
            merged.append(window)
    return merged


def _first_seq(block: Document) -> int:
    seq: int = block["s"]
    return seq


def _collect(part: _Part, blocks: Mapping[bytes, list[Document]]) -> Iterator[StoredEntry]:
    for window in part.sealed():
        held = blocks.get(window.stream, [])
        start = max(0, bisect_right(held, window.after + 1, key=_first_seq) - 1)
        for block in held[start:]:
            if block["s"] >= window.before:
                break
            yield from entries_in(block, window)
    yield from tail_entries(part.header, part.after, part.before)


def _is_whole(part: _Part | None, found: Sequence[StoredEntry]) -> bool:
    return part is None or len(found) == max(0, part.before - part.after - 1)
