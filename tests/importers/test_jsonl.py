from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daybook.importers import source_file
from daybook.importers.source import DEFAULT_USER, ImportedMessage
from daybook.model.message import ContentPart, ToolCall, Usage
from tests.importers.conftest import ReadRecords, WriteFile
from tests.importers.records import bad_in, messages_in, said_in, sessions_in

HELLO = {"role": "user", "content": "Hello", "created_at": "2024-05-01T10:00:00Z"}


def test_every_field_of_a_message_arrives(write: WriteFile, read: ReadRecords) -> None:
    line = {
        "id": "m1",
        "session_id": "s1",
        "user_id": "alice",
        "role": "assistant",
        "name": "Helper",
        "content": "I will look.",
        "created_at": "2024-05-01T10:00:00Z",
        "tool_calls": [{"id": "c1", "name": "search", "arguments": {"q": "ferry"}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 3, "cached": 2},
        "metadata": {"tag": "x"},
        "model": "tiny",
    }
    [record] = read(write([line]))
    assert isinstance(record, ImportedMessage)
    assert (record.session.session_id, record.session.user_id) == ("s1", "alice")
    message = record.message
    assert (message.id, message.role, message.name) == ("m1", "assistant", "Helper")
    assert message.created_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert message.tool_calls == (ToolCall("c1", "search", {"q": "ferry"}),)
    assert message.usage == Usage(7, 3, {"cached": 2})
    assert message.metadata == {"tag": "x", "model": "tiny"}


@pytest.mark.parametrize(
    ("line", "role", "text"),
    [
        ({"role": "human", "content": "a"}, "user", "a"),
        ({"type": "ai", "content": "a"}, "assistant", "a"),
        ({"from": "gpt", "value": "a"}, "assistant", "a"),
        ({"role": "developer", "text": "a"}, "system", "a"),
        ({"role": "function", "name": "f", "content": "a"}, "tool", "a"),
        ({"role": "User", "content": [{"type": "text", "text": "a"}]}, "user", "a"),
        ({"role": "user", "content": ["a", "b"]}, "user", "a\nb"),
    ],
)
def test_common_spellings(
    write: WriteFile, read: ReadRecords, line: dict[str, Any], role: str, text: str
) -> None:
    assert said_in(read(write([line]))) == [(role, text)]


@pytest.mark.parametrize("name", ["session_id", "conversation_id", "thread_id"])
def test_a_session_by_any_name(write: WriteFile, read: ReadRecords, name: str) -> None:
    assert sessions_in(read(write([{**HELLO, name: "talk"}, {**HELLO, name: 7}]))) == ["talk", "7"]


def test_openai_tool_calls_and_their_results(write: WriteFile, read: ReadRecords) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    broken = {"id": "c2", "type": "function", "function": {"name": "f", "arguments": '{"a": '}}
    lines = [
        {"role": "assistant", "content": None, "tool_calls": [call, broken]},
        {"role": "tool", "tool_call_id": "c1", "content": "42"},
    ]
    asking, answering = messages_in(read(write(lines)))
    assert asking.tool_calls == (ToolCall("c1", "f", {"a": 1}), ToolCall("c2", "f", '{"a": '))
    assert (answering.role, answering.tool_call_id, answering.text) == ("tool", "c1", "42")


def test_parts_keep_what_they_came_with(write: WriteFile, read: ReadRecords) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    [message] = messages_in(read(write([{"role": "user", "content": ["look", image]}])))
    assert message.content == (
        ContentPart("text", "look"),
        ContentPart("image_url", None, {"image_url": {"url": "https://example.org/a.png"}}),
    )


def test_a_conversation_on_each_line(write: WriteFile, read: ReadRecords) -> None:
    talk = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    records = read(write([{**talk, "id": "one", "source": "web"}, talk]))
    assert said_in(records) == [("user", "a"), ("assistant", "b")] * 2
    assert sessions_in(records)[0] == "one"
    first = next(record for record in records if isinstance(record, ImportedMessage))
    assert first.session.metadata == {"source": "web"}
    assert len({message.id for message in messages_in(records)}) == 4


def test_a_list_of_messages_as_one_document(write: WriteFile, read: ReadRecords) -> None:
    records = read(write(json.dumps([HELLO, {**HELLO, "content": "Bye"}], indent=2)))
    assert said_in(records) == [("user", "Hello"), ("user", "Bye")]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("last", [True, False])
def test_line_endings_and_byte_order_marks(
    write: WriteFile, read: ReadRecords, ending: str, mark: bytes, last: bool
) -> None:
    lines = [json.dumps(HELLO), "", json.dumps({**HELLO, "content": "Grüße 🌍"})]
    body = ending.join(lines) + (ending if last else "")
    records = read(write(mark + body.encode()))
    assert said_in(records) == [("user", "Hello"), ("user", "Grüße 🌍")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf_16_as_some_shells_write_it(write: WriteFile, read: ReadRecords, encoding: str) -> None:
    body = f"{json.dumps(HELLO)}\r\n{json.dumps({**HELLO, 'content': 'é'})}\r\n"
    data = body.encode(encoding)
    if not data.startswith(b"\xff\xfe"):
        data = b"\xff\xfe" + data
    assert said_in(read(write(data))) == [("user", "Hello"), ("user", "é")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"role": "user", "content": ', "not valid JSON at column"),
        ("plain words", "not valid JSON"),
        ("[1, 2]", "must be a JSON object, got list"),
        ('{"role": "king", "content": "secret"}', "the role is missing"),
        ('{"content": "secret"}', "the role is missing"),
        ('{"role": "user"}', "no content"),
        ('{"role": "user", "content": 7}', "content must be text"),
        ('{"role": "user", "content": "secret", "created_at": "soon"}', "time"),
        ('{"role": "user", "content": "secret", "metadata": 1}', "metadata"),
        ('{"role": "user", "content": "secret", "tool_calls": [{}]}', "tool call has no name"),
        ('{"role": "user", "content": "secret", "session_id": {}}', "must be text"),
        ('{"role": "user", "content": "secret", "score": NaN}', "NaN is not JSON"),
        ('{"role": "user", "content": "s", "n": ' + "1" * 5000 + "}", "too many digits"),
        ('{"role": "user", "content": ' + "[" * 100_000 + "}", "nested too deeply"),
    ],
)
def test_a_bad_line_is_reported_and_stops_nothing(
    write: WriteFile, read: ReadRecords, line: str, reason: str
) -> None:
    path = write(f"{json.dumps(HELLO)}\n{line}\n{json.dumps({**HELLO, 'content': 'Bye'})}\n")
    records = read(path)
    assert said_in(records) == [("user", "Hello"), ("user", "Bye")]
    [bad] = bad_in(records)
    assert (bad.file, bad.position) == (path.name, "2")
    assert reason in bad.reason
    assert "secret" not in str(bad)


def test_a_line_that_is_not_utf_8_is_reported(write: WriteFile, read: ReadRecords) -> None:
    hello = json.dumps(HELLO).encode()
    records = read(write(hello + b'\n{"role": "user", "content": "\xff"}\n' + hello))
    assert len(messages_in(records)) == 2
    assert [(bad.position, bad.reason) for bad in bad_in(records)] == [
        ("2", "byte 30 is not UTF-8")
    ]


def test_a_line_that_is_too_long_is_reported_and_passed_over(
    write: WriteFile, read: ReadRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_file, "MAX_LINE_BYTES", 200)
    long = json.dumps({**HELLO, "content": "x" * 1000})
    records = read(write(f"{long}\n{json.dumps(HELLO)}\n{long}"))
    assert said_in(records) == [("user", "Hello")]
    assert [bad.position for bad in bad_in(records)] == ["1", "3"]


def test_a_message_without_a_time_was_said_with_the_one_before(
    write: WriteFile, read: ReadRecords
) -> None:
    undated = {"role": "user", "content": "x"}
    first, second, third = messages_in(read(write([undated, HELLO, undated])))
    assert first.created_at is None
    assert third.created_at == second.created_at == datetime(2024, 5, 1, 10, tzinfo=UTC)


def test_owners(write: WriteFile, read: ReadRecords) -> None:
    path = write(
        [
            {**HELLO, "session_id": "a", "user_id": "alice"},
            {**HELLO, "session_id": "a"},
            {**HELLO, "session_id": "b"},
        ]
    )

    def owners(user_id: str | None) -> list[str]:
        records = read(path, user_id)
        return [one.session.user_id for one in records if isinstance(one, ImportedMessage)]

    assert owners(None) == ["alice", "alice", DEFAULT_USER]
    assert owners("carol") == ["carol"] * 3


def test_ids_rest_on_the_place_in_the_file(write: WriteFile, read: ReadRecords) -> None:
    lines = [{"role": "user", "content": "ok"}, {"role": "user", "content": "ok"}]
    first = messages_in(read(write(lines)))
    grown = messages_in(read(write([*lines, {"role": "user", "content": "more"}])))
    assert [one.id for one in grown[:2]] == [one.id for one in first]
    assert len({one.id for one in grown}) == 3


def test_undated_files_with_the_same_beginning_are_different_conversations(
    write: WriteFile, read: ReadRecords
) -> None:
    lines = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "ok"}]
    one, other = (read(write(lines, name)) for name in ("one.jsonl", "other.jsonl"))
    assert set(sessions_in(one)).isdisjoint(sessions_in(other))


def test_a_dated_file_is_the_same_wherever_it_lies(write: WriteFile, read: ReadRecords) -> None:
    one, other = (read(write([HELLO, HELLO], name)) for name in ("one.jsonl", "other.jsonl"))
    assert [m.id for m in messages_in(one)] == [m.id for m in messages_in(other)]
    assert sessions_in(one) == sessions_in(other)


def test_the_lines_in_the_documentation_are_read(write: WriteFile, read: ReadRecords) -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "importing.md"
    block = page.read_text().split("```json\n")[1].split("```")[0]
    records = read(write(block))
    assert [role for role, _ in said_in(records)] == ["user", "assistant", "tool"]
    assert bad_in(records) == []
    assert sessions_in(records) == ["trip"]
