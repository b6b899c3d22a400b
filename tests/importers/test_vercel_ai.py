from __future__ import annotations

import json
from typing import Any

import pytest

from daybook.client import AsyncDaybook
from daybook.errors import InvalidInputError
from daybook.importers.detect import detect
from daybook.importers.run import import_file
from daybook.importers.source_file import SourceFile
from daybook.importers.vercel_ai import from_ui_messages, to_ui_messages
from daybook.model.message import ContentPart, Message, ToolCall
from tests.importers.conftest import ReadRecords, WriteFile
from tests.importers.records import bad_in, messages_in, said_in, sessions_in

SAID: list[dict[str, Any]] = [
    {
        "id": "m1",
        "role": "user",
        "metadata": {"createdAt": "2024-05-01T10:00:00Z", "n": 1.0},
        "parts": [
            {"type": "text", "text": "When does it leave?"},
            {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,AA"},
        ],
    },
    {
        "id": "m2",
        "role": "assistant",
        "parts": [
            {"type": "step-start"},
            {"type": "reasoning", "text": "I need the timetable.", "state": "done"},
            {"type": "text", "text": "Looking.", "state": "done"},
            {
                "type": "tool-timetable",
                "toolCallId": "c1",
                "state": "output-available",
                "input": {"port": "Mallaig"},
                "output": {"first": "09:00"},
            },
            {
                "type": "dynamic-tool",
                "toolName": "weather",
                "toolCallId": "c2",
                "state": "output-error",
                "input": "calm?",
                "errorText": "no wind data",
            },
            {"type": "step-start"},
            {"type": "text", "text": "At nine."},
            {"type": "data-map", "id": "d1", "data": {"lat": 57.0}},
        ],
    },
    {
        "id": "m3",
        "role": "assistant",
        "parts": [
            {"type": "tool-ask", "toolCallId": "c3", "state": "input-available", "input": {}}
        ],
    },
]
CHAT = {"id": "chat-1", "title": "Ferries", "messages": SAID}


def test_a_message_with_tools_becomes_several_and_comes_back() -> None:
    ours = from_ui_messages(SAID)
    assert [(one.id, one.role) for one in ours] == [
        ("m1", "user"),
        ("m2", "assistant"),
        ("m2/2", "tool"),
        ("m2/3", "tool"),
        ("m2/4", "assistant"),
        ("m3", "assistant"),
    ]
    assert ours[1].tool_calls == (
        ToolCall("c1", "timetable", {"port": "Mallaig"}),
        ToolCall("c2", "weather", "calm?"),
    )
    assert ours[1].text == "I need the timetable.\nLooking."
    assert [(one.tool_call_id, one.text) for one in ours[2:4]] == [
        ("c1", '{"first": "09:00"}'),
        ("c2", "no wind data"),
    ]
    assert ours[4].content[1] == ContentPart("data-map", None, {"id": "d1", "data": {"lat": 57.0}})
    assert ours[5].tool_calls == (ToolCall("c3", "ask", {}),)
    assert str(ours[0].created_at) == "2024-05-01 10:00:00+00:00"
    assert to_ui_messages(ours) == SAID


def test_a_result_of_nothing_still_answers_its_call() -> None:
    part = {"type": "tool-f", "toolCallId": "c", "state": "output-available", "output": None}
    denied = {"type": "tool-f", "toolCallId": "d", "state": "output-denied", "input": {}}
    said = [{"id": "m", "role": "assistant", "parts": [part, denied]}]
    assert [(one.role, one.text) for one in from_ui_messages(said)] == [
        ("assistant", ""),
        ("tool", ""),
        ("tool", "denied"),
    ]


def test_our_own_messages_become_theirs() -> None:
    ours = [
        Message.user("Hi", id="1"),
        Message.assistant("", id="2", tool_calls=[ToolCall("c1", "f", {"a": 1})]),
        Message.tool("done", tool_call_id="c1", id="3"),
        Message.assistant(
            [ContentPart("text", "So."), ContentPart("image", None, {"u": 1})], id="4"
        ),
    ]
    theirs = to_ui_messages(ours)
    assert [one["id"] for one in theirs] == ["1", "2", "4"]
    assert theirs[1]["parts"] == [
        {
            "type": "tool-f",
            "toolCallId": "c1",
            "state": "output-available",
            "input": {"a": 1},
            "output": "done",
        }
    ]
    assert [(one.role, one.text) for one in from_ui_messages(theirs)] == [
        (one.role, one.text) for one in ours
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "m", "role": "tool", "parts": []},
        {"role": "user", "parts": []},
        {"id": "m", "role": "user"},
        {"id": "m", "role": "user", "parts": [7]},
        {"id": "m", "role": "assistant", "parts": [{"type": "tool-f"}]},
    ],
)
def test_what_is_no_message_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        from_ui_messages([wrong])


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(CHAT),
        json.dumps(CHAT, indent=1),
        json.dumps([CHAT]),
        json.dumps(SAID),
        json.dumps(SAID, indent=1),
        "\n".join(map(json.dumps, SAID)),
    ],
)
def test_files_are_recognised_and_read(write: WriteFile, read: ReadRecords, content: str) -> None:
    path = write(content)
    assert detect(SourceFile(path)).name == "vercel_ai"
    records = read(path)
    assert bad_in(records) == []
    assert to_ui_messages(messages_in(records)) == SAID
    assert len(sessions_in(records)) == 1
    if "chat-1" in content:
        assert sessions_in(records) == ["chat-1"]


def test_a_message_of_somebody_elses_stays_plain(write: WriteFile) -> None:
    gemini = {"role": "user", "parts": [{"text": "Hi"}]}
    ours = {**SAID[0], "session_id": "s"}
    for value in (gemini, ours):
        assert detect(SourceFile(write(json.dumps(value)))).name == "jsonl"


def test_a_bad_message_is_reported_and_the_rest_goes_on(
    write: WriteFile, read: ReadRecords
) -> None:
    records = read(write(json.dumps({**CHAT, "messages": [SAID[2], 7, {"id": "x"}, SAID[0]]})))
    assert [role for role, _ in said_in(records)] == ["assistant", "user"]
    assert [one.position for one in bad_in(records)] == ["1.messages[1]", "1.messages[2]"]


async def test_importing_again_adds_nothing(write: WriteFile, book: AsyncDaybook) -> None:
    path = write(json.dumps(CHAT))
    first = await import_file(book, path, user_id="alice")
    again = await import_file(book, path, user_id="alice")
    assert (first.messages, again.messages, again.duplicates, again.bad_count) == (6, 0, 6, 0)
    session = await book.sessions.get("chat-1", user_id="alice")
    assert session is not None
    assert session.title == "Ferries"
    assert to_ui_messages(await book.history.list("chat-1", user_id="alice")) == SAID
