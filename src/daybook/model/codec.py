"""Messages and JSON values to bytes and back: one closed, versioned schema.

Nothing here can run code or import anything: unknown fields, unknown versions and unknown roles
are errors, and a caller's own JSON comes back as plain values.
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from daybook.errors import InvalidInputError
from daybook.model.entry import HistoryEntry, StoredEntry
from daybook.model.identifiers import check_id
from daybook.model.json_value import check_json_object
from daybook.model.message import ROLES, ContentPart, Message, ToolCall, Usage

__all__ = [
    "MAX_MESSAGE_BYTES",
    "check_message",
    "decode_entry",
    "decode_json",
    "decode_message",
    "encode_json",
    "encode_message",
    "fingerprint",
    "to_utc",
]

MAX_MESSAGE_BYTES = 16_000_000

_encoder = msgspec.json.Encoder()
_sorted_encoder = msgspec.json.Encoder(order="deterministic")


class _Unversioned(msgspec.Struct, tag_field="v", tag=0):
    """Never written: its presence beside `Message` makes the version a required field."""


_message_decoder = msgspec.json.Decoder(Message | _Unversioned)
_json_decoder = msgspec.json.Decoder()


def encode_message(message: Message) -> bytes:
    """Return the stored form of a checked message: UTF-8 JSON with its schema version in ``v``.

    Raises:
        InvalidInputError: The text is not valid Unicode, or the result is too large.
    """
    try:
        body = _encoder.encode(message)
    except UnicodeEncodeError as exc:
        raise InvalidInputError(
            f"message {message.id}: a lone surrogate at index {exc.start} is not valid Unicode text"
        ) from None
    if len(body) > MAX_MESSAGE_BYTES:
        raise InvalidInputError(
            f"message {message.id} takes {len(body)} bytes; at most {MAX_MESSAGE_BYTES} are "
            "allowed: store large data elsewhere and keep a reference"
        )
    return body


def decode_message(body: bytes) -> Message:
    """Return the message of a stored body.

    Raises:
        msgspec.MsgspecError: The bytes are not a message of a known version.
    """
    message = _message_decoder.decode(body)
    if isinstance(message, Message):
        return message
    raise msgspec.ValidationError("version 0 was never written - at `$.v`")


def decode_entry(stored: StoredEntry) -> HistoryEntry:
    """Return a stored entry decoded; bytes that do not decode become a marked placeholder.

    One bad record never hides the rest of a session.
    """
    try:
        return HistoryEntry(stored.seq, decode_message(stored.body), stored.tokens)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        placeholder = Message(
            id=f"corrupt-{stored.seq}",
            role="assistant",
            content="[this message could not be decoded]",
            metadata={"daybook": {"corrupt": True}},
        )
        return HistoryEntry(stored.seq, placeholder, stored.tokens, corrupt=True)


def fingerprint(message: Message, body: bytes) -> bytes:
    """Return eight bytes that are equal exactly for equal messages, `created_at` left aside.

    The order of a dict does not count, nor does the time, which the clock may have set: so a
    message that was read back has the fingerprint it was stored with.

    Args:
        message: The message.
        body: Its encoding.
    """
    if message.created_at is not None:
        message = msgspec.structs.replace(message, created_at=None)
        body = _sorted_encoder.encode(message)
    elif message.metadata or message.tool_calls or type(message.content) is tuple or message.usage:
        body = _sorted_encoder.encode(message)
    return blake2b(body, digest_size=8).digest()


def encode_json(value: dict[str, Any]) -> bytes:
    """Return a checked JSON object as UTF-8 bytes."""
    return _encoder.encode(value)


def decode_json(body: bytes) -> Any:
    """Return the plain values of JSON bytes."""
    return _json_decoder.decode(body)


def check_message(message: Message, where: str = "message") -> Message:
    """Return `message` if every part of it can be stored and come back equal.

    Raises:
        InvalidInputError: Names the field, what is wrong there and what to do.
    """
    if type(message) is not Message:
        raise InvalidInputError(
            f"{where} must be a daybook.Message, got {type(message).__name__}: "
            "make one with Message.user(…), .assistant(…), .system(…) or .tool(…)"
        )
    check_id(message.id, f"{where}.id")
    if message.role not in ROLES:
        raise InvalidInputError(f"{where}.role must be one of {', '.join(ROLES)}")
    if type(message.content) is not str:
        _check_parts(message.content, f"{where}.content")
    if message.name is not None and type(message.name) is not str:
        raise InvalidInputError(f"{where}.name must be a str or None")
    if message.created_at is not None:
        _check_time(message.created_at, f"{where}.created_at")
    if message.tool_calls or message.tool_call_id is not None:
        _check_tools(message, where)
    if message.usage is not None:
        _check_usage(message.usage, f"{where}.usage")
    if message.metadata:
        check_json_object(message.metadata, f"{where}.metadata")
    elif type(message.metadata) is not dict:
        raise InvalidInputError(f"{where}.metadata must be a dict")
    return message


def to_utc(moment: datetime) -> datetime:
    """Return an aware time in UTC."""
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _check_parts(content: Any, where: str) -> None:
    if type(content) is not tuple:
        raise InvalidInputError(
            f"{where} must be a str or a tuple of ContentPart, got {type(content).__name__}"
        )
    for index, part in enumerate(content):
        at = f"{where}[{index}]"
        if type(part) is not ContentPart:
            raise InvalidInputError(f"{at} must be a ContentPart, got {type(part).__name__}")
        if type(part.type) is not str or not part.type:
            raise InvalidInputError(f"{at}.type must be a non-empty str")
        if part.text is not None and type(part.text) is not str:
            raise InvalidInputError(f"{at}.text must be a str or None")
        check_json_object(part.data, f"{at}.data")


def _check_tools(message: Message, where: str) -> None:
    if message.tool_call_id is not None:
        check_id(message.tool_call_id, f"{where}.tool_call_id")
    if type(message.tool_calls) is not tuple:
        raise InvalidInputError(f"{where}.tool_calls must be a tuple of ToolCall")
    for index, call in enumerate(message.tool_calls):
        at = f"{where}.tool_calls[{index}]"
        if type(call) is not ToolCall:
            raise InvalidInputError(f"{at} must be a ToolCall, got {type(call).__name__}")
        check_id(call.id, f"{at}.id")
        check_id(call.name, f"{at}.name")
        if type(call.arguments) is not str:
            check_json_object(call.arguments, f"{at}.arguments")


def _check_usage(usage: Any, where: str) -> None:
    if type(usage) is not Usage:
        raise InvalidInputError(f"{where} must be a Usage, got {type(usage).__name__}")
    for name in ("input_tokens", "output_tokens"):
        count = getattr(usage, name)
        if type(count) is not int or not 0 <= count < 2**63:
            raise InvalidInputError(f"{where}.{name} must be an int of 0 or more")
    check_json_object(usage.details, f"{where}.details")


def _check_time(moment: Any, where: str) -> None:
    if not isinstance(moment, datetime):
        raise InvalidInputError(f"{where} must be a datetime, got {type(moment).__name__}")
    if moment.tzinfo is None:
        raise InvalidInputError(
            f"{where} has no time zone: use datetime.now(UTC) or add tzinfo, so that it is one "
            "moment everywhere"
        )
