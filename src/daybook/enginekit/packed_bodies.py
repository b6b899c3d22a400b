"""A message's body in a third fewer bytes, where its role and id stand beside it. Pure.

A body repeats what an engine keeps in columns of its own, spells out the names of fields that every
body has, and writes a minute in 17 characters. What is put away here comes back byte for byte: a
body that would not is kept as it is, and so is a long one, which has nothing to gain.

The first byte says the form. 0: the body follows. 1: its content, and what stands after the id.
2: the minute of `created_at` in six bytes; then its content, what stands between id and time, and
what stands after the minute. Parts end with a NUL, which JSON never holds. Any other byte: the body
itself begins here, as `{` does.
"""

from __future__ import annotations

from functools import lru_cache
from re import compile as compile_pattern

from daybook.model.message import ROLES

__all__ = ["pack_body", "unpack_body"]

_WHOLE, _SHORT, _TIMED = b"\x00", b"\x01", b"\x02"
_END = b"\x00"
_LONG = 16_384
_CONTENT_AT = 7  # after the form and twelve digits of a minute, two to a byte
_STARTS: dict[str, bytes] = {
    role: b'{"v":1,"role":"' + role.encode() + b'","content":' for role in ROLES
}
_MINUTE = compile_pattern(rb',"created_at":"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):')


def pack_body(role: str, message_id: str | None, body: bytes) -> bytes:
    """Return a body as an engine stores it.

    Args:
        role: What the engine keeps as the message's role.
        message_id: What it keeps as the id; None if it does not know it in full.
        body: Any bytes; those of `codec.encode_message` get shorter.
    """
    packed = None if message_id is None else _shortened(role, message_id, body)
    if packed is not None and unpack_body(role, message_id or "", packed) == body:
        return packed
    return body if body[:1] > _TIMED else _WHOLE + body


def _shortened(role: str, message_id: str, body: bytes) -> bytes | None:
    start = _STARTS[role]
    if len(body) > _LONG or not body.startswith(start):
        return None
    content, found, rest = body[len(start) :].partition(_id_field(message_id))
    if not found:
        return None
    minute = _MINUTE.search(rest)
    if minute is None:
        return b"".join((_SHORT, content, _END, rest))
    digits = bytes.fromhex(b"".join(minute.groups()).decode())
    between, after = rest[: minute.start()], rest[minute.end() :]
    return b"".join((_TIMED, digits, content, _END, between, _END, after))


def unpack_body(role: str, message_id: str, packed: bytes) -> bytes:
    """Return the body that `pack_body` was given, with the same role and id.

    Cost: 0.8 µs. Damaged bytes give other bytes, never an error: one bad record must not hide the
    rest of a session.
    """
    form = packed[:1]
    if form == _TIMED:
        parts = packed[_CONTENT_AT:].split(_END, 2)
        if len(parts) < 3:  # noqa: PLR2004 - what the form says
            return packed
        content, between, after = parts
        minute = _minute_field(packed[1:_CONTENT_AT])
        return b"".join(
            (_STARTS[role], content, b',"id":"', message_id.encode(), b'"', between, minute, after)
        )
    if form == _SHORT:
        content, _, rest = packed[1:].partition(_END)
        return b"".join((_STARTS[role], content, _id_field(message_id), rest))
    return packed[1:] if form == _WHOLE else packed


def _id_field(message_id: str) -> bytes:
    return f',"id":"{message_id}"'.encode()


@lru_cache(1024)  # messages that are read together were said in few different minutes
def _minute_field(minute: bytes) -> bytes:
    digits = minute.hex()
    day = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"
    return f',"created_at":"{day}T{digits[8:10]}:{digits[10:]}:'.encode()
