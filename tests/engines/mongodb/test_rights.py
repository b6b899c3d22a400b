"""A server with users: what a user needs, and what one who may not is told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from daybook.errors import StoreError
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entry, message_ids, record, start_session
from tests.engines.mongodb.opened import database_of, fresh_url, opened, raw
from tests.servers.launch import running
from tests.servers.mongodb import MongoServer, find_program


class Guarded(MongoServer):
    """A mongod that asks who is there."""

    def command(self) -> list[str]:
        """Return the command line of another, with a key, which turns users on."""
        return [*super().command(), "--keyFile", str(self.folder / "key")]

    def prepare(self) -> None:
        """Make the data folder and the key that members know each other by."""
        super().prepare()
        key = self.folder / "key"
        key.write_text("members" * 2)
        key.chmod(0o400)


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """The URL of a database with a user who writes and one who reads."""
    program = find_program()
    with running(lambda folder, port: Guarded(folder, port, {}, program)) as server:
        made = fresh_url(server.url)
        root = {"role": "root", "db": "admin"}
        async with raw(server.url) as database:  # the first user is made by anyone on the machine
            admin = database.client.admin
            await admin.command({"createUser": "root", "pwd": "r", "roles": [root]})
        async with raw(_as(made, "root:r", "admin")) as database:
            for name, role in (("writer", "readWrite"), ("reader", "read")):
                await database.command({"createUser": name, "pwd": "p:@/%", "roles": [role]})
        yield made


def _as(url: str, who: str, source: str | None = None) -> str:
    return f"{url.replace('//', f'//{who}@')}&authSource={source or database_of(url)}"


async def test_to_read_and_write_is_enough_and_less_is_not(url: str, clock: FakeClock) -> None:
    async with opened(_as(url, "writer:p%3A%40%2F%25"), clock=clock) as engine:
        assert engine.capabilities.ack == "durable"
        await start_session(engine.log, clock, "a")
        await engine.log.append(ALICE, "s", [entry(f"m{number}") for number in range(200)])
        await engine.records.put(ALICE, [record("k"), record("l")])
        await engine.log.delete_session(ALICE, "s")
    async with opened(_as(url, "reader:p%3A%40%2F%25"), clock=clock) as engine:
        assert message_ids(await engine.log.read(ALICE, "s")) == []
        with pytest.raises(StoreError, match="refuses this user"):
            await engine.records.put(ALICE, [record("k")])
    for who in ("writer:wrong-one", "nobody:wrong-one"):
        with pytest.raises(StoreError, match="refuses this user") as caught:
            async with opened(_as(url, who), clock=clock):
                pass
        assert "wrong-one" not in str(caught.value)
