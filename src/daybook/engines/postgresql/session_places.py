"""Where sessions are that were appended to of late, so that an append need not look for them.

What stands here may be out of date: the statement that uses it names tenant, user and session
itself, and finds nothing if the session was deleted or made anew.
"""

from __future__ import annotations

from threading import Lock

from msgspec import Struct

__all__ = ["SessionPlace", "SessionPlaces", "place_of"]

_MOST = 50_000
_Name = tuple[str, str]


class SessionPlace(Struct, frozen=True, gc=False):
    """Where one session is.

    Attributes:
        user_id: Its owner.
        user: The same as a column.
        owner: The owner's number.
        number: The session's.
        part: The partition of its owner.
    """

    user_id: str
    user: bytes
    owner: int
    number: int
    part: int


def place_of(part: int, packed: bytes) -> SessionPlace:
    """Return the place that `read_packed` tells: owner and number in four bytes each, user."""
    user = packed[8:]
    return SessionPlace(
        user.decode(),
        user,
        int.from_bytes(packed[:4], "big"),
        int.from_bytes(packed[4:8], "big"),
        part,
    )


class SessionPlaces:
    """Places by tenant and session id; the oldest half goes when there are too many."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._places: dict[_Name, SessionPlace] = {}

    def get(self, name: _Name) -> SessionPlace | None:
        """Return where a session was last, or None."""
        return self._places.get(name)

    def keep(self, name: _Name, place: SessionPlace) -> None:
        """Remember where a session is."""
        with self._lock:
            if len(self._places) >= _MOST:
                for old in list(self._places)[: _MOST // 2]:
                    del self._places[old]
            self._places[name] = place

    def drop(self, name: _Name) -> None:
        """Forget a session that was not where it was thought to be."""
        with self._lock:
            self._places.pop(name, None)
