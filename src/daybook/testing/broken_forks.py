"""Message logs that break one promise of forks each: negative controls for the kit.

Each wraps a sound log. `FORK_DOUBLES` names the test that must convict it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from daybook.errors import AccessDeniedError, ConflictError
from daybook.model.entry import AppendResult, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.protocols.message_log import MessageLog, SessionSpan
from daybook.testing.broken_logs import LogDouble

__all__ = [
    "FORK_DOUBLES",
    "AncestryForgotten",
    "ClearedWithItsParent",
    "ForkForAnyone",
    "ForkUnmarked",
    "InheritedIdsForgotten",
    "LiveParent",
    "LostWithItsParent",
    "PlacesEndAtTheFork",
    "TakesItsParentAlong",
    "WindowEndsAtTheFork",
]

_Place = tuple[str, str]  # tenant and session id


class _ForkDouble(LogDouble):
    """Remembers which session was forked from which, and where."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.parents: dict[_Place, tuple[str, int]] = {}

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, *, at: int | None = None
    ) -> Session | None:
        """Fork and remember."""
        made = await self.inner.fork_session(scope, session_id, child, at=at)
        if made is not None:
            self.parents[scope.tenant, child.id] = (session_id, made.last_seq)
        return made

    def children(self, scope: Scope, session_id: str) -> list[str]:
        """Return the forks of a session."""
        return [
            name
            for (tenant, name), (parent, _) in self.parents.items()
            if (tenant, parent) == (scope.tenant, session_id)
        ]


class LiveParent(_ForkDouble):
    """A fork refers to its parent as it is: what the parent says later, it says too."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Append to the forks as well."""
        result = await self.inner.append(scope, session_id, entries, **rest)
        for child in self.children(scope, session_id):
            await self.inner.append(scope, child, entries)
        return result


class SharedTail(_ForkDouble):
    """A fork writes where its parent writes."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Append to the parent as well."""
        result = await self.inner.append(scope, session_id, entries, **rest)
        if (scope.tenant, session_id) in self.parents:
            await self.inner.append(scope, self.parents[scope.tenant, session_id][0], entries)
        return result


class LostWithItsParent(_ForkDouble):
    """Deleting a session takes its forks along."""

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Delete the forks too."""
        for child in self.children(scope, session_id):
            await self.inner.delete_session(scope, child)
        return await self.inner.delete_session(scope, session_id)


class ClearedWithItsParent(_ForkDouble):
    """Clearing a session takes away what its forks share with it."""

    async def clear(self, scope: Scope, session_id: str) -> int:
        """Clear the forks too."""
        for child in self.children(scope, session_id):
            await self.inner.clear(scope, child)
        return await self.inner.clear(scope, session_id)


class TakesItsParentAlong(_ForkDouble):
    """Deleting a fork removes the messages that it shares, from its parent too."""

    async def delete_session(self, scope: Scope, session_id: str) -> bool:
        """Clear the parent."""
        if (scope.tenant, session_id) in self.parents:
            await self.inner.clear(scope, self.parents[scope.tenant, session_id][0])
        return await self.inner.delete_session(scope, session_id)


class InheritedIdsForgotten(_ForkDouble):
    """A fork stores a message again that it shares with its parent."""

    async def append(
        self, scope: Scope, session_id: str, entries: Sequence[NewEntry], **rest: Any
    ) -> AppendResult | None:
        """Give such messages new ids."""
        parent, at = self.parents.get((scope.tenant, session_id), ("", 0))
        shared = {one.body for one in await self.inner.read(scope, parent, before=at + 1)}
        fresh = [replace(one, id=f"{one.id}~") if one.body in shared else one for one in entries]
        return await self.inner.append(scope, session_id, fresh, **rest)


class WindowEndsAtTheFork(_ForkDouble):
    """A window that begins in a fork's own messages never reaches those it shares."""

    async def read(
        self, scope: Scope, session_id: str, *, after: int = 0, **rest: Any
    ) -> list[StoredEntry]:
        """Read the fork's own messages, and the shared ones only if there are none."""
        _, at = self.parents.get((scope.tenant, session_id), ("", 0))
        if rest.get("newest_first"):
            own = await self.inner.read(scope, session_id, after=max(after, at), **rest)
            if own:
                return own
        return await self.inner.read(scope, session_id, after=after, **rest)


class PlacesEndAtTheFork(_ForkDouble):
    """Messages are found by place in a fork's own part alone."""

    async def read_at(
        self, scope: Scope, places: Sequence[tuple[str, int, int]]
    ) -> list[list[StoredEntry]]:
        """Raise each lower bound."""
        own = [
            (name, max(first, self.parents.get((scope.tenant, name), ("", 0))[1] + 1), last)
            for name, first, last in places
        ]
        return await self.inner.read_at(scope, own)


class LimitForEachPart(_ForkDouble):
    """A limit is asked of the shared part and of the own part, and both are returned."""

    async def read(
        self,
        scope: Scope,
        session_id: str,
        *,
        after: int = 0,
        before: int | None = None,
        **rest: Any,
    ) -> list[StoredEntry]:
        """Read twice."""
        _, at = self.parents.get((scope.tenant, session_id), ("", 0))
        split = at + 1 if before is None else min(at + 1, before)
        shared = await self.inner.read(scope, session_id, after=after, before=split, **rest)
        own = await self.inner.read(scope, session_id, after=max(after, at), before=before, **rest)
        return [*own, *shared] if rest.get("newest_first") else [*shared, *own]


class ForkForAnyone(LogDouble):
    """A fork belongs to whom the caller says."""

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, **rest: Any
    ) -> Session | None:
        """Make it all the same."""
        try:
            return await self.inner.fork_session(scope, session_id, child, **rest)
        except AccessDeniedError:
            return await self.inner.create_session(Scope(scope.tenant), child)


class ForkOverLife(LogDouble):
    """A fork takes the place of a live session."""

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, **rest: Any
    ) -> Session | None:
        """Remove what is in the way."""
        try:
            return await self.inner.fork_session(scope, session_id, child, **rest)
        except ConflictError:
            await self.inner.delete_session(Scope(scope.tenant), child.id)
            return await self.inner.fork_session(scope, session_id, child, **rest)


class ForkUnmarked(LogDouble):
    """The indexer never hears of a fork."""

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, **rest: Any
    ) -> Session | None:
        """Settle its mark at once."""
        made = await self.inner.fork_session(scope, session_id, child, **rest)
        marks = await self.inner.pending(limit=1_000_000, scope=scope)
        await self.inner.settle([one for one in marks if one.session_id == child.id])
        return made


class AncestryForgotten(LogDouble):
    """A fork knows its parent and not where that came from."""

    async def fork_session(
        self, scope: Scope, session_id: str, child: Session, **rest: Any
    ) -> Session | None:
        """Cut the list."""
        made = await self.inner.fork_session(scope, session_id, child, **rest)
        return None if made is None else replace(made, ancestors=made.ancestors[-1:])


class ForkIsNoNewLife(LogDouble):
    """A fork is told by nothing from the session that had its id before."""

    def __init__(self, inner: MessageLog) -> None:
        super().__init__(inner)
        self.first: dict[_Place, int] = {}

    async def span(self, scope: Scope, session_id: str) -> SessionSpan | None:
        """Answer with the first incarnation there was."""
        found = await self.inner.span(scope, session_id)
        if found is None:
            return None
        place = (scope.tenant, session_id)
        return replace(found, incarnation=self.first.setdefault(place, found.incarnation))


class UncountedPast(_ForkDouble):
    """Counts cover a fork's own messages alone."""

    async def get_session(self, scope: Scope, session_id: str) -> Session | None:
        """Take away what is shared."""
        found = await self.inner.get_session(scope, session_id)
        _, at = self.parents.get((scope.tenant, session_id), ("", 0))
        return found and replace(found, message_count=max(0, found.message_count - at))


FORK_DOUBLES: dict[type[LogDouble], str] = {
    LiveParent: "test_appends_part_ways",
    SharedTail: "test_appends_part_ways",
    LostWithItsParent: "test_a_fork_outlives_its_parent",
    ClearedWithItsParent: "test_a_fork_outlives_its_parent",
    TakesItsParentAlong: "test_a_parent_outlives_its_forks",
    InheritedIdsForgotten: "test_a_fork_knows_the_ids_it_inherited",
    WindowEndsAtTheFork: "test_windows_cross_the_fork",
    PlacesEndAtTheFork: "test_windows_cross_the_fork",
    LimitForEachPart: "test_windows_cross_the_fork",
    ForkForAnyone: "test_what_cannot_be_forked",
    ForkOverLife: "test_what_cannot_be_forked",
    ForkUnmarked: "test_a_fork_is_pending_and_counted",
    AncestryForgotten: "test_forks_of_forks",
    ForkIsNoNewLife: "test_a_fork_takes_a_free_ids_place",
    UncountedPast: "test_appends_part_ways",
}
