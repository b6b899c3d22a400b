"""Fresh identifiers, and the rule for identifiers that callers choose."""

from __future__ import annotations

import os
import time

from daybook.errors import InvalidInputError

__all__ = ["MAX_ID_BYTES", "check_id", "new_id"]

MAX_ID_BYTES = 1024

# The two highest bits of the 17th digit are 1 and 0 in every UUID of this kind.
_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


def new_id() -> str:
    """Return a fresh UUID of version 7: the first 48 bits are the time, so ids sort by age.

    Source: RFC 9562, section 5.7.
    """
    stamp = f"{time.time_ns() // 1_000_000:012x}"
    tail = _random_digits()
    variant = _VARIANTS[tail[3]]
    return f"{stamp[:8]}-{stamp[8:]}-7{tail[:3]}-{variant}{tail[4:7]}-{tail[7:19]}"


def _random_digits() -> str:
    """Return twenty random hexadecimal digits; the system is asked once for many ids."""
    try:
        return _digits.pop()
    except IndexError:
        fresh = os.urandom(10 * _IDS_AT_ONCE).hex()
        _digits.extend(fresh[at : at + 20] for at in range(20, len(fresh), 20))
        return fresh[:20]


_digits: list[str] = []
_IDS_AT_ONCE = 256
if hasattr(os, "register_at_fork"):  # a child never gives out its parent's ids
    os.register_at_fork(after_in_child=_digits.clear)


def check_id(value: object, what: str) -> str:
    """Return `value` if it may name a `what` (a session, a user …).

    Any non-empty text up to 1,024 UTF-8 bytes is an id: slashes, wildcards, spaces and NUL too,
    because no engine ever uses an id as a path, a pattern or a piece of a query.

    Raises:
        InvalidInputError: Not text, empty, too long, or not encodable (a lone surrogate).
    """
    if not isinstance(value, str):
        raise InvalidInputError(f"{what} must be a str, got {type(value).__name__}")
    if not value:
        raise InvalidInputError(f"{what} must not be empty")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as exc:
        raise InvalidInputError(
            f"{what} holds a lone surrogate at index {exc.start}: it is not valid Unicode text"
        ) from None
    if size > MAX_ID_BYTES:
        raise InvalidInputError(f"{what} has {size} bytes; at most {MAX_ID_BYTES} are allowed")
    return value
