"""What callers give is checked before anything is stored, and errors say where and what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daybook import AsyncDaybook, ContentPart, Message, ToolCall, Usage
from daybook.errors import ConflictError, InvalidInputError, NotFoundError
from daybook.facets.records import RecordWrite

Call = Callable[[AsyncDaybook], Awaitable[object]]


@pytest.fixture(params=["inmemory", "sqlite"])
async def book(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[AsyncDaybook]:
    url = "inmemory://" if request.param == "inmemory" else f"sqlite:///{tmp_path}/chat.db"
    async with AsyncDaybook.open(url, embedder="hash") as opened:
        await opened.sessions.create(user_id="alice", session_id="s")
        yield opened


def _append(*messages: Any) -> Call:
    return lambda book: book.history.append("s", list(messages))


GOOD = Message.user("fine")
NAIVE = datetime(2026, 1, 1)  # noqa: DTZ001
BAD: list[tuple[str, Call, str]] = [
    ("dict", _append(GOOD, {"role": "user"}), r"messages\[1\] must be a daybook.Message"),
    ("no messages", lambda book: book.history.append("s", []), "1 to 10,000 messages, got 0"),
    ("text", lambda book: book.history.append("s", "hello"), "must be a Message or a sequence"),  # type: ignore[arg-type]
    ("role", _append(GOOD, Message(role="human")), r"messages\[1\].role must be one of system"),  # type: ignore[arg-type]
    ("surrogate", _append(GOOD, Message.user("\ud800")), "lone surrogate"),
    ("naive time", _append(Message.user("x", created_at=NAIVE)), "time zone"),
    ("NaN", _append(Message.user("x", metadata={"a": [1, float("nan")]})), r"metadata.a\[1\]: nan"),
    ("set", _append(Message.user("x", metadata={"a": {1}})), "metadata.a: set is not JSON"),
    ("key", _append(Message.user("x", metadata={1: 2})), "a key must be a str"),
    ("huge int", _append(Message.user("x", metadata={"n": 2**70})), r"smaller than 2\*\*64"),
    ("list", _append(Message(role="user", content=[ContentPart("text")])), "a str or a tuple"),  # type: ignore[arg-type]
    ("call", _append(Message.assistant(tool_calls=(ToolCall("", "f"),))), r"tool_calls\[0\].id"),
    ("usage", _append(Message.assistant("x", usage=Usage(-1))), "input_tokens must be an int"),
    ("large", _append(GOOD, Message.user("x" * 16_000_001)), "at most 16000000 are allowed"),
    ("id", lambda book: book.history.append("", GOOD), "session_id must not be empty"),
    ("limit", lambda book: book.history.list("s", limit=0), "limit must be an int of 1 or more"),
    ("after", lambda book: book.history.list("s", after=-1), "after must be a sequence number"),
    ("ttl", lambda book: book.sessions.create(user_id="a", ttl=timedelta(0)), "ttl must be posit"),
    ("ttl type", lambda book: book.sessions.create(user_id="a", ttl=60), "must be a timedelta"),  # type: ignore[arg-type]
    ("user", lambda book: book.sessions.create(user_id=""), "user_id must not be empty"),
    ("title", lambda book: book.sessions.create(user_id="a", title="x" * 1001), "at most 1000"),
    ("query", lambda book: book.recall.search(" ", user_id="alice"), "query must be non-empty"),
    (
        "since",
        lambda book: book.recall.search("x", user_id="a", since=NAIVE),
        "zone",
    ),
    ("far", lambda book: book.recall.search("x", user_id="a", neighbours=21), "from 0 to 20"),
    ("namespace", lambda book: book.records.put("alice", "k", {}), "must be a tuple of labels"),
    ("label", lambda book: book.records.put(("a", ""), "k", {}), r"namespace\[1\] must not be"),
    ("value", lambda book: book.records.put(("a",), "k", [1]), "value must be a dict"),  # type: ignore[arg-type]
    ("filter", lambda book: book.records.list(("a",), filter={"a": {"$gtt": 1}}), "unknown operat"),
    ("owner", lambda book: book.records.search((), query="x"), "at least one label"),
    ("cursor", lambda book: book.sessions.list(cursor="nonsense"), "cursor"),
]


@pytest.mark.parametrize(("call", "says"), [case[1:] for case in BAD], ids=[c[0] for c in BAD])
async def test_a_wrong_value_is_a_typed_error_and_nothing_is_stored(
    book: AsyncDaybook, call: Call, says: str
) -> None:
    with pytest.raises(InvalidInputError, match=says):
        await call(book)
    assert await book.history.list("s") == []
    assert [one.id for one in (await book.sessions.list()).items] == ["s"]
    assert await book.records.list() == []


async def test_no_error_shows_what_was_said(book: AsyncDaybook) -> None:
    secret = "my pin is 9182"
    bad = [
        Message.user(secret + "\ud800"),
        Message.user(secret, metadata={"note": {secret}}),
        Message.user(secret, created_at="now"),
    ]
    for message in bad:
        with pytest.raises(InvalidInputError) as caught:
            await book.history.append("s", message)
        assert secret not in str(caught.value)
    await book.history.append("s", Message.user("first", id="m"))
    with pytest.raises(ConflictError) as conflict:
        await book.history.append("s", Message.user(secret, id="m"))
    assert secret not in str(conflict.value)


async def test_a_batch_with_a_conflict_stores_none_of_it(book: AsyncDaybook) -> None:
    await book.history.append("s", Message.user("one", id="m1"))
    batch = [Message.user("two", id="m2"), Message.user("other", id="m1")]
    with pytest.raises(ConflictError, match="m1"):
        await book.history.append("s", batch)
    assert [m.text for m in await book.history.list("s")] == ["one"]


async def test_a_repeated_batch_is_recognised(book: AsyncDaybook) -> None:
    batch = [Message.user("one"), Message.assistant("two")]
    first = await book.history.append("s", batch)
    again = await book.history.append("s", [*batch, Message.user("three")])
    assert (first.first_seq, first.last_seq, first.duplicates) == (1, 2, 0)
    assert (again.first_seq, again.last_seq, again.duplicates) == (1, 3, 2)
    assert [m.text for m in await book.history.list("s")] == ["one", "two", "three"]


async def test_an_unknown_session_says_how_to_make_it(book: AsyncDaybook) -> None:
    with pytest.raises(NotFoundError, match="create it first, or pass user_id="):
        await book.history.append("nowhere", GOOD)
    await book.history.append("nowhere", GOOD, user_id="bob")
    assert (await book.sessions.get("nowhere", user_id="bob")) is not None
    assert (await book.sessions.get("nowhere", user_id="alice")) is None
    with pytest.raises(ConflictError):
        await book.history.append("nowhere", Message.user("hi"), user_id="alice")
    with pytest.raises(NotFoundError):
        await book.sessions.update("nowhere", user_id="alice", title="mine")
    assert await book.history.list("nowhere", user_id="alice") == []


async def test_a_sessions_facts_are_kept(book: AsyncDaybook) -> None:
    made = await book.sessions.create(
        user_id="bob", title="Trip", metadata={"tags": ["a", 1]}, ttl=timedelta(days=1)
    )
    assert await book.sessions.get(made.id) == made
    changed = await book.sessions.update(made.id, title=None, metadata={"x": None}, ttl=None)
    assert (changed.title, changed.metadata, changed.ttl, changed.expires_at) == (
        None,
        {"x": None},
        None,
        None,
    )
    await book.history.append(made.id, [Message.user("a"), Message.assistant("b")])
    stats = await book.sessions.stats(made.id)
    assert (stats.message_count, stats.turn_count) == (2, 1)
    assert stats.messages_by_role == {"user": 1, "assistant": 1}
    assert await book.sessions.delete(made.id)
    assert not await book.sessions.delete(made.id)


async def test_records_versions_filters_and_search(book: AsyncDaybook) -> None:
    put = book.records.put
    first = await put(("alice", "prefs"), "language", {"value": "Python", "since": 2019})
    second = await put(("alice", "prefs"), "language", {"value": "Rust", "since": 2024})
    assert (first.version, second.version) == (1, 2)
    kept = await book.records.versions(("alice", "prefs"), "language")
    assert [one.value["value"] for one in kept] == ["Rust", "Python"]
    with pytest.raises(ConflictError, match="version 2, not 1"):
        await put(("alice", "prefs"), "language", {"value": "Go"}, expected_version=1)
    await book.records.put_many(
        [
            RecordWrite(namespace=("alice", "food"), key="soup", value={"value": "loves ramen"}),
            RecordWrite(namespace=("al",), key="soup", value={"value": "loves ramen"}),
        ]
    )
    young = await book.records.list(("alice",), filter={"since": {"$gt": 2020}})
    assert [one.key for one in young] == ["language"]
    (best, *_) = await book.records.search(("alice",), query="ramen soup", limit=3)
    assert (best.record.namespace, best.record.key) == (("alice", "food"), "soup")
    (rust,) = await book.records.search(("alice", "prefs"), query="Rust", limit=3)
    assert rust.record.version == 2
    assert await book.records.namespaces() == [("al",), ("alice", "food"), ("alice", "prefs")]
    assert await book.records.delete(("alice", "prefs"), "language")
    assert await book.records.search(("alice", "prefs"), query="Rust") == []
    assert await book.records.get(("alice", "prefs"), "language") is None
