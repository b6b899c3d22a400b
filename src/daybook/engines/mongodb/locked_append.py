"""Appending in a transaction: full tails move to blocks, and so do large batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession

from daybook.engines.mongodb.blocks import (
    TAIL_BYTES,
    TAIL_MESSAGES,
    blocks_of,
    body_bytes,
    greatest_id,
    tail_of,
)
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.header import alive, real_micros
from daybook.engines.mongodb.known_messages import find_known, new_among, result_of
from daybook.model.entry import AppendResult, NewEntry

__all__ = ["Batch", "append_locked", "growth"]


class Batch(Struct, frozen=True):
    """Messages on their way into one session.

    Attributes:
        key: The session's key.
        session_id: Its id, for errors.
        entries: As the caller gave them.
        by_id: Each id once.
        now: The time, microseconds since 1970.
    """

    key: bytes
    session_id: str
    entries: Sequence[NewEntry]
    by_id: dict[str, NewEntry]
    now: int


def growth(tail: Sequence[Document], now: int, ttl: int | None) -> Document:
    """Return what new messages change in a session, wherever they are put."""
    more: dict[str, int] = {
        "last": len(tail),
        "cnt": len(tail),
        "tok": sum(one["n"] for one in tail),
        "ch": 1,
    }
    more.update({f"roles.{role}": n for role, n in Counter(one["r"] for one in tail).items()})
    return {"$inc": more, "$set": {"act": now, "exp": None if ttl is None else now + ttl}}


async def append_locked(
    handles: Handles, batch: Batch, inc: int, session: AsyncClientSession
) -> AppendResult | None:
    """Append while no one else can, inside a transaction; None if the session is not there."""
    # The first statement writes, so another writer is met at once and not after all the work.
    header = await handles.sessions.find_one_and_update(
        {"_id": batch.key, "inc": inc, **alive(batch.now)},
        {"$inc": {"rev": 1}},
        return_document=ReturnDocument.AFTER,
        session=session,
    )
    if header is None:
        return None
    known = await find_known(handles, header, list(batch.by_id), session)
    fresh = new_among(batch.session_id, batch.by_id, known)
    if fresh:
        await _write(handles, header, fresh, batch.now, session)
    last = header["last"] + len(fresh)
    return result_of(batch.entries, known, len(fresh), last, header["u"])


async def _write(
    handles: Handles,
    header: Document,
    fresh: Sequence[NewEntry],
    now: int,
    session: AsyncClientSession,
) -> None:
    new = tail_of(fresh)
    moved, kept = _divide(header["tail"], new)
    if moved:
        blocks = blocks_of(header["k"], header["base"] + 1, moved)
        await handles.blocks.insert_many(blocks, session=session)
    grown = growth(new, now, header["ttl"])
    grown["$set"] |= {
        "base": header["base"] + len(moved),
        "top": greatest_id(header["top"], moved),
        "tail": kept,
        "tn": len(kept),
        "tb": body_bytes(kept),
    }
    grown["$min"] = {"since": real_micros()}
    grown["$addToSet"] = {"due": header["u"]}
    await handles.sessions.update_one({"_id": header["_id"]}, grown, session=session)


def _divide(old: list[Document], new: list[Document]) -> tuple[list[Document], list[Document]]:
    """Return what goes to blocks and what stays in the tail."""
    if _small([*old, *new]):
        return [], [*old, *new]
    if _small(new):
        return old, new
    return [*old, *new], []


def _small(tail: Sequence[Document]) -> bool:
    return len(tail) <= TAIL_MESSAGES and body_bytes(tail) <= TAIL_BYTES
