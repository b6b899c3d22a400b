"""A session as bytes, and a place in a list of sessions as text. Pure."""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta

import msgspec

from daybook.errors import InvalidInputError
from daybook.model.session import Ancestor, Grant, Session

__all__ = [
    "activity_micros",
    "decode_ancestors",
    "decode_cursor",
    "decode_grants",
    "decode_pins",
    "decode_session",
    "encode_ancestors",
    "encode_cursor",
    "encode_grants",
    "encode_pins",
    "encode_session",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_encoder = msgspec.json.Encoder()
_session_decoder = msgspec.json.Decoder(Session)
_ancestors_decoder = msgspec.json.Decoder(tuple[Ancestor, ...])
_grants_decoder = msgspec.json.Decoder(tuple[Grant, ...])
_pins_decoder = msgspec.json.Decoder(tuple[int, ...])
_rank_decoder = msgspec.json.Decoder(tuple[int, str])


def encode_session(session: Session) -> bytes:
    """Return a session as UTF-8 JSON; times keep their microseconds."""
    return _encoder.encode(session)


def decode_session(body: bytes) -> Session:
    """Return the session of `encode_session`'s bytes."""
    return _session_decoder.decode(body)


def encode_ancestors(ancestors: tuple[Ancestor, ...]) -> bytes | None:
    """Return ancestors as bytes, None for none."""
    return _encoder.encode(ancestors) if ancestors else None


def decode_ancestors(body: bytes | None) -> tuple[Ancestor, ...]:
    """Return the ancestors of `encode_ancestors`'s bytes."""
    return _ancestors_decoder.decode(body) if body else ()


def encode_grants(grants: tuple[Grant, ...]) -> bytes | None:
    """Return grants as bytes, None for none."""
    return _encoder.encode(grants) if grants else None


def decode_grants(body: bytes | None) -> tuple[Grant, ...]:
    """Return the grants of `encode_grants`'s bytes."""
    return _grants_decoder.decode(body) if body else ()


def encode_pins(pins: tuple[int, ...]) -> bytes | None:
    """Return pins as bytes, None for none."""
    return _encoder.encode(pins) if pins else None


def decode_pins(body: bytes | None) -> tuple[int, ...]:
    """Return the pins of `encode_pins`'s bytes."""
    return _pins_decoder.decode(body) if body else ()


def activity_micros(session: Session) -> int:
    """Return a session's last activity in microseconds since 1970."""
    return (session.last_active_at - _EPOCH) // _MICROSECOND


def encode_cursor(session: Session) -> str:
    """Return the place of a session in a list: most recently active first, ties by id."""
    rank = (activity_micros(session), session.id)
    return b64encode(_encoder.encode(rank), altchars=b"-_").decode()


def decode_cursor(cursor: str | None) -> tuple[int, str] | None:
    """Return ``(microseconds since 1970, session id)`` of the last session seen, None for none.

    Raises:
        InvalidInputError: The text is not a cursor.
    """
    if cursor is None:
        return None
    try:
        return _rank_decoder.decode(b64decode(cursor, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise InvalidInputError(
            "cursor: pass the cursor of the page before unchanged, or None for the first page"
        ) from None
