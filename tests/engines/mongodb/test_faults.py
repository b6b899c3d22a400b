"""A server that refuses, is full, slow, away, or not what Daybook needs."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from daybook.engines.mongodb import open_engine
from daybook.errors import (
    DaybookError,
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreTimeoutError,
    StoreUnavailableError,
)
from daybook.protocols.clock import SystemClock
from daybook.registry import parse_url
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import (
    ALICE,
    entries,
    entry,
    make_session,
    message_ids,
    record,
    start_session,
)
from tests.engines.mongodb.opened import Document, fresh_url, impatient, opened, raw
from tests.servers.fault_proxy import Cut, Faults, fault_proxy
from tests.servers.mongodb import MongoServer

SECRET = "the-words-of-a-message"


@asynccontextmanager
async def failing(server: MongoServer, **data: Any) -> AsyncIterator[None]:
    """Let the server fail some commands for the length of a block."""
    async with raw(server.url) as database:
        point: Document = {"configureFailPoint": "failCommand"}
        chosen = {"failCommands": ["findAndModify", "insert", "update", "find"], **data}
        await database.client.admin.command({**point, "mode": "alwaysOn", "data": chosen})
        try:
            yield
        finally:
            await database.client.admin.command({**point, "mode": "off"})


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"errorCode": 13}, StoreError),
        ({"errorCode": 14031}, StoreFullError),
        ({"errorCode": 50}, StoreTimeoutError),
        ({"errorCode": 10107}, StoreUnavailableError),
        ({"errorCode": 96}, StoreError),
    ],
)
async def test_what_the_server_says_is_one_of_our_errors(
    server: MongoServer, clock: FakeClock, data: Document, kind: type[StoreError]
) -> None:
    """And nothing of what was being stored stands in it or in its traceback."""
    async with opened(fresh_url(server.url), clock=clock) as engine:
        await start_session(engine.log, clock, "a")
        async with failing(server, **data):
            made = make_session("t", clock)
            for call in (
                lambda: engine.log.append(ALICE, "s", [entry("b", SECRET)]),
                lambda: engine.log.append(ALICE, "t", [entry("b", SECRET)], create=made),
                lambda: engine.log.read(ALICE, "s"),
                lambda: engine.records.put(ALICE, [record("k", {"is": SECRET})]),
            ):
                with pytest.raises(StoreError) as caught:
                    await call()
                assert type(caught.value) is kind
                assert caught.value.engine == "mongodb"
                assert SECRET not in "".join(traceback.format_exception(caught.value))
        await engine.log.append(ALICE, "s", entries("b"))
        assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b"]


async def test_a_write_that_the_majority_has_not_is_no_success(
    server: MongoServer, clock: FakeClock
) -> None:
    """The server did it and says that its journal or its fellows have not answered."""
    unsure = {"code": 64, "errmsg": "waiting for replication timed out"}
    async with opened(fresh_url(server.url), clock=clock) as engine:
        await start_session(engine.log, clock, "a")
        async with failing(server, writeConcernError=unsure, failCommands=["update"]):
            with pytest.raises(StoreTimeoutError):
                await engine.log.append(ALICE, "s", entries("b"))
        again = await engine.log.append(ALICE, "s", entries("b"))
        assert again is not None
        assert (again.first_seq, again.duplicates) == (2, 1)


async def test_a_server_that_quotes_documents_does_not_show_them(
    server: MongoServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A driver's error of many writes holds the documents themselves."""
    url = fresh_url(server.url)
    async with opened(url, clock=clock) as engine, raw(url) as database:
        await start_session(engine.log, clock)
        await database.command({"collMod": "blocks", "validator": {"never": True}})
        batch = [entry(f"b{number}", f"{SECRET} {number}") for number in range(200)]
        with pytest.raises(DaybookError) as caught:
            await engine.log.append(ALICE, "s", batch)
        shown = "".join(traceback.format_exception(caught.value))
        assert "mongodb" in shown
        assert SECRET not in shown + caplog.text
        assert await engine.log.read(ALICE, "s") == []
        with pytest.raises(Exception, match=SECRET):  # the driver's own does show them
            await database["blocks"].insert_many([{"b": f"{SECRET} {n}"} for n in range(2)])


@pytest.mark.parametrize("times", [1, 3])
async def test_a_transaction_that_meets_another_is_run_again(
    server: MongoServer, clock: FakeClock, times: int
) -> None:
    """A write conflict inside, and a commit whose answer is lost."""
    async with opened(fresh_url(server.url), clock=clock) as engine:
        await start_session(engine.log, clock, "a")
        async with raw(server.url) as database:
            for command, data in (
                ("insert", {"errorCode": 112, "errorLabels": ["TransientTransactionError"]}),
                ("commitTransaction", {"closeConnection": True}),
            ):
                await database.client.admin.command(
                    {
                        "configureFailPoint": "failCommand",
                        "mode": {"times": times},
                        "data": {"failCommands": [command], **data},
                    }
                )
                batch = [entry(f"{command}{number}") for number in range(100)]
                done = await engine.log.append(ALICE, "s", batch)
                assert done is not None
                assert done.duplicates == 0
        assert len(await engine.log.read(ALICE, "s")) == 201


async def test_a_frozen_server_ends_every_call_in_time(
    server: MongoServer, clock: FakeClock
) -> None:
    async with opened(fresh_url(server.url), clock=clock) as engine:
        await start_session(engine.log, clock, "a")
        with server.stop_cont(), impatient(engine, 0.5):
            calls = (
                engine.log.append(ALICE, "s", entries("b")),
                engine.log.append(ALICE, "s", [entry(f"m{number}") for number in range(99)]),
                engine.log.read(ALICE, "s"),
                engine.records.put(ALICE, [record("k"), record("l")]),
                engine.records.list(ALICE, (), limit=9),
            )
            async with asyncio.timeout(60):
                found = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(one) for one in found} <= {StoreTimeoutError, StoreUnavailableError}
        await engine.log.append(ALICE, "s", entries("c"))
        assert message_ids(await engine.log.read(ALICE, "s"))[0] == "a"


@pytest.mark.parametrize("command", [b"update", b"findAndModify"], ids=["alone", "in_company"])
async def test_a_lost_reply_is_no_lost_and_no_doubled_message(
    server: MongoServer, clock: FakeClock, command: bytes
) -> None:
    """The driver sends the write again, and the server knows it."""
    url = fresh_url(server.url).replace("replicaSet=rs0", "directConnection=true")
    with fault_proxy(server.port) as proxy:
        async with opened(proxy.url(url), clock=clock) as engine, opened(url, clock=clock) as other:
            await start_session(engine.log, clock, "a")
            await engine.log.append(ALICE, "s", entries("b"))
            writer = engine if command == b"update" else other
            await writer.log.append(ALICE, "s", entries("c"))
            proxy.faults = Faults(cut=Cut(request_contains=command, times=1))
            done = await engine.log.append(ALICE, "s", entries("d"))
            assert done is not None
            assert (done.first_seq, done.last_seq, done.duplicates) == (4, 4, 0)
            assert proxy.cuts == 1
            assert message_ids(await engine.log.read(ALICE, "s")) == ["a", "b", "c", "d"]


async def test_a_server_that_is_not_there_is_unavailable(server: MongoServer) -> None:
    url = server.url.replace(f":{server.port}", ":1")
    with pytest.raises((StoreUnavailableError, StoreTimeoutError)) as caught:
        await open_engine(parse_url(f"{url}&timeout_s=0.5"), clock=SystemClock())
    assert (caught.value.engine, caught.value.retryable) == ("mongodb", True)


async def test_a_closed_engine_says_so(server: MongoServer, clock: FakeClock) -> None:
    async with opened(fresh_url(server.url), clock=clock) as engine:
        pass
    with pytest.raises(StoreClosedError):
        await engine.log.tenants()
    await engine.close()
