"""Message logs that break one promise each of views, grants, lives and restored sessions.

Each wraps a sound log. `VIEW_DOUBLES` names the test that must convict it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from daybook.model.entry import StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Session, SessionChanges
from daybook.protocols.clock import SystemClock
from daybook.protocols.message_log import MessageLog
from daybook.testing.broken_logs import LogDouble

__all__ = [
    "VIEW_DOUBLES",
    "EndComputedAnew",
    "FirstNumberIgnored",
    "GrantsReplaced",
    "PinsReplaced",
    "ViewHidesOneMore",
    "ViewOfTheWindow",
]


class ViewHidesNothing(LogDouble):
    """`max_messages` is stored and never looked at."""

    async def read(
        self, scope: Scope, session_id: str, *, view: bool = False, **rest: Any
    ) -> list[StoredEntry]:
        """Show everything."""
        return await self.inner.read(scope, session_id, **rest)


class ViewHidesOneMore(LogDouble):
    """A view's first message is left out."""

    async def read(
        self, scope: Scope, session_id: str, *, view: bool = False, **rest: Any
    ) -> list[StoredEntry]:
        """Drop it where a view begins."""
        found = await self.inner.read(scope, session_id, view=view, **rest)
        session = await self.inner.get_session(scope, session_id)
        if not view or session is None or session.max_messages is None:
            return found
        return [one for one in found if one.seq > session.last_seq - session.max_messages + 1]


class ViewOfTheWindow(LogDouble):
    """A view shows the newest messages of the window rather than of the session."""

    async def read(
        self, scope: Scope, session_id: str, *, view: bool = False, **rest: Any
    ) -> list[StoredEntry]:
        """Cut what was read."""
        found = await self.inner.read(scope, session_id, **rest)
        session = await self.inner.get_session(scope, session_id)
        if not view or session is None or session.max_messages is None:
            return found
        return sorted(found, key=lambda one: one.seq)[-session.max_messages :]


class ViewAlways(LogDouble):
    """What a view hides is hidden from everybody."""

    async def read(
        self, scope: Scope, session_id: str, *, view: bool = False, **rest: Any
    ) -> list[StoredEntry]:
        """Ask for the view whatever was asked."""
        return await self.inner.read(scope, session_id, view=True, **rest)


class GrantsReadModifyWrite(LogDouble):
    """Grants are read, changed and written back: of two that meet, one vanishes."""

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Write what was read, with the change in it."""
        before = await self.inner.get_session(scope, session_id)
        await asyncio.sleep(0)
        now = await self.inner.get_session(scope, session_id)
        if not changes.grants or before is None or now is None:
            return await self.inner.update_session(scope, session_id, changes)
        read = {one.user_id: one for one in before.grants}
        gone = {one.user_id: None for one in now.grants if one.user_id not in read}
        whole = replace(changes, grants={**gone, **read, **changes.grants})
        return await self.inner.update_session(scope, session_id, whole)


class PinsReplaced(LogDouble):
    """A pin takes away all others."""

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Name the others too."""
        found = await self.inner.get_session(scope, session_id)
        if changes.pins and found is not None:
            changes = replace(changes, pins={**dict.fromkeys(found.pins, False), **changes.pins})
        return await self.inner.update_session(scope, session_id, changes)


class GrantsReplaced(LogDouble):
    """A grant to one user takes away all others."""

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Name the others too."""
        found = await self.inner.get_session(scope, session_id)
        if changes.grants and found is not None:
            others = {one.user_id: None for one in found.grants}
            changes = replace(changes, grants={**others, **changes.grants})
        return await self.inner.update_session(scope, session_id, changes)


class GrantProlongs(LogDouble):
    """Sharing a session counts as using it."""

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Set its ttl anew."""
        found = await self.inner.get_session(scope, session_id)
        if changes.grants and found is not None:
            changes = replace(changes, ttl=found.ttl)
        return await self.inner.update_session(scope, session_id, changes)


class FirstNumberIgnored(LogDouble):
    """Every new session counts from one."""

    async def create_session(self, scope: Scope, session: Session) -> Session:
        """Forget the number."""
        return await self.inner.create_session(scope, replace(session, first_seq=1))


class EndComputedAnew(LogDouble):
    """A session's exact end is not taken over."""

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Forget it."""
        return await self.inner.update_session(scope, session_id, replace(changes, expires_at=...))


class ActivityIsNoLife(LogDouble):
    """A moment of activity is noted, and the end stays where it was."""

    async def update_session(
        self, scope: Scope, session_id: str, changes: SessionChanges
    ) -> Session | None:
        """Keep the end."""
        found = await self.inner.get_session(scope, session_id)
        if changes.last_active_at is not ... and changes.expires_at is ... and found is not None:
            changes = replace(changes, expires_at=found.expires_at)
        return await self.inner.update_session(scope, session_id, changes)


class ReadingProlongs(LogDouble):
    """Reading a session's messages makes it live longer."""

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Set its ttl anew."""
        found = await self.inner.get_session(scope, session_id)
        if found is not None and found.ttl is not None:
            await self.inner.update_session(scope, session_id, SessionChanges(ttl=found.ttl))
        return await self.inner.read(scope, session_id, **rest)


class LookingProlongs(LogDouble):
    """Looking at a session makes it live longer."""

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Set its ttl anew."""
        found = await self.inner.get_session(scope, session_id)
        if found is None or found.ttl is None:
            return found
        return await self.inner.update_session(scope, session_id, SessionChanges(ttl=found.ttl))


class _ServerSideEnd(LogDouble):
    """A server that removes messages by a clock of its own."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.clock = SystemClock()
        self.made = self.clock.now()

    async def ended(self, session: Session) -> bool:
        """Tell whether the server thinks that a session is over."""
        raise NotImplementedError

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Look at the server's clock first."""
        found = await self.inner.get_session(scope, session_id)
        if found is not None and found.expires_at is not None and await self.ended(found):
            return []
        return await self.inner.read(scope, session_id, **rest)


class EndsAtTheServersTime(_ServerSideEnd):
    """The moment of the end is handed to a server whose clock says something else."""

    async def ended(self, session: Session) -> bool:
        """Compare with the machine's clock."""
        return session.expires_at is not None and session.expires_at <= self.clock.now()


class EndsWithoutMargin(_ServerSideEnd):
    """The server counts the ttl down by itself, and is a little ahead."""

    async def ended(self, session: Session) -> bool:
        """Compare with the time that has really passed."""
        return session.ttl is not None and self.clock.now() - self.made >= session.ttl


class EndsEarly(LogDouble):
    """A session is missing in the last second of its life."""

    async def read(self, scope: Scope, session_id: str, **rest: Any) -> list[StoredEntry]:
        """Ask for life beyond the moment by making it shorter for a moment."""
        found = await self.inner.get_session(scope, session_id)
        if found is None or found.expires_at is None:
            return await self.inner.read(scope, session_id, **rest)
        early = SessionChanges(expires_at=found.expires_at - timedelta(seconds=1))
        await self.inner.update_session(scope, session_id, early)
        answer = await self.inner.read(scope, session_id, **rest)
        await self.inner.update_session(
            scope, session_id, SessionChanges(expires_at=found.expires_at)
        )
        return answer


class TenantsForgotten(LogDouble):
    """Only the first tenant is told of."""

    async def tenants(self) -> list[str]:
        """Cut the list."""
        return (await self.inner.tenants())[:1]


class TenantsRepeated(LogDouble):
    """Each session tells its tenant."""

    async def tenants(self) -> list[str]:
        """Repeat them."""
        return [one for one in await self.inner.tenants() for _ in range(2)]


VIEW_DOUBLES: dict[type[LogDouble], str] = {
    ViewHidesNothing: "test_a_view_shows_the_newest_messages",
    ViewHidesOneMore: "test_a_view_shows_the_newest_messages",
    ViewOfTheWindow: "test_a_view_shows_the_newest_messages",
    ViewAlways: "test_a_view_shows_the_newest_messages",
    GrantsReadModifyWrite: "test_concurrent_grants_all_stay",
    GrantsReplaced: "test_grants_are_kept_by_user",
    PinsReplaced: "test_pins_are_kept_by_number",
    GrantProlongs: "test_grants_are_kept_by_user",
    FirstNumberIgnored: "test_a_session_is_restored_as_it_was",
    EndComputedAnew: "test_a_session_is_restored_as_it_was",
    ActivityIsNoLife: "test_activity_alone_prolongs_a_life",
    ReadingProlongs: "test_reading_prolongs_no_life",
    LookingProlongs: "test_reading_prolongs_no_life",
    EndsAtTheServersTime: "test_no_other_clock_ends_a_life",
    EndsWithoutMargin: "test_no_other_clock_ends_a_life",
    EndsEarly: "test_expired_is_missing_for_every_method",
    TenantsForgotten: "test_tenants_with_sessions_are_told",
    TenantsRepeated: "test_tenants_with_sessions_are_told",
}
