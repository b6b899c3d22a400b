"""Sessions and messages between the model and the forms that the scripts take and give. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from struct import Struct as Packer
from typing import Any

from msgspec.structs import replace

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.model.entry import NewEntry, StoredEntry
from daybook.model.message import ROLES
from daybook.model.session import Session, SessionStats
from daybook.model.session_codec import decode_session, encode_session

__all__ = [
    "clipped",
    "id_digests",
    "merged_stats",
    "micros_or_none",
    "new_session_fields",
    "packed_entries",
    "seen_session",
    "stored_entries",
]

# Numbers in Lua are doubles: beyond this they are not exact, and no sequence number is larger.
_LARGEST = 2**53
_HEAD = Packer(">I8s")
_TOKEN_BITS = 29
_MOST_TOKENS = 2**_TOKEN_BITS - 1
_ROLE_NUMBER: dict[str, int] = {role: number for number, role in enumerate(ROLES)}
_MICROSECOND = timedelta(microseconds=1)


def clipped(number: int) -> int:
    """Return a bound that a script can take: beyond it nothing is stored."""
    return max(-_LARGEST, min(_LARGEST, number))


def micros_or_none(life: timedelta | None) -> int | None:
    """Return a length of time in microseconds."""
    return None if life is None else life // _MICROSECOND


def new_session_fields(session: Session) -> dict[str, Any]:
    """Return what a script needs to make a session."""
    return {
        "id": session.id,
        "user": session.user_id,
        "body": encode_session(session).decode(),
        "first": session.first_seq,
        "act": to_micros(session.last_active_at),
        "cre": to_micros(session.created_at),
        "ttl": micros_or_none(session.ttl),
        "exp": None if session.expires_at is None else to_micros(session.expires_at),
        "max": session.max_messages,
    }


def seen_session(header: Sequence[Any]) -> Session:
    """Return the session of a script's header: the stored body with the numbers of now."""
    body, first, last, count, tokens, active, expires = header
    return replace(
        decode_session(body.encode()),
        first_seq=first,
        last_seq=last,
        message_count=count,
        token_count=tokens,
        last_active_at=moment(active),
        expires_at=moment_or_none(expires or None),
    )


def id_digests(entries: Sequence[NewEntry]) -> bytes:
    """Return sixteen bytes for each message id: equal for equal ids, and short for long ones."""
    return b"".join(blake2b(entry.id.encode(), digest_size=16).digest() for entry in entries)


def packed_entries(entries: Sequence[NewEntry]) -> list[bytes]:
    """Return messages as they are stored: role and tokens in 4 bytes, fingerprint, body."""
    pack = _HEAD.pack
    return [
        pack(
            _ROLE_NUMBER[entry.role] << _TOKEN_BITS | min(entry.tokens, _MOST_TOKENS),
            entry.fingerprint,
        )
        + entry.body
        for entry in entries
    ]


def stored_entries(first: int, step: int, bodies: Sequence[bytes]) -> list[StoredEntry]:
    """Return messages as the log returns them; numbers go from `first` in steps of 1 or -1."""
    return [
        StoredEntry(
            first + step * at,
            body[_HEAD.size :],
            int.from_bytes(body[:4], "big") & _MOST_TOKENS,
        )
        for at, body in enumerate(bodies)
    ]


def merged_stats(sums: Sequence[dict[str, Any]]) -> SessionStats:
    """Return the counts of several buckets as one."""
    roles = [sum(one["roles"][number] for one in sums) for number in range(len(ROLES))]
    by_role: dict[str, int] = {
        role: count for role, count in zip(ROLES, roles, strict=True) if count
    }
    first = min((one["first"] for one in sums if "first" in one), default=None)
    last = max((one["last"] for one in sums if "last" in one), default=None)
    return SessionStats(
        session_count=sum(one["sessions"] for one in sums),
        message_count=sum(one["messages"] for one in sums),
        turn_count=by_role.get("user", 0),
        token_count=sum(one["tokens"] for one in sums),
        messages_by_role=by_role,
        first_at=moment_or_none(first),
        last_at=moment_or_none(last),
    )
