"""The message log on Redis. Method texts: `daybook.protocols.message_log`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from daybook.enginekit.times import to_micros
from daybook.engines.redis import session_marks, session_reads
from daybook.engines.redis.buckets import bucket_of_user
from daybook.engines.redis.script_calls import Reply, ScriptCalls
from daybook.engines.redis.session_claims import SessionClaims
from daybook.engines.redis.session_places import SessionPlaces
from daybook.engines.redis.session_values import (
    clipped,
    id_digests,
    merged_stats,
    micros_or_none,
    new_session_fields,
    packed_entries,
    seen_session,
)
from daybook.errors import ConflictError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Page, Session, SessionChanges, SessionStats
from daybook.model.session_codec import (
    activity_micros,
    decode_cursor,
    decode_session,
    encode_cursor,
    encode_session,
)
from daybook.model.session_rules import (
    changed_session,
    check_fork,
    forked_session,
    fresh_session,
)
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import PendingSession, SessionSpan

__all__ = ["RedisMessageLog"]

_MILLISECONDS = 1000


class RedisMessageLog:
    """Sessions and messages on Redis; an append to an existing session is one round trip."""

    def __init__(
        self,
        calls: ScriptCalls,
        clock: Clock,
        capabilities: EngineCapabilities,
        *,
        expiry_margin_s: float,
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._capabilities = capabilities
        self._margin_ms = int(expiry_margin_s * _MILLISECONDS)
        self._places = SessionPlaces(calls)
        self._claims = SessionClaims(calls, self._now, self._margin_ms)

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Store a new session."""
        async with self._calls.operation("create_session"):
            fresh = fresh_session(scope, session)
            home = bucket_of_user(scope.tenant, fresh.user_id)

            async def attempt(new: dict[str, Any]) -> Reply:
                return await self._calls.call("create", home, self._named(scope, new=new))

            await self._claims.make(scope.tenant, new_session_fields(fresh), attempt)
            return decode_session(encode_session(fresh))

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Return a session."""
        async with self._calls.operation("get_session"):
            reply = await self._places.call("get", scope, session_id, self._named(scope))
            return None if reply.status == "missing" else seen_session(reply.values[0])

    async def list_sessions(
        self, scope: Scope, *, limit: int, cursor: str | None = None
    ) -> Page[Session]:
        """Return a page: of one user from one bucket, of a tenant from all of them."""
        place = decode_cursor(cursor)
        async with self._calls.operation("list_sessions"):
            named = self._named(scope, limit=limit + 1)
            if place is not None:
                named |= {"rank": clipped(-place[0]), "last": place[1]}
            replies = await self._of_scope("list", scope, named)
            found = [seen_session(one) for reply in replies for one in reply.values[0]]
            found.sort(key=lambda one: (-activity_micros(one), one.id))
            page = found[:limit]
            return Page(page, encode_cursor(page[-1]) if len(found) > limit and page else None)

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Change a session: what was read is written only if nobody changed it meanwhile."""
        async with self._calls.operation("update_session"):
            while True:
                found = await self._places.call("get", scope, session_id, self._named(scope))
                if found.status == "missing":
                    return None
                header, _, incarnation, version = found.values
                now = self._clock.now()
                after = changed_session(seen_session(header), changes, now)
                life = (changes.ttl, changes.last_active_at, changes.expires_at)
                named = self._named(
                    scope,
                    inc=incarnation,
                    ver=version,
                    body=encode_session(after).decode(),
                    ttl=micros_or_none(after.ttl),
                    max=after.max_messages,
                    life=any(one is not ... for one in life),
                    act=to_micros(after.last_active_at),
                    exp=None if after.expires_at is None else to_micros(after.expires_at),
                )
                reply = await self._places.call("update", scope, session_id, named)
                if reply.status == "ok":
                    return seen_session(reply.values[0])

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Remove a session, and what its id's natural bucket knows of it."""
        async with self._calls.operation("delete_session"):
            named = self._named(scope)
            reply = await self._places.call("delete", scope, session_id, named)
            if reply.status == "missing":
                return False
            was_live, incarnation, user_id = reply.values
            home = bucket_of_user(scope.tenant, user_id)
            await self._claims.forget(scope.tenant, session_id, home, incarnation)
            return bool(was_live)

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Make a session that refers to another one's streams."""
        async with self._calls.operation("fork_session"):
            while True:
                found = await self._places.call("get", scope, session_id, self._named(scope))
                if found.status == "missing":
                    return None
                parent = seen_session(found.values[0])
                reply = await self._fork(scope, parent, child, at, found.values[2])
                if reply.status == "ok":
                    return seen_session(reply.values[0])

    async def _fork(
        self, scope: Scope, parent: Session, child: Session, at: int | None, incarnation: int
    ) -> Reply:
        place = check_fork(scope, parent, child, at)
        # The script counts what is shared; the numbers of this body are never shown.
        made = forked_session(scope, parent, child, place, messages=0, tokens=0)
        home = bucket_of_user(scope.tenant, parent.user_id)

        async def attempt(new: dict[str, Any]) -> Reply:
            named = self._named(
                scope, id=parent.id, inc=incarnation, first=parent.first_seq, at=place, new=new
            )
            return await self._calls.call("fork", home, named)

        return await self._claims.make(scope.tenant, new_session_fields(made), attempt)

    async def append(
        self,
        scope: Scope,
        session_id: str,
        entries: Sequence[NewEntry],
        *,
        create: Session | None = None,
    ) -> AppendResult | None:
        """Add messages."""
        async with self._calls.operation("append"):
            bodies = (id_digests(entries), *packed_entries(entries))
            if create is None:
                named = self._named(scope)
                reply = await self._places.call("append", scope, session_id, named, *bodies)
            else:
                reply = await self._append_creating(scope, create, entries, bodies)
            if reply.status == "missing":
                return None
            if reply.status == "conflict":
                raise _changed_body(entries[reply.values[0] - 1].id, session_id)
            first, last, duplicates, user_id = reply.values
            return AppendResult(first, last, duplicates, user_id)

    async def _append_creating(
        self, scope: Scope, create: Session, entries: Sequence[NewEntry], bodies: Sequence[bytes]
    ) -> Reply:
        fields = new_session_fields(fresh_session(scope, create))
        owned = Scope(scope.tenant, create.user_id)

        async def attempt(new: dict[str, Any]) -> Reply:
            named = self._named(owned, new=new)
            return await self._places.call("append", owned, create.id, named, *bodies)

        def check() -> None:
            seen: dict[str, bytes] = {}
            for entry in entries:
                if seen.setdefault(entry.id, entry.fingerprint) != entry.fingerprint:
                    raise _changed_body(entry.id, create.id)

        return await self._claims.make(scope.tenant, fields, attempt, check)

    async def read(
        self,
        scope: Scope,
        session_id: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int | None = None,
        newest_first: bool = False,
        view: bool = False,
    ) -> list[StoredEntry]:
        """Return a window of messages; a long one is fetched in several calls."""
        async with self._calls.operation("read"):
            window = session_reads.Window(after, before, limit, newest_first, view)
            return await session_reads.read(
                self._places, scope, session_id, window, self._named(scope)
            )

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Return the messages of many places: in one trip if the scope names its user."""
        async with self._calls.operation("read_at"):
            return await session_reads.read_at(
                self._calls, self._places, scope, places, self._named(scope)
            )

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Remove a session's messages; it goes on in a new stream."""
        async with self._calls.operation("clear"):
            reply = await self._places.call("clear", scope, session_id, self._named(scope))
            return 0 if reply.status == "missing" else int(reply.values[0])

    async def stats(self, scope: Scope, session_id: str | None = None) -> SessionStats | None:
        """Return counts."""
        async with self._calls.operation("stats"):
            named = self._named(scope)
            if session_id is None:
                replies = await self._of_scope("stats", scope, named)
                return merged_stats([reply.values[0] for reply in replies])
            reply = await self._places.call("stats", scope, session_id, named)
            return None if reply.status == "missing" else merged_stats([reply.values[0]])

    async def tenants(self) -> list[str]:
        """Return the tenants that have sessions."""
        async with self._calls.operation("tenants"):
            replies = await self._calls.call_all("tenants", {"kind": "t"})
            return sorted({tenant for _, reply in replies for tenant in reply.values[0]})

    async def sweep(self, now: datetime) -> int:
        """Remove expired sessions, and note those that the server dropped itself."""
        async with self._calls.operation("sweep"):
            named = {"now": to_micros(now), "margin": self._margin_ms}
            return await session_marks.sweep(self._calls, self._claims, named)

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Return what can be read."""
        async with self._calls.operation("span"):
            named = self._named(scope, brief=True)
            reply = await self._places.call("get", scope, session_id, named)
            if reply.status == "missing":
                return None
            (first, last), user_id, incarnation, _ = reply.values
            return SessionSpan(user_id, first, last, incarnation)

    async def pending(self, *, limit: int, scope: Scope | None = None) -> list[PendingSession]:
        """Return unsettled changes, oldest first by the servers' clocks."""
        async with self._calls.operation("pending"):
            return await session_marks.pending(self._calls, limit, scope)

    async def settle(self, settled: Sequence[PendingSession]) -> None:
        """Forget marks that are still the newest of their session."""
        async with self._calls.operation("settle"):
            await session_marks.settle(self._calls, settled)

    async def close(self) -> None:
        """Do nothing: the engine closes what its stores share."""

    def _now(self) -> int:
        return to_micros(self._clock.now())

    def _named(self, scope: Scope, **more: Any) -> dict[str, Any]:
        return {
            "tenant": scope.tenant,
            "user": scope.user_id,
            "now": self._now(),
            "margin": self._margin_ms,
            **more,
        }

    async def _of_scope(self, script: str, scope: Scope, named: dict[str, Any]) -> list[Reply]:
        if scope.user_id is not None:
            home = bucket_of_user(scope.tenant, scope.user_id)
            return [await self._calls.call(script, home, named)]
        return [reply for _, reply in await self._calls.call_all(script, named)]


def _changed_body(message_id: str, session_id: str) -> ConflictError:
    return ConflictError(
        f"message {message_id!r} of session {session_id!r} is already there with another body: a "
        "message never changes, give the new one its own id"
    )
