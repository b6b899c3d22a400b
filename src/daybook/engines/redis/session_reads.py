"""Reading messages: windows of one session, and places of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from daybook.engines.redis.buckets import bucket_of_user
from daybook.engines.redis.script_calls import Reply, ScriptCalls
from daybook.engines.redis.session_places import SessionPlaces
from daybook.engines.redis.session_values import clipped, stored_entries
from daybook.model.entry import StoredEntry
from daybook.model.scope import Scope

__all__ = ["Window", "read", "read_at"]

# One call answers with so many bytes, plus a chunk: a script that reads for longer would keep all
# other users of the server waiting.
_MOST_BYTES = 4_000_000
_Place = tuple[str, int, int]


class Window(Struct, frozen=True):
    """Which messages: the arguments of `MessageLog.read`."""

    after: int
    before: int | None
    limit: int | None
    newest_first: bool
    view: bool


async def read(
    places: SessionPlaces, scope: Scope, session_id: str, window: Window, named: dict[str, Any]
) -> list[StoredEntry]:
    """Return a window of one life of a session: if it changes hands meanwhile, begin again."""
    while True:
        found = await _read_once(places, scope, session_id, window, named)
        if found is not None:
            return found


async def _read_once(
    places: SessionPlaces, scope: Scope, session_id: str, window: Window, named: dict[str, Any]
) -> list[StoredEntry] | None:
    after, before, limit = clipped(window.after), window.before, window.limit
    step = -1 if window.newest_first else 1
    stream: str | None = None
    found: list[StoredEntry] = []
    while True:
        arguments = {
            **named,
            "after": after,
            "before": None if before is None else clipped(before),
            "limit": None if limit is None else clipped(limit - len(found)),
            "newest": window.newest_first,
            "view": window.view,
            "bytes": _MOST_BYTES,
            "stream": stream,
        }
        reply = await places.call("read", scope, session_id, arguments)
        if reply.status != "ok":
            return None if found else _ended(reply)
        first, left, stream = reply.values
        found += stored_entries(first, step, reply.bodies)
        if not left:
            return found
        if window.newest_first:
            before = found[-1].seq
        else:
            after = found[-1].seq


def _ended(reply: Reply) -> list[StoredEntry] | None:
    return [] if reply.status == "missing" else None


async def read_at(
    calls: ScriptCalls,
    places: SessionPlaces,
    scope: Scope,
    wanted: Sequence[_Place],
    named: dict[str, Any],
) -> list[list[StoredEntry]]:
    """Return the messages of many places, each in its position."""
    if scope.user_id is not None:
        home = bucket_of_user(scope.tenant, scope.user_id)

        async def ask(some: Sequence[_Place]) -> Reply:
            return await calls.call("read_at", home, _asked(named, some))

        return await _all_places(ask, wanted)
    answer: list[list[StoredEntry]] = [[] for _ in wanted]
    for session_id in dict.fromkeys(place[0] for place in wanted):

        async def ask_one(some: Sequence[_Place], name: str = session_id) -> Reply:
            return await places.call("read_at", scope, name, _asked(named, some))

        positions = [at for at, place in enumerate(wanted) if place[0] == session_id]
        found = await _all_places(ask_one, [wanted[at] for at in positions])
        for at, entries in zip(positions, found, strict=True):
            answer[at] = entries
    return answer


def _asked(named: dict[str, Any], some: Sequence[_Place]) -> dict[str, Any]:
    asked = [(name, clipped(first), clipped(last)) for name, first, last in some]
    return {**named, "places": asked, "bytes": _MOST_BYTES}


async def _all_places(ask: Any, wanted: Sequence[_Place]) -> list[list[StoredEntry]]:
    answer: list[list[StoredEntry]] = []
    while len(answer) < len(wanted):
        reply: Reply = await ask(wanted[len(answer) :])
        if reply.status == "missing":
            break
        at = 0
        for first, count in reply.values[0]:
            answer.append(stored_entries(first, 1, reply.bodies[at : at + count]))
            at += count
    return answer + [[] for _ in range(len(wanted) - len(answer))]
