"""The rights that the engine's page lists are enough, and none is listed for nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from daybook.engines.redis import RedisEngine
from daybook.errors import ConfigError
from daybook.model.scope import Scope
from daybook.model.session import SessionChanges
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import entries, make_session, message_ids, record
from tests.engines.redis.opened import command, opened, raw
from tests.servers.redis import RedisServer, redis_server

PAGE = Path(__file__).parents[3] / "docs/engines/redis.md"
_OUTSIDE = set("eval evalsha info config|get cluster|slots asking select".split())


def _words() -> list[str]:
    [line] = re.findall(r"^ACL SETUSER .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return str(line).split()


def test_the_page_lists_what_the_scripts_run() -> None:
    scripts = files("daybook.engines.redis") / "lua"
    texts = [one.read_text() for one in Path(str(scripts)).rglob("*.lua")]
    used = {word.lower() for text in texts for word in re.findall(r"call\('([A-Z]+)'", text)}
    assert len(used) > 20
    assert {word[1:] for word in _words() if word[0] == "+"} == used | _OUTSIDE


async def _use(engine: RedisEngine, clock: FakeClock, tenant: str) -> None:
    """Call all that there is, with something to find each time."""
    everyone, alice = Scope(tenant), Scope(tenant, "alice")
    log, records, hour = engine.log, engine.records, timedelta(hours=1)
    for name in ("s", "t"):
        new = make_session(name, clock, ttl=hour)
        await log.append(alice, name, entries("a", "b"), create=new)
    await log.fork_session(alice, "s", make_session("f", clock), at=1)
    await log.update_session(alice, "s", SessionChanges(title="new", ttl=None))
    assert message_ids(await log.read(everyone, "f")) == ["a"]
    assert len((await log.list_sessions(everyone, limit=9)).items) == 3
    assert await log.stats(everyone)
    await log.settle(await log.pending(limit=9))
    await log.clear(alice, "s")
    await log.delete_session(alice, "s")
    assert await log.tenants() == [tenant]
    for _ in range(2):
        new_record = record("k", expires_at=clock.now() + hour)
        await records.put(alice, [new_record, record("l"), record("m")])
    assert len(await records.list(alice, (), limit=9)) == 3
    assert len(await records.versions(alice, ("alice",), "k", limit=9)) == 2
    assert await records.namespaces(alice, (), limit=9) == [("alice",)]
    assert await records.delete(alice, [(("alice",), "l")]) == 1
    clock.advance(2 * hour)
    assert await log.sweep(clock.now()) == 1
    assert len(await records.sweep(clock.now())) == 1
    assert await records.delete_namespace(alice, ("alice",)) == 1


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server(appendonly=True) as server:
        yield server


async def _use_with(server: RedisServer, less: str, prefix: str = "daybook") -> tuple[str, ...]:
    """Use an engine with the page's rights but one; return what it warned of."""
    async with raw(server.url) as client:
        await command(client, *_words(), *less.split())
    clock = FakeClock()
    url = server.url.replace("//", "//daybook:secret@")
    async with opened(url, clock=clock, prefix=prefix) as engine:
        await _use(engine, clock, "acme")
        return engine.capabilities.warnings


async def test_they_are_enough(server: RedisServer) -> None:
    assert await _use_with(server, less="") == ()


@pytest.mark.parametrize(
    ("less", "prefix"),
    [("-rpush", "daybook"), ("-zrangebylex", "daybook"), ("-evalsha", "daybook"), ("", "other")],
)
async def test_one_less_is_not_and_the_error_says_where_to_look(
    server: RedisServer, less: str, prefix: str
) -> None:
    with pytest.raises(ConfigError, match="the engine's page"):
        await _use_with(server, less, prefix)
