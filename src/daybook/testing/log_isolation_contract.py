"""What nobody may reach: another user's and another tenant's sessions, and a closed log.

The cases are a table by method name. A method that is added to `MessageLog` without a case here
fails the kit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from daybook.errors import DaybookError, StoreClosedError
from daybook.model.scope import Scope
from daybook.model.session import SessionChanges
from daybook.protocols.message_log import MessageLog, PendingSession
from daybook.testing.fake_clock import FakeClock
from daybook.testing.protocol_methods import protocol_methods
from daybook.testing.sample_data import ALICE, BOB, RIVAL, entries, entry, make_session
from daybook.testing.scenario import Contract, scenario

__all__ = ["LOG_CASES", "LogIsolationContract"]

_CANARY = "canary-7f3a"
_Case = Callable[[MessageLog, FakeClock, Scope, str], Awaitable[Any]]


async def _append_creating(
    log: MessageLog, clock: FakeClock, scope: Scope, session_id: str
) -> object:
    new = make_session(session_id, clock, user=str(scope.user_id))
    return await log.append(scope, session_id, entries("x"), create=new)


LOG_CASES: dict[str, tuple[_Case, ...]] = {
    "create_session": (
        lambda log, clock, scope, name: log.create_session(
            scope, make_session(name, clock, user=str(scope.user_id))
        ),
    ),
    "get_session": (lambda log, _, scope, name: log.get_session(scope, name),),
    "list_sessions": (lambda log, _, scope, _name: log.list_sessions(scope, limit=99),),
    "update_session": (
        lambda log, _, scope, name: log.update_session(scope, name, SessionChanges(title="x")),
    ),
    "delete_session": (lambda log, _, scope, name: log.delete_session(scope, name),),
    "fork_session": (
        lambda log, clock, scope, name: log.fork_session(
            scope, name, make_session("fork", clock, user=str(scope.user_id))
        ),
    ),
    "append": (
        lambda log, _, scope, name: log.append(scope, name, entries("x")),
        lambda log, _, scope, name: log.append(scope, name, entries(_CANARY)),
        _append_creating,
    ),
    "read": (
        lambda log, _, scope, name: log.read(scope, name),
        lambda log, _, scope, name: log.read(scope, name, newest_first=True, limit=1),
        lambda log, _, scope, name: log.read(scope, name, view=True),
    ),
    "read_at": (lambda log, _, scope, name: log.read_at(scope, [(name, 1, 9)]),),
    "clear": (lambda log, _, scope, name: log.clear(scope, name),),
    "stats": (
        lambda log, _, scope, name: log.stats(scope, name),
        lambda log, _, scope, _name: log.stats(scope),
    ),
    "tenants": (lambda log, _, _scope, _name: log.tenants(),),
    "sweep": (lambda log, clock, _scope, _name: log.sweep(clock.now()),),
    "span": (lambda log, _, scope, name: log.span(scope, name),),
    "pending": (lambda log, _, scope, _name: log.pending(limit=99, scope=scope),),
    "settle": (
        lambda log, _, scope, name: log.settle(
            [PendingSession(scope.tenant, str(scope.user_id), name, mark) for mark in range(99)]
        ),
    ),
}

_MAY_CONFLICT = {"create_session", "append"}
_NEED_A_USER = {"create_session", "fork_session"}


async def _outcome(call: Awaitable[Any]) -> str:
    try:
        return repr(await call)
    except DaybookError as exc:
        return f"{type(exc).__name__}: {exc}"


class LogIsolationContract(Contract[MessageLog]):
    """Isolation and use after close, for every method there is."""

    def test_every_method_has_an_isolation_case(self) -> None:
        """A method without a case is a hole that nobody looked into."""
        assert set(LOG_CASES) == protocol_methods(MessageLog)

    @scenario
    async def test_no_method_reaches_anothers_session(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Every method, under every foreign scope, shows nothing and changes nothing."""
        await _plant(log, clock)
        before = await _everything(log, ALICE)
        assert _CANARY in before
        for name, cases in LOG_CASES.items():
            for case in cases:
                for foreign in (BOB, RIVAL, Scope("rival"), Scope("rival", "bob")):
                    if foreign.user_id is None and (name in _NEED_A_USER or case is cases[-1]):
                        continue
                    shown = await _outcome(case(log, clock, foreign, "victim"))
                    assert _CANARY not in shown, (name, foreign)
                    assert await _everything(log, ALICE) == before, (name, foreign)

    @scenario
    async def test_anothers_session_answers_like_an_absent_one(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """What is not yours and what is not there are never told apart, except as a taken id."""
        await _plant(log, clock)
        for name, cases in LOG_CASES.items():
            for case in cases:
                if name in _MAY_CONFLICT and case is cases[-1]:
                    continue
                for foreign in (BOB, RIVAL):
                    theirs = await _outcome(case(log, clock, foreign, "victim"))
                    absent = await _outcome(case(log, clock, foreign, "absent"))
                    assert theirs.replace("victim", "absent") == absent, (name, foreign)

    @scenario
    async def test_one_id_in_two_tenants_is_two_sessions(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Each tenant reads, counts and clears its own."""
        await _plant(log, clock)
        assert await log.append(
            RIVAL, "victim", entries("r1", "r2"), create=make_session("victim", clock)
        )
        assert [one.seq for one in await log.read(RIVAL, "victim")] == [1, 2]
        before = await _everything(log, ALICE)
        assert await log.clear(RIVAL, "victim") == 2
        assert await log.delete_session(RIVAL, "victim")
        assert await _everything(log, ALICE) == before

    @scenario
    async def test_a_tenants_scope_reaches_all_its_users(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """A scope without a user is the operator's: whole tenant, never another."""
        await _plant(log, clock)
        assert _CANARY in await _everything(log, Scope("acme"))
        assert _CANARY not in await _everything(log, Scope("rival"))

    @scenario
    async def test_awkward_scopes_stay_apart(self, log: MessageLog, clock: FakeClock) -> None:
        """No two (tenant, user, session) triples meet, however their names are cut or folded."""
        triples = [
            ("a", "b", "c"), ("a:b", "c", "c"), ("a", "b:c", "b:c"), ("a/b", "c", "d"),
            ("A", "b", "c"), ("a", "B", "C"), ("a", "b%", "e"), ("a", "b_", "f"),
            ("a ", "b", "c"), ("a", "b\x00", "g"), ("a\x00", "b", "c"), ("é", "b", "c"),
            ("e\u0301", "b", "c"), ("*", "*", "*"), ("a", "'; --", "h"),
        ]  # fmt: skip
        for number, (tenant, user, session_id) in enumerate(triples):
            scope = Scope(tenant, user)
            await log.create_session(scope, make_session(session_id, clock, user=user))
            await log.append(scope, session_id, [entry("m", f"text {number}")])
        for number, (tenant, user, session_id) in enumerate(triples):
            page = await log.list_sessions(Scope(tenant, user), limit=99)
            assert [one.id for one in page.items] == [session_id]
            [only] = await log.read(Scope(tenant, user), session_id)
            assert only.body == entry("m", f"text {number}").body

    @scenario
    async def test_a_closed_log_refuses_every_method(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Closing is repeatable; everything else raises `StoreClosedError`."""
        await _plant(log, clock)
        await self.engine.close()
        await self.engine.close()
        for name, cases in LOG_CASES.items():
            for case in cases:
                with pytest.raises(StoreClosedError) as caught:
                    await case(log, clock, ALICE, "victim")
                assert caught.value.engine == log.capabilities.engine, name


async def _plant(log: MessageLog, clock: FakeClock) -> None:
    session = make_session(
        "victim", clock, title=_CANARY, metadata={"secret": _CANARY}, ttl=timedelta(days=9)
    )
    await log.create_session(ALICE, session)
    await log.append(ALICE, "victim", [entry(_CANARY, _CANARY), entry("m2", _CANARY)])


async def _everything(log: MessageLog, scope: Scope) -> str:
    page = await log.list_sessions(scope, limit=99)
    bodies = [await log.read(scope, one.id) for one in page.items]
    marks = await log.pending(limit=99, scope=scope)
    return repr((page, bodies, await log.stats(scope), marks))
