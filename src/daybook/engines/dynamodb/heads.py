"""The head of a session: everything about it in one item, replaced by one conditional write.

A commit is that one write, so there is nothing to roll back. The newest messages stand in the head
itself (its *tail*) until the next append moves them to items of their own: they are committed with
the counts, and what is moved later is already certain, so moving it twice does no harm.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from daybook.engines.dynamodb.blobs import Blob
from daybook.engines.dynamodb.calls import Calls, Item, Write
from daybook.engines.dynamodb.keys import head_key, new_nonce
from daybook.errors import InvalidInputError
from daybook.model.lineage import Segment
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.model.session_rules import is_expired

__all__ = [
    "Entry",
    "Head",
    "Loaded",
    "commit",
    "head_of",
    "load",
    "load_many",
    "new_head",
    "next_mark",
    "reached",
    "tombstone",
]

_MAX_HEADER_BYTES = 100_000
_TOMBSTONE_S = 30 * 24 * 3600
_INCARNATIONS_FROM = 1_704_067_200  # 2024: seconds since then stay below 2**31 until 2092


class Entry(Struct, frozen=True, array_like=True, gc=False):
    """A message in a tail; a long body is a blob."""

    id: str
    fingerprint: bytes
    role: str
    tokens: int
    body: bytes
    blob: Blob | None = None


class Head(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored of a session.

    Attributes:
        nonce: Fresh in every commit: the condition of the next one.
        incarnation: Greater than that of any session that had this id before.
        mark: Grows with every change that an index must follow.
        session: The session as callers see it; None once it was deleted (a tombstone).
        stream: Where its own messages go.
        segments: The older streams it reads from, if it was forked.
        roles: How many messages of each role.
        tail: The newest messages, not yet in the stream.
        staged: Instead of a tail that is too long for the head: the blob that holds it.
        staged_count: How many messages that has.
    """

    nonce: str
    incarnation: int
    mark: int
    session: Session | None
    stream: str
    segments: tuple[Segment[str], ...] = ()
    roles: dict[str, int] = {}
    tail: tuple[Entry, ...] = ()
    staged: Blob | None = None
    staged_count: int = 0

    @property
    def tail_count(self) -> int:
        """How many of the newest messages are not in the stream."""
        return self.staged_count if self.staged is not None else len(self.tail)

    def streams(self) -> list[str]:
        """Return all streams it reads from, its own last."""
        return [*(segment.stream for segment in self.segments), self.stream]


class Loaded(Struct, frozen=True):
    """A head as it was read; `head` is None if there was none."""

    name: str
    head: Head | None

    @property
    def session(self) -> Session | None:
        """The session, expired or not; None if it was never there or is deleted."""
        return None if self.head is None else self.head.session

    def live(self, now: datetime) -> bool:
        """Tell whether there is a session that has not expired."""
        session = self.session
        return session is not None and not is_expired(session, now)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Head)


def load(calls: Calls, name: str) -> Loaded:
    """Return a session's head as it is now."""
    return Loaded(name, head_of(calls.get(head_key(name))))


def load_many(calls: Calls, names: Sequence[str]) -> dict[str, Loaded]:
    """Return many heads."""
    found = calls.get_many([head_key(name) for name in names])
    return {name: Loaded(name, head_of(found.get(head_key(name)))) for name in names}


def head_of(item: Item | None) -> Head | None:
    """Return the head that an item holds."""
    return None if item is None else _decoder.decode(item["d"])


def commit(calls: Calls, before: Loaded, after: Head) -> Loaded | None:
    """Replace a head unless it changed since it was read; None if it did.

    A commit whose answer was lost is recognised by its nonce.

    Raises:
        InvalidInputError: Title, metadata and grants are too large.
    """
    item: Item = {"d": _encoder.encode(after), "n": after.nonce}
    if after.session is None:
        item["ttl"] = int(time.time()) + _TOMBSTONE_S
    else:
        _check_size(after.session)
    condition, values = _unchanged(before)
    key = head_key(before.name)
    if calls.write(Write(key, item, condition, values)):
        return Loaded(before.name, after)
    now = load(calls, before.name)
    return now if now.head is not None and now.head.nonce == after.nonce else None


def _unchanged(before: Loaded) -> tuple[str, Mapping[str, str]]:
    if before.head is None:
        return "attribute_not_exists(#pk)", {}
    return "#n = :n", {":n": before.head.nonce}


def _check_size(session: Session) -> None:
    size = len(_encoder.encode(session))
    if size > _MAX_HEADER_BYTES:
        raise InvalidInputError(
            f"session {session.id!r}: title, metadata, grants and ancestors take {size} bytes; "
            f"dynamodb keeps at most {_MAX_HEADER_BYTES}: store large data as records"
        )


def next_mark(before: Loaded) -> int:
    """Return the mark of a session's next change: the time, where nothing is known of it."""
    return time.time_ns() // 1000 if before.head is None else before.head.mark + 1


def new_head(before: Loaded, session: Session, stream: str) -> Head:
    """Return the head of a new session in the place of a tombstone or of nothing."""
    incarnation = int(time.time()) - _INCARNATIONS_FROM
    if before.head is not None:
        incarnation = max(incarnation, before.head.incarnation + 1)
    return Head(
        nonce=new_nonce(),
        incarnation=incarnation,
        mark=next_mark(before),
        session=session,
        stream=stream,
    )


def tombstone(head: Head) -> Head:
    """Return what is left of a deleted session: numbers that must go on, and nothing said."""
    return Head(
        nonce=new_nonce(),
        incarnation=head.incarnation,
        mark=head.mark + 1,
        session=None,
        stream=head.stream,
    )


def reached(loaded: Loaded, scope: Scope, now: datetime) -> tuple[Head, Session] | None:
    """Return the head and session if the scope reaches a live one."""
    head, session = loaded.head, loaded.session
    if head is None or session is None or is_expired(session, now):
        return None
    return (head, session) if scope.reaches(session.user_id) else None
