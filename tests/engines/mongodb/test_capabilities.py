"""What the engine says of itself is what the server says of itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pymongo.errors import OperationFailure

from daybook.engines.mongodb.capabilities import read_capabilities
from daybook.engines.mongodb.connection import Handles
from daybook.errors import ConfigError
from tests.engines.mongodb.opened import Document, fresh_url, opened
from tests.servers.launch import running
from tests.servers.mongodb import MongoServer, find_program

THREE = {"setName": "rs0", "hosts": ["a:1", "b:1"], "passives": ["c:1"], "maxWireVersion": 17}


async def test_a_set_of_one_is_durable_and_warns(server: MongoServer) -> None:
    async with opened(fresh_url(server.url)) as engine:
        said = engine.capabilities
        assert said.ack == "durable"
        assert "journal is on disk" in said.durability
        [warning] = said.warnings
        assert "one member" in warning
        assert engine.log.capabilities is engine.records.capabilities is said


async def test_a_set_of_three_needs_no_warning() -> None:
    said = await read_capabilities(_server(THREE))
    assert (said.ack, said.warnings) == ("durable", ())
    assert "majority" in said.durability


async def test_a_sharded_cluster_is_taken_as_it_is() -> None:
    said = await read_capabilities(_server({"msg": "isdbgrid", "maxWireVersion": 17}))
    assert (said.ack, said.warnings) == ("durable", ())


async def test_a_server_that_keeps_nothing_is_volatile() -> None:
    status = {"storageEngine": {"name": "inMemory", "persistent": False}}
    said = await read_capabilities(_server(THREE, status))
    assert said.ack == "volatile"
    assert "in-memory" in said.warnings[0]


async def test_a_user_who_may_not_ask_for_the_status_can_work() -> None:
    said = await read_capabilities(_server(THREE, OperationFailure("not authorized", 13)))
    assert said.ack == "durable"


async def test_an_old_server_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"5\.0"):
        await read_capabilities(_server({**THREE, "maxWireVersion": 9}))


def _server(hello: Document, status: Document | Exception | None = None) -> Handles:
    """Return handles of a server that says this of itself."""

    async def command(name: str) -> Document:
        if name == "hello":
            return hello
        if isinstance(status, Exception):
            raise status
        return status or {"storageEngine": {"name": "wiredTiger", "persistent": True}}

    admin = SimpleNamespace(command=command)
    return cast("Handles", SimpleNamespace(client=SimpleNamespace(admin=admin)))


class Standalone(MongoServer):
    """A mongod that is in no replica set."""

    def command(self) -> list[str]:
        """Return the command line of another, without its set."""
        words = super().command()
        place = words.index("--replSet")
        return words[:place] + words[place + 2 :]

    def settle(self) -> None:
        """Leave it as it is."""


async def test_a_standalone_server_is_refused_with_the_way_out() -> None:
    program = find_program()
    settings: dict[str, Any] = {}
    with running(lambda folder, port: Standalone(folder, port, settings, program)) as server:
        url = server.url.partition("?")[0]
        with pytest.raises(ConfigError, match=r"rs\.initiate"):
            async with opened(f"{url}?directConnection=true"):
                pass
