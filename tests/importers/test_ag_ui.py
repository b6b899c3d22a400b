from __future__ import annotations

import json
from typing import Any

import pytest

from daybook.client import AsyncDaybook
from daybook.errors import InvalidInputError
from daybook.importers.ag_ui import from_ag_ui, to_ag_ui
from daybook.importers.detect import detect
from daybook.importers.run import import_file
from daybook.importers.source_file import SourceFile
from daybook.model.message import ContentPart, Message, ToolCall
from tests.importers.conftest import ReadRecords, WriteFile
from tests.importers.records import bad_in, messages_in, said_in, sessions_in

SAID: list[dict[str, Any]] = [
    {"id": "m1", "role": "developer", "content": "Be brief."},
    {"id": "m2", "role": "user", "content": "When?", "name": "Ann"},
    {"id": "m3", "role": "reasoning", "content": "A time is asked for.", "encryptedValue": "x"},
    {
        "id": "m4",
        "role": "assistant",
        "toolCalls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "timetable", "arguments": '{"port": "Mallaig"}'},
            }
        ],
    },
    {"id": "m5", "role": "tool", "content": "09:00", "toolCallId": "c1"},
    {"id": "m6", "role": "activity", "activityType": "PLAN", "content": {"steps": [1, 2.5]}},
    {
        "id": "m7",
        "role": "user",
        "content": [
            {"type": "text", "text": "And this?"},
            {"type": "image", "source": {"type": "url", "value": "https://example.org/a.png"}},
        ],
        "metadata": {"a": 1},
    },
]
RUN = {"threadId": "t1", "runId": "r1", "messages": SAID, "tools": [], "state": {}}


def test_messages_become_ours_and_come_back() -> None:
    ours = from_ag_ui(SAID)
    assert [one.id for one in ours] == [one["id"] for one in SAID]
    assert [one.role for one in ours] == [
        "system",
        "user",
        "assistant",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert ours[1].name == "Ann"
    assert ours[2].content == (ContentPart("reasoning", "A time is asked for."),)
    assert ours[3].tool_calls == (ToolCall("c1", "timetable", {"port": "Mallaig"}),)
    assert (ours[4].tool_call_id, ours[4].text) == ("c1", "09:00")
    assert ours[5].content == (ContentPart("PLAN", None, {"steps": [1, 2.5]}),)
    assert ours[6].text == "And this?"
    assert to_ag_ui(ours) == SAID


def test_our_own_messages_become_theirs() -> None:
    calls = [ToolCall("c1", "f", {"a": 1}), ToolCall("c2", "g", "not JSON")]
    ours = [
        Message.user("Hi", id="1", name="Ann"),
        Message.assistant("", id="2", tool_calls=calls),
        Message.tool("done", tool_call_id="c1", id="3"),
    ]
    theirs = to_ag_ui(ours)
    assert theirs[0] == {"id": "1", "role": "user", "content": "Hi", "name": "Ann"}
    arguments = [one["function"]["arguments"] for one in theirs[1]["toolCalls"]]
    assert arguments == ['{"a": 1}', "not JSON"]
    assert theirs[2]["toolCallId"] == "c1"
    again = from_ag_ui(theirs)
    assert [(one.role, one.text, one.tool_calls) for one in again] == [
        (one.role, one.text, one.tool_calls) for one in ours
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "m", "role": "nobody", "content": "x"},
        {"role": "user", "content": "x"},
        {"id": "m", "role": "tool", "content": "x"},
        {"id": "m", "role": "assistant", "toolCalls": [{"id": "c"}]},
        {"id": "m", "role": "assistant", "toolCalls": [{"id": "c", "function": {"name": ""}}]},
        {"id": "m", "role": "assistant", "toolCalls": 7},
        {"id": "m", "role": "user", "content": 7},
    ],
)
def test_what_is_no_message_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        from_ag_ui([wrong])


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RUN),
        json.dumps(RUN, indent=1),
        json.dumps([RUN]),
        json.dumps(SAID),
        json.dumps(SAID, indent=1),
        "\n".join(map(json.dumps, SAID)),
        json.dumps({"type": "MESSAGES_SNAPSHOT", "messages": SAID}),
        "\n".join(
            map(
                json.dumps,
                [
                    {"type": "RUN_STARTED", "threadId": "t1", "runId": "r1"},
                    {"type": "TEXT_MESSAGE_START", "messageId": "m2", "role": "user"},
                    {"type": "MESSAGES_SNAPSHOT", "messages": SAID},
                ],
            )
        ),
    ],
)
def test_files_are_recognised_and_read(write: WriteFile, read: ReadRecords, content: str) -> None:
    path = write(content)
    assert detect(SourceFile(path)).name == "ag_ui"
    records = read(path)
    assert bad_in(records) == []
    assert to_ag_ui(messages_in(records)) == SAID
    assert len(sessions_in(records)) == 1
    if '"t1"' in content:
        assert sessions_in(records) == ["t1"]


def test_a_bad_message_is_reported_and_the_rest_goes_on(
    write: WriteFile, read: ReadRecords
) -> None:
    broken = {**RUN, "messages": [*SAID[:2], {"role": "user"}, 7, {"id": "x", "role": "y"}]}
    records = read(write(json.dumps([broken, 7])))
    assert said_in(records) == [("system", "Be brief."), ("user", "When?")]
    places = [one.position for one in bad_in(records)]
    assert places == [*(f"$[0].messages[{at}]" for at in (2, 3, 4)), "$[1]"]


async def test_importing_again_adds_nothing(write: WriteFile, book: AsyncDaybook) -> None:
    path = write(json.dumps(RUN))
    first = await import_file(book, path, user_id="alice")
    again = await import_file(book, path, user_id="alice")
    assert (first.messages, again.messages, again.duplicates, again.bad_count) == (7, 0, 7, 0)
    assert to_ag_ui(await book.history.list("t1", user_id="alice")) == SAID
