"""Reading messages: from a head and its streams, again if the session changed in between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.driver_errors import ENGINE
from daybook.engines.dynamodb.heads import Head, load, load_many, reached
from daybook.engines.dynamodb.keys import session_name
from daybook.engines.dynamodb.streams import StaleHeadError, read_places, read_window
from daybook.errors import CorruptRecordError
from daybook.model.entry import StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.model.session_rules import first_in_view

__all__ = ["Window", "read", "read_at"]

T = TypeVar("T")

_TRIES = 8
_SINGLE_PLACES = 3000  # more messages than this are read as ranges


class Window(Struct, frozen=True):
    """Which messages of a session are wanted; see `MessageLog.read`."""

    after: int
    before: int | None
    limit: int | None
    newest_first: bool
    view: bool

    def bounds(self, session: Session) -> tuple[int, int]:
        """Return the lowest and highest number; numbers have no gaps, so a limit is a bound."""
        low = max(self.after + 1, session.first_seq)
        if self.view:
            low = max(low, first_in_view(session))
        high = session.last_seq if self.before is None else min(self.before - 1, session.last_seq)
        if self.limit is not None and self.newest_first:
            low = max(low, high - self.limit + 1)
        elif self.limit is not None:
            high = min(high, low + self.limit - 1)
        return low, high


def read(
    calls: Calls, scope: Scope, session_id: str, window: Window, now: datetime
) -> list[StoredEntry]:
    """Return a window of a session's messages."""
    name = session_name(scope.tenant, session_id)

    def attempt() -> list[StoredEntry]:
        found = reached(load(calls, name), scope, now)
        if found is None:
            return []
        low, high = window.bounds(found[1])
        return read_window(calls, *found, low, high)

    entries = _steady(calls, attempt)
    if window.newest_first:
        entries.reverse()
    return entries


def read_at(
    calls: Calls, scope: Scope, places: Sequence[tuple[str, int, int]], now: datetime
) -> list[list[StoredEntry]]:
    """Return the messages of many places."""

    def attempt() -> list[list[StoredEntry]]:
        names = {place[0]: session_name(scope.tenant, place[0]) for place in places}
        heads = load_many(calls, list(names.values()))
        found = {one: reached(heads[name], scope, now) for one, name in names.items()}
        entries = {
            one: _entries(calls, *there, [place for place in places if place[0] == one])
            for one, there in found.items()
            if there is not None
        }
        return [
            [entry for seq in range(first, last + 1) if (entry := entries[one].get(seq))]
            if one in entries
            else []
            for one, first, last in _cut(places, found)
        ]

    return _steady(calls, attempt)


def _cut(
    places: Sequence[tuple[str, int, int]], found: dict[str, tuple[Head, Session] | None]
) -> list[tuple[str, int, int]]:
    """Return the places with their ends inside of their sessions."""
    cut: list[tuple[str, int, int]] = []
    for one, first, last in places:
        there = found[one]
        if there is None:
            cut.append((one, 1, 0))
        else:
            cut.append((one, max(first, there[1].first_seq), min(last, there[1].last_seq)))
    return cut


def _entries(
    calls: Calls, head: Head, session: Session, places: Sequence[tuple[str, int, int]]
) -> dict[int, StoredEntry]:
    """Return the messages of a session's places by number."""
    ranges = [
        (max(first, session.first_seq), min(last, session.last_seq)) for _, first, last in places
    ]
    wanted = [bounds for bounds in ranges if bounds[0] <= bounds[1]]
    if sum(last - first + 1 for first, last in wanted) <= _SINGLE_PLACES:
        seqs = {seq for first, last in wanted for seq in range(first, last + 1)}
        return read_places(calls, head, session, seqs)
    found: dict[int, StoredEntry] = {}
    for first, last in wanted:
        found.update((one.seq, one) for one in read_window(calls, head, session, first, last))
    return found


def _steady(calls: Calls, attempt: Callable[[], T]) -> T:
    """Repeat a reading that met a change of its session.

    Raises:
        CorruptRecordError: Messages are missing although nothing changes.
    """
    for number in calls.rounds():
        try:
            return attempt()
        except StaleHeadError:
            if number >= _TRIES:
                break
    raise CorruptRecordError(
        "messages of this session are missing from the table: restore a backup",
        engine=ENGINE,
        operation="read",
    )
