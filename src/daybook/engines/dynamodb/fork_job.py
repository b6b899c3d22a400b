"""Forks: a new head that refers to its parent's streams. No message is copied.

The child's references are written first, the parent is looked at once more, then the child's head
is committed. Whoever removes the parent in between finds the references; whoever removed it before
is found by that second look.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.heads import Head, Loaded, load, new_head, reached
from daybook.engines.dynamodb.keys import new_stream, session_name
from daybook.engines.dynamodb.references import drop_references, refer
from daybook.engines.dynamodb.session_jobs import announce_change, store_new
from daybook.engines.dynamodb.streams import StaleHeadError, counts_at, flush
from daybook.errors import ConflictError
from daybook.model.lineage import inherited_segments
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.model.session_rules import check_fork, forked_session

__all__ = ["fork"]


def fork(
    calls: Calls,
    scope: Scope,
    session_id: str,
    child: Session,
    *,
    at: int | None,
    now: datetime,
    tenants: set[str],
) -> Session | None:
    """Make a session that shares another one's messages up to a place."""
    name = session_name(scope.tenant, session_id)
    for _ in calls.rounds():
        found = reached(load(calls, name), scope, now)
        if found is None:
            return None
        parent, session = found
        place = check_fork(scope, session, child, at)
        try:
            flush(calls, parent, session)
            counts = counts_at(calls, parent, session, place)
        except StaleHeadError:
            continue
        made = forked_session(
            scope,
            session,
            child,
            place,
            messages=sum(counts.roles.values()),
            tokens=counts.tokens,
        )
        maker = _Fork(calls, scope.tenant, name, parent, made, counts.roles)
        try:
            store_new(calls, scope.tenant, made, now, tenants, maker.head)
        except ConflictError:
            maker.give_up()
            raise
        except _ParentChangedError:
            maker.give_up()
            continue
        return made
    return None


class _ParentChangedError(Exception):
    """The parent was cleared or removed while the fork was being made."""


class _Fork:
    """A fork on its way: makes the child's head, and remembers what it noted for it."""

    def __init__(
        self,
        calls: Calls,
        tenant: str,
        parent_name: str,
        parent: Head,
        session: Session,
        roles: dict[str, int],
    ) -> None:
        self._calls = calls
        self._tenant = tenant
        self._parent_name = parent_name
        self._parent = parent
        self._session = session
        self._roles = roles
        self._noted: list[Head] = []

    def head(self, before: Loaded) -> Head:
        """Return the child's head in the place of what was there before.

        Raises:
            _ParentChangedError: The parent no longer refers to the same stream.
        """
        session, parent = self._session, self._parent
        segments = inherited_segments(
            parent.segments, parent.stream, session.last_seq, first_seq=session.first_seq
        )
        child = new_head(before, session, new_stream(before.name))
        child = replace(child, segments=segments, roles=self._roles)
        self._noted.append(child)
        refer(self._calls, segments, child.stream, child.incarnation)
        now = load(self._calls, self._parent_name).head
        if now is None or now.session is None or now.stream != parent.stream:
            raise _ParentChangedError
        announce_change(self._calls, self._tenant, before, session)
        return child

    def give_up(self) -> None:
        """Take back what was noted for heads that were not committed."""
        for child in self._noted:
            drop_references(self._calls, child.segments, child.stream)
