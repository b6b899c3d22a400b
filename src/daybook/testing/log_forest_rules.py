"""Rules of the log's state machine about forks, views, grants and restored sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from daybook.errors import AccessDeniedError, ConflictError, InvalidInputError
from daybook.model.scope import Scope
from daybook.model.session import Ancestor, Grant, SessionChanges
from daybook.testing.log_machine_base import (
    IDS,
    SCOPES,
    TTLS,
    USERS,
    LogMachineBase,
    said_in,
)
from daybook.testing.log_model import ModelSession
from daybook.testing.sample_data import make_session

__all__ = ["LogForestRules"]

_WINDOWS = st.tuples(
    st.sampled_from([0, 0, 0, 1, 2, 5, 8]),
    st.sampled_from([None, None, 2, 4, 9]),
    st.integers(1, 3),
    st.booleans(),
    st.booleans(),
)
_PLACES = st.lists(st.tuples(IDS, st.integers(0, 8), st.integers(0, 8)), max_size=3)
_GRANTS = st.dictionaries(
    st.sampled_from(["v", "$x."]), st.sampled_from([None, "reader", "writer"]), max_size=2
)


class LogForestRules(LogMachineBase):
    """Sessions that share their past, and what of them is shown to whom."""

    @rule(
        scope=SCOPES,
        name=IDS,
        child=IDS,
        user=USERS,
        at=st.sampled_from([None, None, 0, 1, 2, 3, 7]),
        ttl=TTLS,
    )
    def fork(
        self, scope: Scope, name: str, child: str, user: str, at: int | None, ttl: timedelta | None
    ) -> None:
        """Under any id, from any place that may be there."""
        now = self.clock.now()
        parent = self.find(scope, name)
        new = make_session(child, self.clock, user=user, ttl=ttl)
        found = self.outcome(self.log.fork_session(scope, name, new, at=at))
        if parent is None:
            assert found is None
            return
        refused = set[type[Exception]]()
        if not scope.reaches(user) or user != parent.user_id:
            refused.add(AccessDeniedError)
        place = parent.last_seq if at is None else at
        if not parent.first_seq - 1 <= place <= parent.last_seq:
            refused.add(InvalidInputError)
        if self.model.taken(scope.tenant, child, now):
            refused.add(ConflictError)
        if refused:
            assert isinstance(found, type)
            assert found in refused
            return
        fork = self.model.fork(scope.tenant, name, child, place, ttl, now)
        assert not isinstance(found, type)
        assert found is not None
        assert (found.id, found.message_count) == (child, len(fork.said))
        self.check_forest(found, fork)

    @rule(scope=SCOPES, name=IDS, window=_WINDOWS)
    def window(
        self, scope: Scope, name: str, window: tuple[int, int | None, int, bool, bool]
    ) -> None:
        """A random window of a random session, or of its view."""
        after, before, limit, newest, view = window
        session = self.find(scope, name)
        low = after if session is None or not view else max(after, session.first_in_view() - 1)
        wanted = [
            (seq, said)
            for seq, said in (session.said if session else {}).items()
            if seq > low and (before is None or seq < before)
        ]
        wanted = (wanted[::-1] if newest else wanted)[:limit]
        found = self.do(
            self.log.read(
                scope, name, after=after, before=before, limit=limit, newest_first=newest, view=view
            )
        )
        assert said_in(found) == wanted

    @rule(scope=SCOPES, places=_PLACES)
    def places(self, scope: Scope, places: list[tuple[str, int, int]]) -> None:
        """Random places of several sessions in one call."""
        sessions = [self.find(scope, name) for name, _, _ in places]
        wanted = [
            [(seq, said) for seq, said in (one.said if one else {}).items() if first <= seq <= last]
            for one, (_, first, last) in zip(sessions, places, strict=True)
        ]
        found = self.do(self.log.read_at(scope, places))
        assert [said_in(one) for one in found] == wanted

    @rule(scope=SCOPES, name=IDS, grants=_GRANTS, shown=st.sampled_from([..., None, 1, 2]))
    def share(self, scope: Scope, name: str, grants: dict[str, Any], shown: Any) -> None:
        """Grants given and taken away, and how much the view shows."""
        now = self.clock.now()
        given = {
            user: role and Grant(user_id=user, role=role, granted_at=now)
            for user, role in grants.items()
        }
        changes = SessionChanges(grants=given, max_messages=shown)
        found = self.do(self.log.update_session(scope, name, changes))
        session = self.find(scope, name)
        assert (found is None) is (session is None)
        if session is not None:
            session.grants.update(grants)
            if shown is not ...:
                session.max_messages = shown

    @rule(scope=SCOPES, user=USERS, name=IDS, first=st.sampled_from([1, 4]), age=st.integers(0, 90))
    def restore(self, scope: Scope, user: str, name: str, first: int, age: int) -> None:
        """A session from elsewhere: its first number, its ancestors, its exact life."""
        now = self.clock.now()
        origin = (Ancestor("elsewhere", first + 1),)
        new = make_session(name, self.clock, user=user, first_seq=first, ancestors=origin)
        if not scope.reaches(user) or self.model.taken(scope.tenant, name, now):
            found = self.outcome(self.log.create_session(scope, new))
            assert isinstance(found, type)
            assert found in (AccessDeniedError, ConflictError)
            return
        self.do(self.log.create_session(scope, new))
        active, end = now - timedelta(seconds=age), now + timedelta(seconds=95 - age)
        changes = SessionChanges(last_active_at=active, expires_at=end)
        self.do(self.log.update_session(scope, name, changes))
        self.model.create(scope.tenant, ModelSession(user, None, active, end, first, origin), name)

    def check_view(self, scope: Scope, name: str, session: ModelSession) -> None:
        """Compare the newest end of what a session shows."""
        first = session.first_in_view()
        wanted = [(seq, said) for seq, said in session.said.items() if seq >= first][::-1][:3]
        found = self.do(self.log.read(scope, name, limit=3, newest_first=True, view=True))
        assert said_in(found) == wanted

    def check_forest(self, found: Any, session: ModelSession) -> None:
        """Compare what a session says of its numbers, its past and its readers."""
        assert (found.first_seq, found.last_seq) == (session.first_seq, session.last_seq)
        assert found.ancestors == session.ancestors
        assert found.max_messages == session.max_messages
        assert {one.user_id: one.role for one in found.grants} == {
            user: role for user, role in session.grants.items() if role is not None
        }
