"""A reply that belongs to another call is never believed."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from daybook.engines.redis import connections
from daybook.errors import StoreError, StoreUnavailableError
from daybook.model.scope import Scope
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import entry, make_session, message_ids, start_session
from tests.engines.redis.opened import fresh_prefix, keys_of, opened, raw
from tests.servers.fault_proxy import Faults, fault_proxy
from tests.servers.redis import redis_server

_USERS = [f"user-{number}" for number in range(8)]


async def test_replies_off_by_one_are_all_refused(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deliberately buggy client hands each call the reply of the call before."""
    clock = FakeClock()
    late: list[Any] = []
    true_read = connections._read

    async def read_before(connection: Any) -> Any:
        late.append(await true_read(connection))
        return late.pop(0) if len(late) > 1 else late[0]

    async with opened(redis_url, clock=clock) as engine:
        scopes = [Scope("acme", user) for user in _USERS]
        for scope in scopes:
            await start_session(engine.log, clock, f"of {scope.user_id}", scope=scope,
                                session_id=str(scope.user_id))  # fmt: skip
        await engine.log.read(scopes[0], _USERS[0])  # the server now knows the script
        monkeypatch.setattr(connections, "_read", read_before)
        first = await engine.log.read(scopes[0], _USERS[0])
        assert message_ids(first) == ["of user-0"]
        for scope in scopes[1:]:
            with pytest.raises(StoreUnavailableError):
                await engine.log.read(scope, str(scope.user_id))
        monkeypatch.undo()
        for scope in scopes:
            found = await engine.log.read(scope, str(scope.user_id))
            assert message_ids(found) == [f"of {scope.user_id}"]


async def test_cancelled_calls_leave_no_reply_to_others() -> None:
    """Hundreds of calls behind a slow network, two in five cancelled at any moment."""
    clock = FakeClock()
    chance = random.Random(7)  # noqa: S311 - no secret
    with redis_server() as server, fault_proxy(server.port) as proxy:
        async with opened(proxy.url(server.url), clock=clock, max_connections=4) as engine:
            for user in _USERS:
                await start_session(engine.log, clock, f"of {user}", scope=Scope("acme", user),
                                    session_id=user)  # fmt: skip
            proxy.faults = Faults(latency_s=0.001, jitter_s=0.002)
            right = 0

            async def use(number: int) -> None:
                nonlocal right
                user = _USERS[number % len(_USERS)]
                scope = Scope("acme", user)
                task = asyncio.create_task(engine.log.read(scope, user, limit=1))
                if chance.random() < 0.4:
                    await asyncio.sleep(chance.random() * 0.02)
                    task.cancel()
                try:
                    found = await task
                except asyncio.CancelledError:
                    return
                assert message_ids(found) == [f"of {user}"]
                right += 1

            for _ in range(20):
                await asyncio.gather(*(use(number) for number in range(40)))
            assert right > 300


async def test_a_cancelled_append_can_be_repeated(redis_url: str) -> None:
    """Whether it was stored or not, once repeated it is there once."""
    clock = FakeClock()
    scope = Scope("acme", "alice")
    async with opened(redis_url, clock=clock) as engine:
        await engine.log.create_session(scope, make_session("s", clock))
        for number in range(60):
            task = asyncio.create_task(engine.log.append(scope, "s", [entry(f"m{number}")]))
            for _ in range(number % 6):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await engine.log.append(scope, "s", [entry(f"m{number}")])
        found = message_ids(await engine.log.read(scope, "s"))
        assert found == [f"m{number}" for number in range(60)]


async def test_an_error_shows_no_key_and_no_text(redis_url: str) -> None:
    """What a server complains of may quote its keys; our error does not."""
    clock, prefix = FakeClock(), fresh_prefix()
    scope = Scope("acme", "alice")
    async with (
        opened(redis_url, clock=clock, prefix=prefix) as engine,
        raw(redis_url) as client,
    ):
        await start_session(engine.log, clock, "canary", session_id="canary")
        found = await keys_of(client, prefix)
        [key] = [full for short, full in found.items() if short.startswith("s:")]
        await client.delete(key)
        await client.rpush(key, "canary")
        with pytest.raises(StoreError) as caught:
            await engine.log.append(scope, "canary", [entry("canary", "canary")])
        assert not caught.value.retryable
        assert "canary" not in str(caught.value)
