from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from daybook.client import AsyncDaybook
from daybook.exporters.json_export import export_json
from daybook.importers.report import ImportProgress
from daybook.importers.run import import_file
from daybook.model.message import ContentPart, Message, ToolCall, Usage
from tests.importers.conftest import WriteFile


def lines(count: int, *, sessions: int = 3, start: int = 0) -> list[dict[str, Any]]:
    """Return mixed lines of several sessions and two users, some with ids and times."""
    made = []
    for at in range(start, start + count):
        session = at % sessions
        line: dict[str, Any] = {
            "session_id": f"s{session}",
            "user_id": f"u{session % 2}",
            "role": "user" if at % 2 else "assistant",
            "content": f"message {at}",
        }
        if at % 5:
            line["created_at"] = f"2024-05-01T10:{at % 60:02d}:00Z"
        if at % 7 == 0:
            line["id"] = f"m{at}"
        made.append(line)
    return made


async def contents(book: AsyncDaybook) -> dict[str, list[tuple[int, Message]]]:
    """Return everything a daybook holds: each session's messages with their places."""
    held = {}
    for session in (await book.sessions.list(limit=1000)).items:
        entries = await book.history.entries(session.id)
        held[f"{session.user_id}/{session.id}/{session.title}"] = [
            (entry.seq, entry.message) for entry in entries
        ]
    return held


def untimed(held: dict[str, list[tuple[int, Message]]]) -> dict[str, list[tuple[int, str, str]]]:
    """Return contents without times: undated messages get the clock's."""
    return {key: [(seq, m.id, m.text) for seq, m in rows] for key, rows in held.items()}


async def test_importing_twice_changes_nothing(book: AsyncDaybook, write: WriteFile) -> None:
    path = write(lines(200))
    first = await import_file(book, path, batch_size=30)
    held = await contents(book)
    second = await import_file(book, path, batch_size=70)
    assert (first.messages, first.duplicates, first.new_sessions) == (200, 0, 3)
    assert (second.messages, second.duplicates, second.new_sessions) == (0, 200, 0)
    assert second.sessions == 3
    assert await contents(book) == held


async def test_a_file_that_grew_adds_what_is_new(book: AsyncDaybook, write: WriteFile) -> None:
    await import_file(book, write(lines(50)))
    report = await import_file(book, write(lines(80)))
    assert (report.messages, report.duplicates) == (30, 50)


async def test_the_order_of_a_session_is_the_order_of_the_file(
    book: AsyncDaybook, write: WriteFile
) -> None:
    await import_file(book, write(lines(500, sessions=7)), batch_size=40)
    for session in range(7):
        texts = [message.text for message in await book.history.list(f"s{session}")]
        assert texts == [f"message {at}" for at in range(session, 500, 7)]


async def test_title_metadata_and_times_arrive(book: AsyncDaybook, write: WriteFile) -> None:
    line = {
        "session_id": "s",
        "session_title": "Ferries",
        "session_metadata": {"from": "shop"},
        "role": "user",
        "content": "When?",
        "created_at": 1714557600,
    }
    report = await import_file(book, write([line]), user_id="alice")
    session = await book.sessions.get("s", user_id="alice")
    assert session is not None
    assert (session.title, session.metadata) == ("Ferries", {"from": "shop"})
    [message] = await book.history.list("s")
    assert message.created_at is not None
    assert message.created_at.isoformat() == "2024-05-01T10:00:00+00:00"
    assert (report.users, report.format) == (("alice",), "jsonl")


async def test_another_body_under_a_stored_id_is_reported_and_left_alone(
    book: AsyncDaybook, write: WriteFile
) -> None:
    made = [{**line, "id": f"m{at}"} for at, line in enumerate(lines(20, sessions=1))]
    await import_file(book, write(made))
    made[7]["content"] = "secret"
    made[12]["content"] = "secret"
    more = [*made, {"session_id": "s0", "user_id": "u0", "role": "user", "content": "new"}]
    report = await import_file(book, write(more, "changed.jsonl"))
    assert (report.messages, report.duplicates, report.bad_count) == (1, 18, 2)
    assert [bad.position for bad in report.bad_records] == ["8", "13"]
    assert "secret" not in str(report)
    assert [m.text for m in await book.history.list("s0", limit=2)] == ["message 19", "new"]


async def test_one_id_for_two_bodies_in_a_file(book: AsyncDaybook, write: WriteFile) -> None:
    hello = {"id": "m", "session_id": "s", "role": "user", "content": "first"}
    after = {**hello, "id": "n", "content": "after"}
    report = await import_file(book, write([hello, hello, {**hello, "content": "other"}, after]))
    assert (report.messages, report.duplicates, report.bad_count) == (2, 1, 1)
    assert report.bad_records[0].position == "3"
    assert [message.text for message in await book.history.list("s")] == ["first", "after"]


async def test_a_message_that_no_engine_stores_is_reported(
    book: AsyncDaybook, write: WriteFile
) -> None:
    made: list[Any] = lines(9, sessions=1)
    made[4]["content"] = "\ud800"
    made[6]["id"] = "x" * 2000
    report = await import_file(book, write(made))
    assert (report.messages, report.bad_count) == (7, 2)
    assert [bad.position for bad in report.bad_records] == ["5", "7"]


async def test_a_session_of_another_user_is_not_touched(
    book: AsyncDaybook, write: WriteFile
) -> None:
    await book.sessions.create(user_id="owner", session_id="s0")
    report = await import_file(book, write(lines(6, sessions=2)))
    assert (report.messages, report.left_out, report.bad_count) == (3, 3, 1)
    assert "another user" in report.bad_records[0].reason
    assert await book.history.list("s0") == []


async def test_a_line_of_another_user_does_not_enter_a_session(
    book: AsyncDaybook, write: WriteFile
) -> None:
    hello = {"session_id": "s", "role": "user", "content": "Hello"}
    report = await import_file(
        book, write([{**hello, "user_id": "alice"}, {**hello, "user_id": "bob"}])
    )
    assert (report.messages, report.left_out, report.bad_count) == (1, 1, 1)
    assert len(await book.history.list("s", user_id="alice")) == 1


async def test_progress_reaches_the_end(book: AsyncDaybook, write: WriteFile) -> None:
    seen: list[ImportProgress] = []
    path = write(lines(100))
    await import_file(book, path, batch_size=30, on_progress=seen.append)
    assert [state.messages for state in seen] == [30, 60, 90, 100]
    assert [state.done for state in seen] == sorted(state.done for state in seen)
    assert seen[-1].done == seen[-1].total == path.stat().st_size


async def test_export_and_import_give_the_same_messages(book: AsyncDaybook, tmp_path: Path) -> None:
    session = await book.sessions.create(
        user_id="alice", session_id="s/1", title="Tïtle", metadata={"a": [1, None, {"b": 2.5}]}
    )
    call = ToolCall("c1", "search", {"q": "ferry", "n": 3})
    raw = ToolCall("c2", "search", '{"q": ')
    said = [
        Message.system("Be kind."),
        Message.user("When? 🚢\n\u2028 \x00 end", name="Alice", metadata={"k": "v"}),
        Message.assistant("", tool_calls=(call, raw), usage=Usage(5, 6, {"cached": 1})),
        Message.tool("one", tool_call_id="c1", name="search"),
        Message.assistant((ContentPart("text", "At one."), ContentPart("image", None, {"u": 1}))),
    ]
    await book.history.append(session.id, said)
    stored = await book.sessions.get("s/1")
    assert stored is not None
    text = "".join(export_json(stored, await book.history.entries("s/1")))
    path = tmp_path / "export.json"
    path.write_text(text, encoding="utf-8")

    again = await import_file(book, path)
    assert (again.messages, again.duplicates, again.bad_count) == (0, 5, 0)
    async with AsyncDaybook.open("inmemory://", embedder=None, background=False) as other:
        report = await import_file(other, path)
        assert (report.messages, report.format, report.users) == (5, "daybook", ("alice",))
        assert await contents(other) == await contents(book)
        copy = await other.sessions.get("s/1")
        assert copy is not None
        assert (copy.title, copy.metadata) == (session.title, session.metadata)
        assert "".join(export_json(stored, await other.history.entries("s/1"))) == text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 2}, "version"),
        ({"session": {"id": "s"}}, "no id or no user_id"),
        ({"session": None}, "no session"),
        ({"messages": None}, "no session"),
    ],
)
async def test_an_export_that_is_not_sound_is_reported(
    book: AsyncDaybook, write: WriteFile, change: dict[str, Any], reason: str
) -> None:
    sound = {
        "format": "daybook-export",
        "version": 1,
        "session": {"id": "s", "user_id": "u"},
        "messages": [{"v": 1, "role": "user", "content": "x", "id": "m"}, {"role": "user"}, "?"],
    }
    report = await import_file(book, write(sound))
    assert (report.messages, report.bad_count) == (1, 2)
    report = await import_file(book, write({**sound, **change}))
    assert (report.messages, report.bad_count) == (0, 1)
    assert reason in report.bad_records[0].reason


CHILD = """
import asyncio, sys
from daybook.client import AsyncDaybook
from daybook.importers.run import import_file

def after_batch(state):
    if state.messages >= int(sys.argv[3]):
        print(state.messages, flush=True)
        sys.stdin.readline()  # until the end of this process, whatever it is

async def main():
    async with AsyncDaybook.open(sys.argv[1], embedder=None, background=False) as book:
        await import_file(book, sys.argv[2], batch_size=50, on_progress=after_batch)

asyncio.run(main())
"""


def interrupted_import(url: str, path: Path, end: signal.Signals) -> int:
    """Import in a child process that waits after three batches, and end it there."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, url, str(path), "150"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout is not None
        assert int(child.stdout.readline()) == 150
        child.send_signal(end)
        child.communicate()
        return child.returncode


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
async def test_an_interrupted_import_goes_on_where_it_stopped(
    tmp_path: Path, write: WriteFile, end: signal.Signals
) -> None:
    path = write(lines(400))
    url = f"sqlite:///{tmp_path}/broken.db"
    assert interrupted_import(url, path, end) != 0
    async with AsyncDaybook.open(url, embedder=None, background=False) as book:
        stats = await book.sessions.stats()
        assert 150 <= stats.message_count < 400
        report = await import_file(book, path)
        assert report.messages == 400 - stats.message_count
        resumed = await contents(book)
    async with AsyncDaybook.open("inmemory://", embedder=None, background=False) as straight:
        await import_file(straight, path)
        assert untimed(resumed) == untimed(await contents(straight))


async def test_a_list_that_is_cut_off_keeps_what_is_whole(
    book: AsyncDaybook, write: WriteFile
) -> None:
    whole = json.dumps(lines(10))
    report = await import_file(book, write(whole[:-30]))
    assert (report.messages, report.bad_count) == (9, 1)
