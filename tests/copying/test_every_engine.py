"""A daybook goes around every engine and comes back the same, byte for byte."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

from daybook import AsyncDaybook, Message, ToolCall
from daybook.copying.run import copy_store
from daybook.model.codec import encode_message
from daybook.protocols.clock import SystemClock
from daybook.registry import open_engine
from daybook.testing.odd_data import stored_messages

_LARGEST = 1_000_000
_PATIENCE = "timeout_s=60"  # servers share the machine with other tests


def _url(address: str, option: str) -> str:
    return f"{address}{'&' if '?' in address else '?'}{option}"


async def _fill(url: str) -> None:
    async with AsyncDaybook.open(url, embedder=None, index="none") as book:
        # The largest are in each engine's own contract; a simulator takes a minute over them.
        odd = [one for one in stored_messages().values() if len(encode_message(one)) < _LARGEST]
        await book.history.append("odd", odd, user_id="odd")
        session = await book.sessions.create(
            user_id="alice",
            session_id="plans",
            title="Grüße",
            metadata={"$where": 1, "lc": [2**63]},
            ttl=timedelta(days=30),
            max_messages=3,
        )
        calls = (ToolCall("c", "search", {"q": "x"}),)
        await book.history.append(
            session.id,
            [
                Message.user("first"),
                Message.assistant("", tool_calls=calls),
                Message.tool("found", tool_call_id="c"),
                *(Message.user(f"turn {number}") for number in range(40)),
            ],
        )
        await book.sessions.fork("plans", at=20, new_session_id="branch", ttl=timedelta(days=9))
        await book.history.append("branch", Message.user("elsewhere"))
        await book.sessions.fork("branch", at=10, new_session_id="twig")
        await book.sessions.create(user_id="bob", session_id="cleared")
        await book.history.append("cleared", [Message.user("a"), Message.user("b")])
        await book.history.clear("cleared")
        await book.history.append("cleared", Message.user("c"))
        await book.sessions.share("cleared", "alice", role="writer")
        for version in range(3):
            await book.records.put(("alice", "prefs"), "theme", {"version": version, "x": "\x00"})
        await book.records.put(("bob",), "soon", {}, ttl=timedelta(days=2))


async def _exports(url: str) -> dict[str, str]:
    async with AsyncDaybook.open(url, embedder=None, index="none") as book:
        sessions = (await book.sessions.list(limit=1000)).items
        return {one.id: await book.sessions.export(one.id) for one in sessions}


async def test_around_every_engine_and_back(
    tmp_path: Path,
    redis_url: str,
    redis_cluster_url: str,
    postgres_url: str,
    plain_postgres_url: str,
    mongodb_url: str,
    dynamodb_url: str,
) -> None:
    unique = uuid4().hex[:12]
    mongo, _, options = mongodb_url.partition("?")
    dynamo, _, endpoint = dynamodb_url.partition("?")
    tour = [
        f"sqlite:///{tmp_path}/start.db",
        f"file:///{tmp_path}/folder",
        _url(redis_url, f"prefix={unique}&{_PATIENCE}"),
        _url(redis_cluster_url, f"prefix={unique}&{_PATIENCE}"),
        _url(postgres_url, f"schema=copy_{unique}&connect_timeout_s=60&{_PATIENCE}"),
        _url(f"{mongo.rpartition('/')[0]}/copy_{unique}?{options}", _PATIENCE),
        _url(f"{dynamo}/copy-{unique}?{endpoint}", _PATIENCE),
        _url(plain_postgres_url, f"schema=copy_{unique}&connect_timeout_s=60&{_PATIENCE}"),
        f"sqlite:///{tmp_path}/end.db",
    ]
    await _fill(tour[0])
    checksums = []
    for here, there in pairwise(tour):
        async with AsyncExitStack() as stack:
            source = await open_engine(here, clock=SystemClock())
            stack.push_async_callback(source.close)
            target = await open_engine(there, clock=SystemClock())
            stack.push_async_callback(target.close)
            report = await copy_store(source, target)
        assert report.verified, (there, report.problems)
        assert report.shared_messages == 30, there
        checksums.append(report.checksum)
    assert len(set(checksums)) == 1, dict(zip(tour[1:], checksums, strict=True))
    assert await _exports(tour[-1]) == await _exports(tour[0])
