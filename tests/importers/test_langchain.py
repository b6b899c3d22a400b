"""What LangChain's histories store, written down here as they write it; the drivers are not needed.

`tests/adapters/langchain/test_stored_histories.py` has the real classes write, on real servers.
"""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.client import AsyncDaybook
from daybook.errors import InvalidInputError, MissingDependencyError
from daybook.importers import langchain_rows
from daybook.importers.langchain_histories import import_histories
from daybook.importers.langchain_redis import rows_of_client
from daybook.importers.langchain_rows import StoredRow, read_rows
from daybook.importers.run import import_file
from daybook.importers.source import BadRecord
from tests.importers.conftest import ReadRecords, WriteFile
from tests.importers.records import bad_in, messages_in, said_in, sessions_in


def stored(kind: str, content: Any, **data: Any) -> dict[str, Any]:
    return {"type": kind, "data": {"content": content, "type": kind, "id": None, **data}}


CALL = {"name": "tides", "args": {"port": "Mallaig"}, "id": "c1", "type": "tool_call"}
USED = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
TURN = [
    stored("human", "When is high tide?", additional_kwargs={}, response_metadata={}),
    stored("ai", "", id="run-1", tool_calls=[CALL], invalid_tool_calls=[], usage_metadata=USED),
    stored("tool", "at eight", tool_call_id="c1", artifact={"rows": [1]}, status="success"),
    stored("ai", [{"type": "text", "text": "At eight."}]),
]


def write_table(path: Path, rows: list[tuple[Any, Any]], table: str = "message_store") -> Path:
    quoted = table.replace('"', '""')
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f'CREATE TABLE IF NOT EXISTS "{quoted}" '
            "(id INTEGER NOT NULL, session_id TEXT, message TEXT, PRIMARY KEY (id))"
        )
        connection.executemany(f'INSERT INTO "{quoted}" (session_id, message) VALUES (?, ?)', rows)  # noqa: S608
    return path


def texts(*messages: dict[str, Any], session: str = "s1") -> list[tuple[Any, Any]]:
    return [(session, json.dumps(message)) for message in messages]


def test_a_file_history_is_known_by_its_content(write: WriteFile, read: ReadRecords) -> None:
    records = read(write(json.dumps(TURN), "talk.json"))
    asked, called, answered, said = messages_in(records)
    assert sessions_in(records) == ["talk.json"]
    assert said_in(records)[0] == ("user", "When is high tide?")
    assert called.id == "run-1"
    assert called.tool_calls[0].arguments == {"port": "Mallaig"}
    assert called.usage is not None
    assert called.usage.input_tokens == 7
    assert (answered.role, answered.tool_call_id) == ("tool", "c1")
    assert answered.metadata["langchain"]["artifact"] == {"rows": [1]}
    assert said.text == "At eight."
    assert asked.id.startswith("lc-")
    assert not bad_in(records)


def test_a_broken_element_is_reported_and_passed_over(write: WriteFile, read: ReadRecords) -> None:
    broken: list[Any] = [
        {"type": "human"},
        {"type": "human", "data": "secret"},
        {"type": "spy", "data": {"content": "secret"}},
        {"type": "human", "data": {"content": 7}},
        {"type": "ai", "data": {"content": "", "tool_calls": 7}},
        {"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"content": "secret"}},
        7,
    ]
    records = read(write(json.dumps([TURN[0], *broken, TURN[3]]), "talk.json"))
    assert [role for role, _ in said_in(records)] == ["user", "assistant"]
    assert [bad.position for bad in bad_in(records)] == [f"$[{at}]" for at in range(1, 8)]
    assert "secret" not in "".join(map(str, bad_in(records)))


async def test_a_file_that_grew_adds_what_is_new(book: AsyncDaybook, write: WriteFile) -> None:
    again = stored("human", "again")
    first = await import_file(book, write(json.dumps([again, again])))
    second = await import_file(book, write(json.dumps([again, again, again, *TURN], indent=1)))
    assert (first.format, first.messages, first.users) == ("langchain", 2, ("source.data",))
    assert (second.new_sessions, second.messages, second.duplicates) == (0, 5, 2)
    said = [message.text for message in await book.history.list("source.data")]
    assert said[:3] == ["again"] * 3


async def test_a_table_is_imported_once(book: AsyncDaybook, tmp_path: Path) -> None:
    path = write_table(tmp_path / "chat.db", texts(*TURN))
    write_table(path, [*texts(TURN[0], session="s2"), *texts(TURN[0], TURN[0])])
    first = await import_file(book, path)
    assert (first.format, first.sessions, first.messages) == ("langchain", 2, 7)
    assert first.users == ("s1", "s2")  # each session is its own user
    assert [message.role for message in await book.history.list("s1")] == [
        *("user", "assistant", "tool", "assistant", "user", "user")
    ]
    again = await import_file(book, path)
    assert (again.messages, again.duplicates, again.bad_count) == (0, 7, 0)
    write_table(path, texts(stored("human", "new"), session="s2"))
    more = await import_histories(book, f"sqlite:///{path}")
    assert (more.messages, more.duplicates) == (1, 7)


async def test_a_row_id_given_again_is_another_message(book: AsyncDaybook, tmp_path: Path) -> None:
    """SQLite gives the highest id again after `clear()`."""
    path = write_table(tmp_path / "chat.db", texts(stored("human", "before")))
    await import_histories(book, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM message_store")
    write_table(path, texts(stored("human", "after")))
    report = await import_histories(book, path)
    assert (report.messages, report.bad_count) == (1, 0)


async def test_broken_rows_stop_nothing(book: AsyncDaybook, tmp_path: Path) -> None:
    """A pickle that would leave a mark leaves none."""
    mark = tmp_path / "mark"

    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (mark,))

    sound = texts(TURN[0])
    broken: list[tuple[Any, Any]] = [
        ("s1", "{"),
        ("s1", None),
        ("s1", pickle.dumps(Trap())),
        ("s1", b"\xff"),
        ("s1", "[" * 100_000),
        ("s1", '{"type": "human", "data": {"content": "x", "additional_kwargs": {"k": NaN}}}'),
        ("s1", '{"type": "human", "data": {"content": "\\ud800"}}'),
        (None, sound[0][1]),
        (b"\xff", sound[0][1]),
        ("", sound[0][1]),
        ("x" * 5000, sound[0][1]),
    ]
    path = write_table(tmp_path / "chat.db", [*broken, *sound])
    report = await import_file(book, path)
    assert not mark.exists()
    assert (report.messages, report.sessions, report.bad_count) == (1, 1, len(broken))
    assert "message_store/1:" in str(report.bad_records[0])


async def test_which_table_is_read(book: AsyncDaybook, tmp_path: Path) -> None:
    path = write_table(tmp_path / "chat.db", texts(TURN[0]), 'odd "name"')
    assert (await import_histories(book, path)).messages == 1
    write_table(path, texts(TURN[0], session="s2"), "second")
    with pytest.raises(InvalidInputError, match='odd "name", second'):
        await import_file(book, path)
    assert (await import_histories(book, path, table="second")).users == ("s2",)
    write_table(path, texts(TURN[0], session="s3"))
    assert (await import_file(book, path)).users == ("s3",)
    with pytest.raises(InvalidInputError, match="no such table"):
        await import_histories(book, path, table="third")


async def test_a_table_is_left_as_it_is(book: AsyncDaybook, tmp_path: Path) -> None:
    path = write_table(tmp_path / "chat.db", texts(*TURN))
    before = path.read_bytes()
    await import_histories(book, path)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("chat.db?*"))  # noqa: ASYNC240


def refused(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "notes.txt").write_text("no database")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection, connection:
        connection.execute("CREATE TABLE t (x)")
    yield from (f"{tmp_path}/{name}" for name in ("notes.txt", "other.db", "none.db"))
    yield from ("mysql://u:secret@h/d", "dynamodb://", "dynamodb://r/t?size=1", "mongodb://:secret")
    yield "redis://h:secret/0"


async def test_what_holds_no_history_is_refused(book: AsyncDaybook, tmp_path: Path) -> None:
    for source in refused(tmp_path):
        with pytest.raises(InvalidInputError) as raised:
            await import_histories(book, source)
        assert "secret" not in str(raised.value)
    assert not (tmp_path / "none.db").exists()


async def test_a_missing_driver_is_named(
    book: AsyncDaybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(langchain_rows, "import_module", absent)
    for scheme, extra in (
        ("redis", "redis"),
        ("postgresql+psycopg", "postgresql"),
        ("mongodb", "mongodb"),
        ("dynamodb", "dynamodb"),
    ):
        with pytest.raises(MissingDependencyError, match=rf"daybook\[{extra}\]"):
            await import_histories(book, f"{scheme}://place/name")


class Keys:
    """As much of a Redis client as is asked: keys with their kinds and values."""

    def __init__(self, **held: Any) -> None:
        self._held = {name.encode(): value for name, value in held.items()}

    def scan_iter(self, match: str, count: int) -> Iterator[bytes]:
        assert count
        pattern = match.replace("\\[", "[[]").replace("\\]", "]").encode()
        return (key for key in self._held if fnmatchcase(key, pattern))

    def type(self, key: bytes) -> bytes:
        value = self._held[key]
        if isinstance(value, bytes):
            return b"string"
        return b"list" if isinstance(value, list) else b"ReJSON-RL"

    def lrange(self, key: bytes, first: int, last: int) -> Any:
        assert (first, last) == (0, -1)
        return self._held[key]

    def execute_command(self, command: str, key: bytes) -> Any:
        assert command == "JSON.GET"
        return self._held[key].encode()


def document(session: str, name: str, timestamp: Any, content: str) -> str:
    data = {"content": content, "additional_kwargs": {}, "type": "human"}
    about = {"message_id": name, "session_id": session, "timestamp": timestamp}
    return json.dumps({"type": "human", "data": data, **about})


def test_both_forms_of_redis() -> None:
    told = [json.dumps(message).encode() for message in TURN]
    client = Keys(
        **{
            "message_store:a:b": told[::-1],
            "message_store:text": b"not a list",
            "chat:s:1:01B": document("s:1", "01B", 1714557601.5, "second"),
            "chat:s:1:01A": document("s:1", "01A", 1714557600.5, "first"),
            "chat:s:1:01C": "{",
            "chat:s:1:01D": "[]",
            "chat:list": [b"somebody else's"],
        }
    )
    records = list(read_rows(rows_of_client(client), "redis", None))
    assert sessions_in(records) == ["a:b", "s:1"]
    assert said_in(records)[0] == ("user", "When is high tide?")
    assert [text for _, text in said_in(records)[4:]] == ["first", "second"]
    assert messages_in(records)[4].created_at is not None
    assert [bad.position for bad in bad_in(records)] == ["chat:s:1:01C", "chat:s:1:01D"]


def test_a_prefix_of_redis_is_taken_literally() -> None:
    told = [json.dumps(TURN[0]).encode()]
    client = Keys(**{"my[x]:s": told, "myx:t": told})
    assert [
        row.session for row in rows_of_client(client, "my[x]:") if isinstance(row, StoredRow)
    ] == [b"s"]


def test_rows_that_a_source_could_not_read_are_passed_on() -> None:
    bad = BadRecord("dynamodb", "t/s", "History is no list")
    assert list(read_rows([bad], "dynamodb", None)) == [bad]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
KINDS = st.sampled_from(["human", "ai", "tool", "system", "chat", "function", "AIMessageChunk"])
FIELDS = st.sampled_from(
    [
        *(
            "id",
            "name",
            "role",
            "tool_calls",
            "invalid_tool_calls",
            "tool_call_id",
            "usage_metadata",
        ),
        *("additional_kwargs", "response_metadata", "artifact", "status"),
    ]
)
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "input_tokens": ANY_JSON,
        "output_tokens": ANY_JSON,
        "input_token_details": st.dictionaries(st.sampled_from(["cache_read", "x"]), ANY_JSON),
    },
)
CALLS = st.lists(st.dictionaries(st.sampled_from(["name", "args", "id"]), ANY_JSON), max_size=2)


@given(
    st.lists(
        st.tuples(ANY_JSON, KINDS, ANY_JSON, st.dictionaries(FIELDS, ANY_JSON | DETAILS | CALLS))
    )
)
def test_no_row_stops_the_others(made: list[tuple[Any, str, Any, dict[str, Any]]]) -> None:
    rows = [
        StoredRow(session, stored(kind, content, **fields), str(at))
        for at, (session, kind, content, fields) in enumerate(made)
    ]
    records = list(read_rows([*rows, StoredRow("s", stored("human", "end"), "last")], "test", None))
    assert len(records) == len(rows) + 1
    assert said_in(records)[-1] == ("user", "end")


async def test_beside_checkpoints_a_table_is_read_if_it_is_named(
    book: AsyncDaybook, tmp_path: Path
) -> None:
    path = write_table(tmp_path / "app.db", texts(TURN[0]))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE checkpoints (thread_id, checkpoint_ns, checkpoint_id, "
            "parent_checkpoint_id, type, checkpoint, metadata)"
        )
    assert (await import_file(book, path)).format == "langgraph"
    assert (await import_histories(book, path, table="message_store")).messages == 1
