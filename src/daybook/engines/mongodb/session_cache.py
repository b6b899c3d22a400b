"""What an append needs to know of a session and what rarely changes, remembered by the process.

It may be out of date: whoever uses it makes it a condition of the write.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from msgspec import Struct

from daybook.engines.mongodb.connection import Document
from daybook.engines.mongodb.header import segments_of
from daybook.model.lineage import Window, windows

__all__ = ["SessionCache", "SessionFacts", "facts_of"]

_MOST_SESSIONS = 4096


class SessionFacts(Struct, frozen=True):
    """A session's constants, and the state of its blocks.

    Attributes:
        inc: Its incarnation.
        user_id: Its owner.
        ttl: Its life in microseconds, None for no end.
        first: Its lowest readable number.
        base: Its highest number that is in a block.
        sealed: Where its messages up to `base` are.
        top: No message up to `base` has a greater id; changes with `base` only.
        last: Its highest number; grows with each append.
        alone: Whether nobody else seems to append to it.
    """

    inc: int
    user_id: str
    ttl: int | None
    first: int
    base: int
    sealed: tuple[Window[bytes], ...]
    top: str
    last: int
    alone: bool = True

    def condition(self) -> Document:
        """Return the condition that all of it but `last` is still so."""
        return {
            "inc": self.inc,
            "u": self.user_id,
            "ttl": self.ttl,
            "first": self.first,
            "base": self.base,
        }


def facts_of(header: Document) -> SessionFacts:
    """Return what a session's document says."""
    first, base = header["first"], header["base"]
    sealed = windows(segments_of(header), header["k"], after=first - 1, before=base + 1)
    return SessionFacts(
        inc=header["inc"],
        user_id=header["u"],
        ttl=header["ttl"],
        first=first,
        base=base,
        sealed=tuple(sealed),
        top=header["top"],
        last=header["last"],
    )


class SessionCache:
    """Facts of the sessions that were written to last; for any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[bytes, SessionFacts] = OrderedDict()

    def get(self, key: bytes) -> SessionFacts | None:
        """Return what is remembered of a session."""
        with self._lock:
            facts = self._held.get(key)
            if facts is not None:
                self._held.move_to_end(key)
            return facts

    def put(self, key: bytes, facts: SessionFacts) -> None:
        """Remember a session; the one not used for longest leaves."""
        with self._lock:
            self._held[key] = facts
            self._held.move_to_end(key)
            if len(self._held) > _MOST_SESSIONS:
                self._held.popitem(last=False)

    def drop(self, key: bytes) -> None:
        """Forget a session."""
        with self._lock:
            self._held.pop(key, None)
