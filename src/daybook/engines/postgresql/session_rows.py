"""Sessions as rows: what changes with every append has columns, the rest is one encoded header."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.model.lineage import Segment
from daybook.model.session import Session
from daybook.model.session_codec import decode_session, encode_session

__all__ = ["SESSION_COLUMNS", "StoredSession", "life_columns", "read_session"]

# In the order of `StoredSession`'s making; the composite value of a table is spelled out with them.
SESSION_COLUMNS = (
    "number, stream, revision, first_seq, last_seq, message_count, token_count, last_active_at, "
    "expires_at, ttl, max_messages, segment_streams, segment_lasts, header"
)

_MICROSECOND = timedelta(microseconds=1)


class StoredSession(Struct, frozen=True):
    """A session and where it is kept.

    Attributes:
        session: The session.
        number: Its number: no other session ever has it.
        stream: The stream it writes to.
        revision: Grows whenever more than an append changes it.
        segments: Which parts of older streams it shows.
    """

    session: Session
    number: int
    stream: int
    revision: int
    segments: tuple[Segment[int], ...]


def read_session(row: tuple[Any, ...]) -> StoredSession:
    """Return the session of a row with `SESSION_COLUMNS` in front."""
    (number, stream, revision, first, last, messages, tokens, active, expires, ttl, most) = row[:11]
    streams, lasts, header = row[11:14]
    session = replace(
        decode_session(header),
        first_seq=first,
        last_seq=last,
        message_count=messages,
        token_count=tokens,
        last_active_at=moment(active),
        expires_at=moment_or_none(expires),
        ttl=None if ttl is None else ttl * _MICROSECOND,
        max_messages=most,
    )
    segments = tuple(map(Segment, streams or (), lasts or ()))
    return StoredSession(session, number, stream, revision, segments)


def life_columns(session: Session) -> tuple[int, int, int | None, int | None, int | None, bytes]:
    """Return creation, activity, expiry, ttl, max_messages and header as columns."""
    return (
        to_micros(session.created_at),
        to_micros(session.last_active_at),
        None if session.expires_at is None else to_micros(session.expires_at),
        None if session.ttl is None else session.ttl // _MICROSECOND,
        session.max_messages,
        encode_session(session),
    )
