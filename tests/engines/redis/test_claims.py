"""A session id names one session of its tenant, although users live in different buckets."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from daybook.engines.redis import RedisEngine
from daybook.engines.redis.buckets import bucket_of_user, natural_bucket
from daybook.engines.redis.script_calls import Reply
from daybook.errors import ConflictError
from daybook.model.entry import AppendResult
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import entries, make_session, message_ids
from tests.engines.redis.opened import fresh_prefix, keys_of, opened, raw

_HOUR = timedelta(hours=1)
_TENANT = Scope("acme")


def _homeless_id(user: str = "alice") -> str:
    """Return an id whose natural bucket is not its user's."""
    names = (f"chat-{number}" for number in range(99))
    return next(n for n in names if natural_bucket("acme", n) != bucket_of_user("acme", user))


async def _aliases(url: str, prefix: str) -> int:
    async with raw(url) as client:
        found = await keys_of(client, prefix)
        return 0 if "alias" not in found else await client.hlen(found["alias"])


async def test_many_users_race_for_an_id_and_one_gets_it(redis_url: str) -> None:
    users = [f"user-{number}" for number in range(24)]
    clock = FakeClock()
    async with opened(redis_url, clock=clock) as engine:
        for round_ in range(5):
            name = f"round {round_}"
            made = await asyncio.gather(
                *(
                    engine.log.create_session(
                        Scope("acme", user), make_session(name, clock, user=user)
                    )
                    for user in users
                ),
                return_exceptions=True,
            )
            won = [one for one in made if isinstance(one, Session)]
            assert len(won) == 1
            assert sum(isinstance(one, ConflictError) for one in made) == len(users) - 1
            assert await engine.log.get_session(_TENANT, name) == won[0]
        listed = await engine.log.list_sessions(_TENANT, limit=99)
        assert len(listed.items) == 5


async def test_one_users_racing_appends_make_one_session(redis_url: str) -> None:
    clock = FakeClock()
    name = _homeless_id()
    async with opened(redis_url, clock=clock) as engine:
        scope = Scope("acme", "alice")
        found = await asyncio.gather(
            *(
                engine.log.append(
                    scope, name, entries(f"m{number}"), create=make_session(name, clock)
                )
                for number in range(20)
            )
        )
        assert sorted(one.first_seq for one in found if one) == list(range(1, 21))
        assert len(await engine.log.read(_TENANT, name)) == 20


async def test_an_id_is_found_without_its_user_and_followed_to_another(redis_url: str) -> None:
    """A remembered place is asked first, and not believed if the session is gone from there."""
    clock = FakeClock()
    name = _homeless_id()
    async with opened(redis_url, clock=clock) as engine:
        log = engine.log
        await log.append(
            Scope("acme", "alice"), name, entries("a"), create=make_session(name, clock)
        )
        assert message_ids(await log.read(_TENANT, name)) == ["a"]
        assert await log.delete_session(_TENANT, name)
        assert await log.read(_TENANT, name) == []
        for user in ("bob", "carol", "dave"):
            scope = Scope("acme", user)
            new = make_session(name, clock, user=user)
            await log.append(scope, name, entries(user), create=new)
            assert message_ids(await log.read(_TENANT, name)) == [user]
            assert await log.append(_TENANT, name, entries("x")) == AppendResult(2, 2, 0, user)
            assert await log.delete_session(_TENANT, name)


async def _claim_only(engine: RedisEngine, name: str, user: str) -> None:
    """Do the first half of making a session, as a process does that dies in the middle."""
    named = {
        "tenant": "acme",
        "id": name,
        "bucket": f"{bucket_of_user('acme', user):02x}",
        "now": 0,
        "margin": 1000,
    }
    reply = await engine._calls.call("claim", natural_bucket("acme", name), named)
    assert reply.status == "ok"


async def test_a_claim_that_nothing_came_of_is_taken_over(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daybook.engines.redis.session_claims._PATIENCE_MS", 50)
    clock, prefix, name = FakeClock(), fresh_prefix(), _homeless_id("alice")
    async with opened(redis_url, clock=clock, prefix=prefix) as engine:
        await _claim_only(engine, name, "alice")
        assert await engine.log.get_session(_TENANT, name) is None
        made = await engine.log.create_session(
            Scope("acme", "bob"), make_session(name, clock, user="bob")
        )
        assert await engine.log.get_session(_TENANT, name) == made


async def test_a_maker_whose_claim_was_taken_over_claims_anew_or_fails(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that sleeps between claim and creation cannot make a second session of the id."""
    monkeypatch.setattr("daybook.engines.redis.session_claims._PATIENCE_MS", 50)
    clock, name = FakeClock(), _homeless_id("alice")
    async with opened(redis_url, clock=clock) as engine:
        calls = engine._calls
        claimed, go_on = asyncio.Event(), asyncio.Event()
        whole_call = calls.call

        async def slow_call(script: str, bucket: int, arguments: Any, *bodies: bytes) -> Reply:
            if (
                script == "create"
                and arguments["user"] == "alice"
                and arguments["new"].get("token")
            ):
                claimed.set()
                await go_on.wait()
            return await whole_call(script, bucket, arguments, *bodies)

        monkeypatch.setattr(calls, "call", slow_call)
        slow = asyncio.create_task(
            engine.log.create_session(Scope("acme", "alice"), make_session(name, clock))
        )
        await claimed.wait()
        quick = await engine.log.create_session(
            Scope("acme", "bob"), make_session(name, clock, user="bob")
        )
        go_on.set()
        with pytest.raises(ConflictError):
            await slow
        assert await engine.log.get_session(_TENANT, name) == quick
        assert await engine.log.get_session(Scope("acme", "alice"), name) is None


async def test_no_alias_stays_behind(redis_url: str) -> None:
    """Deleted, swept, or dropped by the server and swept: the id's place is given back."""
    clock, prefix, name = FakeClock(), fresh_prefix(), _homeless_id()
    scope = Scope("acme", "alice")
    async with opened(redis_url, clock=clock, prefix=prefix) as engine:
        for end in ("delete", "sweep", "server"):
            await engine.log.create_session(scope, make_session(name, clock, ttl=_HOUR))
            assert await _aliases(redis_url, prefix) == 1
            if end == "delete":
                assert await engine.log.delete_session(scope, name)
            else:
                if end == "server":
                    async with raw(redis_url) as client:
                        found = await keys_of(client, prefix)
                        gone = [full for short, full in found.items() if short[:2] in ("s:", "b:")]
                        assert await client.delete(*gone) == 2
                clock.advance(_HOUR)
                assert await engine.log.sweep(clock.now()) == 1
            assert await _aliases(redis_url, prefix) == 0, end


async def test_a_generated_id_takes_no_alias(redis_url: str) -> None:
    clock, prefix = FakeClock(), fresh_prefix()
    async with opened(redis_url, clock=clock, prefix=prefix) as engine:
        tag = f"{bucket_of_user('acme', 'alice'):02x}0000"
        name = f"{tag}-0190c3f2-0000-7000-8000-000000000000"
        await engine.log.create_session(Scope("acme", "alice"), make_session(name, clock))
        assert await engine.log.get_session(_TENANT, name) is not None
        assert await _aliases(redis_url, prefix) == 0
