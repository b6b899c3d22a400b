"""What the items of messages hold, and those that an earlier Daybook wrote."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from daybook.errors import SchemaVersionError
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entry, make_session, start_session
from tests.engines.dynamodb.tables import Table

_UUID = "01a20044-082b-70c9-9a55-56e6febb3c54"


async def _talk(table: Table, clock: FakeClock) -> list[bytes]:
    """Store four messages, the last of them in the head; return their bodies."""
    said = clock.now().replace(microsecond=267226)
    batch = [entry(name, "hello", created_at=said) for name in (_UUID, "b", "c", "d")]
    engine = table.engine(clock)
    await start_session(engine.log, clock)
    for one in batch:
        await engine.log.append(ALICE, "s", [one])
    await engine.close()
    return [one.body for one in batch]


def _messages(table: Table) -> list[dict[str, Any]]:
    found = [item for item in table.items() if item["sk"]["S"].startswith("m/")]
    return sorted(found, key=lambda item: str(item["sk"]["S"]))


def _put(table: Table, item: dict[str, Any]) -> None:
    client = table.client()
    client.put_item(TableName=table.name, Item=item)
    client.close()


async def test_an_item_leaves_out_of_a_body_what_stands_beside_it(dynalite_url: str) -> None:
    """An id that is no UUID stands in the body alone."""
    clock, table = FakeClock(), Table.at(dynalite_url)
    bodies = await _talk(table, clock)
    first, second, _ = _messages(table)
    assert len(first["m"]["B"]) < 64
    assert bodies[1] in second["m"]["B"]
    engine = table.engine(clock)
    assert [one.body for one in await engine.log.read(ALICE, "s")] == bodies
    await engine.close()


async def test_items_of_an_earlier_version_are_read_and_forked(dynalite_url: str) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    bodies = await _talk(table, clock)
    for number, item in enumerate(_messages(table), 1):
        del item["m"]
        earlier = (5, bodies[number - 1], None, ({"user": number}, 5 * number))
        _put(table, {**item, "d": {"B": msgspec.msgpack.encode(earlier)}})
    engine = table.engine(clock)
    assert [one.body for one in await engine.log.read(ALICE, "s")] == bodies
    fork = await engine.log.fork_session(ALICE, "s", make_session("t", clock), at=2)
    assert fork is not None
    assert (fork.message_count, fork.token_count) == (2, 10)
    assert [one.body for one in await engine.log.read(ALICE, "t")] == bodies[:2]
    await engine.close()


async def test_an_item_of_an_unknown_form_is_a_typed_error(dynalite_url: str) -> None:
    clock, table = FakeClock(), Table.at(dynalite_url)
    await _talk(table, clock)
    item = _messages(table)[0]
    _put(table, {"pk": item["pk"], "sk": item["sk"], "later": item["m"]})
    engine = table.engine(clock)
    with pytest.raises(SchemaVersionError, match="upgrade"):
        await engine.log.read(ALICE, "s")
    await engine.close()
