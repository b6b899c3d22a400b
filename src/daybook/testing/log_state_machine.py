"""A Hypothesis machine that drives any message log and `LogModel` side by side.

Every call's answer or error is compared, and after every step all that can be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar, cast

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from daybook.errors import AccessDeniedError, ConflictError
from daybook.model.codec import decode_message
from daybook.model.entry import StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import SessionChanges
from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.log_model import LogModel, Said
from daybook.testing.sample_data import entry, make_session
from daybook.testing.scenario import Contract

__all__ = ["LogStateMachine", "machine_settings", "run_log_machine"]

T = TypeVar("T")

_SCOPES = st.sampled_from(
    [*[Scope("t", "u")] * 3, Scope("t", "v"), Scope("w", "u"), Scope("t"), Scope("t", "U")]
)
_USERS = st.sampled_from(["u", "u", "u", "v"])
_IDS = st.sampled_from(["s", "s%", "S"])
_SAID = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["1"] * 9 + ["2"]))
_BATCHES = st.lists(_SAID, min_size=1, max_size=4)
_TTLS = st.sampled_from([None, None, timedelta(seconds=5), timedelta(seconds=60)])


def machine_settings(examples: int, steps: int, *, shrink: bool) -> settings:
    """Return how long a machine runs; nothing is kept between runs."""
    phases = [one for one in Phase if shrink or one not in (Phase.shrink, Phase.explain)]
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def run_log_machine(
    contract: Contract[MessageLog], *, examples: int, steps: int, shrink: bool = True
) -> None:
    """Compare a contract's engine with the model over many random histories."""
    machine = cast("type[RuleBasedStateMachine]", lambda: LogStateMachine(contract))
    run_state_machine_as_test(machine, settings=machine_settings(examples, steps, shrink=shrink))


class LogStateMachine(RuleBasedStateMachine):
    """One random history."""

    def __init__(self, contract: Contract[MessageLog]) -> None:
        super().__init__()
        contract.renew()
        self.clock = FakeClock()
        self.model = LogModel()
        self.loop = asyncio.new_event_loop()
        self.engine = self.do(contract.open(self.clock))
        self.log = contract.store_of(self.engine)

    def do(self, call: Coroutine[Any, Any, T]) -> T:
        """Run one call."""
        return self.loop.run_until_complete(call)

    def outcome(self, call: Coroutine[Any, Any, T]) -> T | type[Exception]:
        """Return a call's answer, or the class of the error that the protocol allows."""
        try:
            return self.do(call)
        except (ConflictError, AccessDeniedError) as exc:
            return type(exc)

    def teardown(self) -> None:
        """Close the engine and the loop."""
        self.do(self.engine.close())
        self.loop.close()

    @initialize(batch=st.lists(_SAID, min_size=2, max_size=4, unique_by=lambda said: said[0]))
    def begin(self, batch: list[Said]) -> None:
        """Something is there already, so that the first steps have something to break."""
        self.append_creating(Scope("t", "u"), "u", "s", batch, None)

    @rule(scope=_SCOPES, name=_IDS, batch=_BATCHES)
    def append(self, scope: Scope, name: str, batch: list[Said]) -> None:
        """To an existing session only."""
        session = self.model.find(scope, name, self.clock.now())
        given = [entry(*said) for said in batch]
        found = self.outcome(self.log.append(scope, name, given))
        self._check_append(scope, name, batch, found, exists=session is not None)

    @rule(scope=_SCOPES, user=_USERS, name=_IDS, batch=_BATCHES, ttl=_TTLS)
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
            self.model.create(scope.tenant, user, name, ttl, now)
        self._check_append(scope, name, batch, found, exists=True)

    def _check_append(
        self, scope: Scope, name: str, batch: list[Said], found: Any, *, exists: bool
    ) -> None:
        now = self.clock.now()
        if not exists:
            assert found is None
        elif not self.model.fits(self.model.find(scope, name, now), batch):
            assert found is ConflictError
        else:
            places = self.model.append(scope.tenant, name, batch, now)
            assert (found.first_seq, found.last_seq, found.duplicates) == places

    @rule(scope=_SCOPES, user=_USERS, name=_IDS, ttl=_TTLS)
    def create(self, scope: Scope, user: str, name: str, ttl: timedelta | None) -> None:
        """A session of its own."""
        new = make_session(name, self.clock, user=user, ttl=ttl)
        found = self.outcome(self.log.create_session(scope, new))
        if not scope.reaches(user):
            assert found in (AccessDeniedError, ConflictError)
        elif self.model.taken(scope.tenant, name, self.clock.now()):
            assert found is ConflictError
        else:
            self.model.create(scope.tenant, user, name, ttl, self.clock.now())
            assert found == new

    @rule(
        scope=_SCOPES,
        name=_IDS,
        title=st.sampled_from([None, "x"]),
        ttl=_TTLS,
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
        session = self.model.find(scope, name, self.clock.now())
        assert (found is None) is (session is None)
        if session is not None:
            session.title = changes.get("title", session.title)
            if "ttl" in changes:
                session.ttl = ttl
                session.expires_at = None if ttl is None else self.clock.now() + ttl

    @rule(scope=_SCOPES, name=_IDS)
    def clear(self, scope: Scope, name: str) -> None:
        """The messages go, the count goes on."""
        session = self.model.find(scope, name, self.clock.now())
        assert self.do(self.log.clear(scope, name)) == (len(session.said) if session else 0)
        if session and session.said:
            session.said = {}
            self.model.unsettled.add((scope.tenant, session.user_id, name))

    @rule(scope=_SCOPES, name=_IDS)
    def delete(self, scope: Scope, name: str) -> None:
        """Everything goes; what is left of an expired session too."""
        there = self.model.find(scope, name, self.clock.now()) is not None
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

    @rule(
        scope=_SCOPES,
        name=_IDS,
        after=st.sampled_from([0, 0, 0, 1, 2, 5]),
        before=st.sampled_from([None, None, 2, 4, 9]),
        limit=st.integers(1, 3),
        newest=st.booleans(),
    )
    def window(
        self, scope: Scope, name: str, after: int, before: int | None, limit: int, newest: bool
    ) -> None:
        """A random window of a random session."""
        session = self.model.find(scope, name, self.clock.now())
        wanted = [
            (seq, said)
            for seq, said in (session.said if session else {}).items()
            if seq > after and (before is None or seq < before)
        ]
        wanted = (wanted[::-1] if newest else wanted)[:limit]
        found = self.do(
            self.log.read(scope, name, after=after, before=before, limit=limit, newest_first=newest)
        )
        assert _said(found) == wanted

    @rule(scope=_SCOPES, limit=st.integers(1, 3))
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
            for name in ("s", "s%", "S"):
                session = mine.get(name)
                found = self.do(self.log.get_session(Scope(tenant), name))
                assert (found is None) is (session is None)
                read = self.do(self.log.read(Scope(tenant), name))
                assert _said(read) == (list(session.said.items()) if session else [])
                if found is not None and session is not None:
                    assert (found.user_id, found.title) == (session.user_id, session.title)
                    assert (found.ttl, found.expires_at) == (session.ttl, session.expires_at)
                    assert found.message_count == len(session.said)
                    assert found.last_active_at == session.active_at
            stats = self.do(self.log.stats(Scope(tenant)))
            assert stats is not None
            count = sum(len(session.said) for session in mine.values())
            assert (stats.session_count, stats.message_count) == (len(mine), count)
        marks = self.do(self.log.pending(limit=99))
        named = {(one.tenant, one.user_id, one.session_id) for one in marks}
        assert named == self.model.unsettled


def _said(found: list[StoredEntry]) -> list[tuple[int, Said]]:
    messages = [(one.seq, decode_message(one.body)) for one in found]
    return [(seq, (message.id, message.text)) for seq, message in messages]
