"""What stands in the database: sizes of documents, room given back, and names that stay values."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from daybook.engines.mongodb.engine import MongoEngine
from daybook.engines.mongodb.schema import VERSION
from daybook.errors import InvalidInputError, SchemaVersionError
from daybook.model.codec import MAX_MESSAGE_BYTES
from daybook.model.entry import AppendResult
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
from tests.engines.mongodb.opened import Document, make_small, opened, raw

_LARGEST_DOCUMENT = 16 << 20


@pytest.fixture
async def engine(url: str, clock: FakeClock) -> AsyncIterator[MongoEngine]:
    async with opened(url, clock=clock) as engine:
        yield engine


async def _count(url: str, collection: str) -> int:
    async with raw(url) as database:
        return await database[collection].count_documents({})


async def _sizes(url: str, collection: str) -> list[int]:
    async with raw(url) as database:
        steps: list[Document] = [
            {"$project": {"size": {"$bsonSize": "$$ROOT"}}},
            {"$sort": {"_id": 1}},
        ]
        cursor = await database[collection].aggregate(steps)
        return [one["size"] for one in await cursor.to_list()]


async def test_large_messages_never_make_a_document_too_large(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    """One by one and in a batch, the largest that a message may be among them."""
    await start_session(engine.log, clock)
    overhead = len(entry("largest", "x" * 99).body) - 99
    texts = {
        "small": "x",
        "largest": "x" * (MAX_MESSAGE_BYTES - overhead),
        **{f"large{number}": "x" * 3_000_000 for number in range(4)},
        **{f"middle{number}": "x" * 60_000 for number in range(20)},
    }
    for name in ("small", "largest", "large0", "middle0", "middle1", "middle2"):
        await engine.log.append(ALICE, "s", [entry(name, texts[name])])
    assert len(entry("largest", texts["largest"]).body) == MAX_MESSAGE_BYTES
    batch = [entry(name, text) for name, text in texts.items()]
    done = await engine.log.append(ALICE, "s", batch)
    assert done == AppendResult(1, len(texts), 6, "alice")
    stored = await engine.log.read(ALICE, "s")
    assert len({len(one.body) for one in stored}) > 3
    assert sorted(message_ids(stored)) == sorted(texts)
    sizes = await _sizes(url, "blocks")
    assert max(sizes) < _LARGEST_DOCUMENT
    assert sorted(sizes)[-2] < 5 << 20  # only a message that fills one alone is larger
    [session] = await _sizes(url, "sessions")
    assert session < 200_000


async def test_a_session_s_document_does_not_grow_with_the_session(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    """Each append rewrites it, so the thousandth must cost what the hundredth does."""
    await start_session(engine.log, clock)
    largest = 0
    for start in range(0, 2000, 40):
        batch = [entry(f"m{number}", "x" * 200) for number in range(start, start + 40)]
        await engine.log.append(ALICE, "s", batch)
        if start % 400 == 0:
            largest = max(largest, *await _sizes(url, "sessions"))
    assert largest < 64 * 500
    assert await _count(url, "blocks") <= 2000 // 40 + 1
    assert sum(await _sizes(url, "blocks")) > 2000 * 200  # there is something to grow


async def test_what_takes_more_than_a_document_is_refused_whole(
    engine: MongoEngine, clock: FakeClock
) -> None:
    large = "x" * _LARGEST_DOCUMENT
    with pytest.raises(InvalidInputError) as caught:
        await engine.log.create_session(ALICE, make_session("s", clock, metadata={"k": large}))
    assert "xxx" not in str(caught.value)
    assert await engine.log.get_session(ALICE, "s") is None
    with pytest.raises(InvalidInputError):
        await engine.records.put(ALICE, [record("small"), record("large", {"k": large})])
    assert await engine.records.list(ALICE, (), limit=9) == []


async def test_a_session_with_no_room_left_refuses_messages_and_stays(
    engine: MongoEngine, clock: FakeClock
) -> None:
    """Its metadata fill the document; shorter ones make room again."""
    nearly = "x" * (_LARGEST_DOCUMENT - 2_000)
    session = make_session("s", clock, metadata={"k": nearly})
    await engine.log.create_session(ALICE, session)
    with pytest.raises(InvalidInputError):
        await engine.log.append(ALICE, "s", [entry("a", "y" * 4_000)])
    found = await engine.log.get_session(ALICE, "s")
    assert found is not None
    assert (found.last_seq, found.metadata) == (0, {"k": nearly})


# ------------------------------------------------------------------------------- room given back


async def test_a_removed_session_leaves_no_message_behind(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    """Deleted, cleared, or expired and swept."""
    names = [f"m{number}" for number in range(300)]
    for session_id in ("deleted", "cleared", "kept"):
        await start_session(engine.log, clock, *names, session_id=session_id)
    await start_session(engine.log, clock, *names, session_id="expired", ttl=timedelta(hours=1))
    before = await _count(url, "blocks")
    await engine.log.delete_session(ALICE, "deleted")
    await engine.log.clear(ALICE, "cleared")
    clock.advance(timedelta(hours=2))
    assert await engine.log.sweep(clock.now()) == 1
    assert await _count(url, "blocks") == before // 4
    assert message_ids(await engine.log.read(ALICE, "kept")) == names


async def test_what_an_interrupted_removal_left_is_swept(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    """A process that dies between the change that removes a session and its messages' removal."""
    await start_session(engine.log, clock, *(f"m{number}" for number in range(300)))
    async with raw(url) as database:
        kept = await database["blocks"].find().to_list()
        header = await database["sessions"].find_one({})
        assert header is not None
        await engine.log.delete_session(ALICE, "s")
        assert await _count(url, "blocks") == 0
        await database["blocks"].insert_many(kept)
        await database["sessions"].update_one({}, {"$set": {"trim": [header["k"]]}})
    await engine.log.sweep(clock.now())
    assert await _count(url, "blocks") == 0


async def test_the_server_removes_what_a_gone_session_left(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    """A day after an index has heard of it, by the server's clock, which the fake one is not."""
    for name in ("gone", "back", "alive", "unheard"):
        await start_session(engine.log, clock, "a", session_id=name)
    for name in ("gone", "back"):
        await engine.log.delete_session(ALICE, name)
    await engine.log.settle(await engine.log.pending(limit=9))
    await engine.log.delete_session(ALICE, "unheard")
    await engine.log.create_session(ALICE, make_session("back", clock))
    async with raw(url) as database:
        sessions = database["sessions"]
        [gone] = await sessions.find({"drop": {"$exists": True}}).to_list()
        assert gone["n"] == "gone"
        left = gone["drop"].replace(tzinfo=UTC) - datetime.now(UTC)
        assert timedelta(hours=23) < left < timedelta(hours=25)
        # The monitor wakes up each second here.
        async with asyncio.timeout(90), await sessions.watch() as changes:
            await sessions.update_one({"_id": gone["_id"]}, {"$set": {"drop": datetime.now(UTC)}})
            kinds = [(await changes.next())["operationType"] for _ in range(2)]
        assert kinds == ["update", "delete"]
        assert {one["n"] async for one in sessions.find()} == {"back", "alive", "unheard"}
    assert len(await engine.log.read(ALICE, "alive")) == 1


# ----------------------------------------------------------------------------------- names, schema


@asynccontextmanager
async def _everything(url: str) -> AsyncIterator[set[str]]:
    """Give the names of all fields of all documents."""
    names: set[str] = set()
    async with raw(url) as database:
        for collection in await database.list_collection_names():
            async for document in database[collection].find():
                _gather(document, names)
    yield names


def _gather(value: object, names: set[str]) -> None:
    if isinstance(value, dict):
        names |= set(value)
        for one in value.values():
            _gather(one, names)
    elif isinstance(value, list):
        for one in value:
            _gather(one, names)


async def test_what_a_caller_names_is_never_a_field(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    """Operators, dots and NUL stand in values, where they mean nothing."""
    odd = {"$where": "1", "a.b": {"$gt": ""}, "n\0l": 1}
    session = make_session("$ne", clock, metadata=odd, title="$title")
    await engine.log.create_session(ALICE, session)
    await engine.log.append(ALICE, "$ne", [entry("$exists", "$text", metadata=odd)])
    await engine.records.put(ALICE, [record("$set", odd, namespace=("alice", "$or"))])
    found = await engine.log.get_session(ALICE, "$ne")
    assert found is not None
    assert found.metadata == odd
    [stored] = await engine.records.list(ALICE, ("alice", "$or"), limit=9)
    assert stored.value == odd
    async with _everything(url) as names:
        assert {"tail", "val", "n"} <= names
        assert not [name for name in names if set("$.\0") & set(name) or name in odd]


async def test_a_database_of_a_newer_daybook_is_not_touched(url: str, clock: FakeClock) -> None:
    async with raw(url) as database:
        await database["meta"].insert_one({"_id": "schema", "version": VERSION + 1})
        with pytest.raises(SchemaVersionError):
            async with opened(url, clock=clock):
                pass
        assert await database.list_collection_names() == ["meta"]


async def test_a_second_opening_changes_nothing(url: str, clock: FakeClock) -> None:
    async with raw(url) as database:
        async with opened(url, clock=clock) as engine:
            await engine.log.append(ALICE, "s", entries("a"), create=make_session("s", clock))
            before = await database["sessions"].index_information()
        async with opened(url, clock=clock), opened(url, clock=clock) as engine:
            assert message_ids(await engine.log.read(ALICE, "s")) == ["a"]
        assert await database["sessions"].index_information() == before


# --------------------------------------------------------------------------------- forms of blocks


async def _store_as_schema_1(url: str) -> None:
    """Make of the database what an earlier Daybook would have left."""
    async with raw(url) as database:
        await database["meta"].update_one({"_id": "schema"}, {"$set": {"version": 1}})
        async for block in database["blocks"].find():
            bodies = [entry(name).body for name in block["i"]]
            changes = {"$set": {"b": bodies}, "$unset": {"v": "", "p": ""}}
            await database["blocks"].update_one({"_id": block["_id"]}, changes)


async def test_blocks_of_schema_1_are_read_forked_and_trimmed_beside_new_ones(
    url: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_small(monkeypatch)
    async with opened(url, clock=clock) as engine:
        await start_session(engine.log, clock, *"abcd")
    await _store_as_schema_1(url)
    async with opened(url, clock=clock) as engine:
        for name in "efghij":
            await engine.log.append(ALICE, "s", entries(name))
        expected = [entry(name).body for name in "abcdefghij"]
        assert [one.body for one in await engine.log.read(ALICE, "s")] == expected
        await engine.log.fork_session(ALICE, "s", make_session("t", clock), at=2)
        await engine.log.delete_session(ALICE, "s")
        found = [one.body for one in await engine.log.read(ALICE, "t")]
        assert found == expected[:2]
    async with raw(url) as database:
        [block] = await database["blocks"].find().to_list()
        assert block["b"] == [*expected[:2], *[b""] * (len(block["i"]) - 2)]
        meta = await database["meta"].find_one({"_id": "schema"})
        assert meta is not None
        assert meta["version"] == VERSION


async def test_a_message_of_a_shared_block_is_blanked_once_nobody_shows_it(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    """Its body as well, in the form that blocks have now."""
    secret = "canary-4b1d"
    batch = [entry(f"m{number}", secret) for number in range(100)]
    await start_session(engine.log, clock)
    await engine.log.append(ALICE, "s", batch)
    await engine.log.fork_session(ALICE, "s", make_session("t", clock), at=1)
    assert await _bodies_with(url, secret) == 100  # or the test could not fail
    await engine.log.delete_session(ALICE, "s")
    assert await _bodies_with(url, secret) == 1


async def _bodies_with(url: str, text: str) -> int:
    async with raw(url) as database:
        blocks = await database["blocks"].find().to_list()
    return sum(text.encode() in body for block in blocks for body in block["p"])


async def test_a_block_of_an_unknown_form_is_a_typed_error(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    await start_session(engine.log, clock, *(f"m{number}" for number in range(100)))
    assert len(await engine.log.read(ALICE, "s")) == 100
    async with raw(url) as database:
        await database["blocks"].update_many({}, {"$inc": {"v": 1}})
    with pytest.raises(SchemaVersionError, match="upgrade"):
        await engine.log.read(ALICE, "s")


async def test_a_block_leaves_out_of_a_body_what_stands_beside_it(
    engine: MongoEngine, url: str, clock: FakeClock
) -> None:
    said = clock.now().replace(microsecond=267226)
    batch = [entry(f"m{number}", "hello", created_at=said) for number in range(100)]
    await start_session(engine.log, clock)
    await engine.log.append(ALICE, "s", batch)
    async with raw(url) as database:
        blocks = await database["blocks"].find().to_list()
    stored = [body for block in blocks for body in block["p"]]
    assert len(stored) == 100
    assert max(map(len, stored)) < 32
    assert [one.body for one in await engine.log.read(ALICE, "s")] == [one.body for one in batch]
