"""A Hypothesis machine that drives any message log and `LogModel` side by side.

Every call's answer or error is compared, and after every step all that can be read.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from daybook.errors import AccessDeniedError, ConflictError
from daybook.model.scope import Scope
from daybook.model.session import SessionChanges
from daybook.protocols.message_log import MessageLog
from daybook.testing.log_forest_rules import LogForestRules
from daybook.testing.log_machine_base import (
    BATCHES,
    IDS,
    SAID,
    SCOPES,
    TTLS,
    USERS,
    machine_settings,
    said_in,
)
from daybook.testing.log_model import Said
from daybook.testing.sample_data import entry, make_session
from daybook.testing.scenario import Contract

__all__ = ["LogStateMachine", "run_log_machine"]


def run_log_machine(
    contract: Contract[MessageLog], *, examples: int, steps: int, shrink: bool = True
) -> None:
    """Compare a contract's engine with the model over many random histories."""
    machine = cast("type[RuleBasedStateMachine]", lambda: LogStateMachine(contract))
    run_state_machine_as_test(machine, settings=machine_settings(examples, steps, shrink=shrink))


class LogStateMachine(LogForestRules):
    """One random history: appends, lives, deletions and pages, besides the forest's rules."""

    @initialize(
        batch=st.lists(SAID, min_size=2, max_size=4, unique_by=lambda said: said[0]),
        at=st.sampled_from([None, 1, 2]),
    )
    def begin(self, batch: list[Said], at: int | None) -> None:
        """Something is there already, so that the first steps have something to break."""
        mine = Scope("t", "u")
        self.append_creating(mine, "u", "s", batch, None)
        if at is not None:
            self.fork(mine, "s", "f", "u", at, None)

    @rule(scope=SCOPES, name=IDS, batch=BATCHES)
    def append(self, scope: Scope, name: str, batch: list[Said]) -> None:
        """To an existing session only."""
        session = self.find(scope, name)
        given = [entry(*said) for said in batch]
        found = self.outcome(self.log.append(scope, name, given))
        self._check_append(scope, name, batch, found, exists=session is not None)

    @rule(scope=SCOPES, user=USERS, name=IDS, batch=BATCHES, ttl=TTLS)
    def append_creating(
        self, scope: Scope, user: str, name: str, batch: list[Said], ttl: timedelta | None
    ) -> None:
        """Making the session if it is missing."""
        now = self.clock.now()
        new = make_session(name, self.clock, user=user, ttl=ttl)
        given = [entry(*said) for said in batch]
        found = self.outcome(self.log.append(scope, name, given, create=new))
        if not scope.reaches(user):
            assert found in (AccessDeniedError, ConflictError)
            return
        owner = self.model.taken(scope.tenant, name, now)
        if (owner and owner.user_id != user) or not self.model.fits(owner, batch):
            assert found is ConflictError
            return
        if owner is None:
            self.model.create(scope.tenant, self.living(user, ttl), name)
        self._check_append(scope, name, batch, found, exists=True)

    def _check_append(
        self, scope: Scope, name: str, batch: list[Said], found: Any, *, exists: bool
    ) -> None:
        now = self.clock.now()
        if not exists:
            assert found is None
        elif not self.model.fits(self.find(scope, name), batch):
            assert found is ConflictError
        else:
            places = self.model.append(scope.tenant, name, batch, now)
            assert (found.first_seq, found.last_seq, found.duplicates) == places

    @rule(scope=SCOPES, user=USERS, name=IDS, ttl=TTLS)
    def create(self, scope: Scope, user: str, name: str, ttl: timedelta | None) -> None:
        """A session of its own."""
        new = make_session(name, self.clock, user=user, ttl=ttl)
        found = self.outcome(self.log.create_session(scope, new))
        if not scope.reaches(user):
            assert found in (AccessDeniedError, ConflictError)
        elif self.model.taken(scope.tenant, name, self.clock.now()):
            assert found is ConflictError
        else:
            self.model.create(scope.tenant, self.living(user, ttl), name)
            assert found == new

    @rule(
        scope=SCOPES,
        name=IDS,
        title=st.sampled_from([None, "x"]),
        ttl=TTLS,
        which=st.sampled_from(["title", "ttl", "both"]),
    )
    def update(
        self, scope: Scope, name: str, title: str | None, ttl: timedelta | None, which: str
    ) -> None:
        """The title, the ttl, or both."""
        changes: dict[str, Any] = {}
        if which != "ttl":
            changes["title"] = title
        if which != "title":
            changes["ttl"] = ttl
        found = self.do(self.log.update_session(scope, name, SessionChanges(**changes)))
        session = self.find(scope, name)
        assert (found is None) is (session is None)
        if session is not None:
            session.title = changes.get("title", session.title)
            if "ttl" in changes:
                session.ttl = ttl
                session.expires_at = None if ttl is None else self.clock.now() + ttl

    @rule(scope=SCOPES, name=IDS)
    def clear(self, scope: Scope, name: str) -> None:
        """The messages go, the count goes on."""
        session = self.find(scope, name)
        assert self.do(self.log.clear(scope, name)) == (len(session.said) if session else 0)
        if session and session.said:
            session.said, session.first_seq = {}, session.last_seq + 1
            self.model.unsettled.add((scope.tenant, session.user_id, name))

    @rule(scope=SCOPES, name=IDS)
    def delete(self, scope: Scope, name: str) -> None:
        """Everything goes; what is left of an expired session too."""
        there = self.find(scope, name) is not None
        assert self.do(self.log.delete_session(scope, name)) is there
        left = self.model.sessions.get((scope.tenant, name))
        if left is not None and scope.reaches(left.user_id):
            self.model.drop(scope.tenant, name)

    @rule(seconds=st.sampled_from([0, 1, 4, 5, 59, 60]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def sweep(self) -> None:
        """What expired is removed for good."""
        gone = self.model.expired(self.clock.now())
        assert self.do(self.log.sweep(self.clock.now())) == len(gone)
        for place in gone:
            self.model.drop(*place)

    @rule(limit=st.integers(1, 3))
    def settle(self, limit: int) -> None:
        """The oldest changes are dealt with."""
        found = self.do(self.log.pending(limit=limit))
        assert len(found) == min(limit, len(self.model.unsettled))
        self.do(self.log.settle(found))
        self.model.unsettled -= {(one.tenant, one.user_id, one.session_id) for one in found}

    @rule(scope=SCOPES, limit=st.integers(1, 3))
    def pages(self, scope: Scope, limit: int) -> None:
        """The whole list, page by page."""
        seen, cursor = list[str](), None
        for _ in range(9):
            page = self.do(self.log.list_sessions(scope, limit=limit, cursor=cursor))
            seen += [one.id for one in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        mine = self.model.reached(scope, self.clock.now())
        assert seen == sorted(sorted(mine), key=lambda name: mine[name].active_at, reverse=True)

    @invariant()
    def everything_agrees(self) -> None:
        """All messages, sessions, counts and marks are those of the model."""
        now = self.clock.now()
        for tenant in ("t", "w"):
            mine = self.model.reached(Scope(tenant), now)
            for name in ("s", "s%", "S", "f"):
                session = mine.get(name)
                found = self.do(self.log.get_session(Scope(tenant), name))
                assert (found is None) is (session is None)
                read = self.do(self.log.read(Scope(tenant), name))
                assert said_in(read) == (list(session.said.items()) if session else [])
                if found is not None and session is not None:
                    assert (found.user_id, found.title) == (session.user_id, session.title)
                    assert (found.ttl, found.expires_at) == (session.ttl, session.expires_at)
                    assert found.message_count == len(session.said)
                    assert found.last_active_at == session.active_at
                    self.check_forest(found, session)
                    self.check_view(Scope(tenant), name, session)
            stats = self.do(self.log.stats(Scope(tenant)))
            assert stats is not None
            count = sum(len(session.said) for session in mine.values())
            assert (stats.session_count, stats.message_count) == (len(mine), count)
        held = self.do(self.log.tenants())
        assert held == sorted(held)
        assert {tenant for tenant, _ in self.model.sessions} <= set(held)
        marks = self.do(self.log.pending(limit=99))
        named = {(one.tenant, one.user_id, one.session_id) for one in marks}
        assert named == self.model.unsettled
