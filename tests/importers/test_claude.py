from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from daybook.importers.source import ImportedSession
from daybook.model.message import ContentPart, ToolCall
from tests.importers.conftest import ReadRecords, WriteFile
from tests.importers.records import bad_in, left_out_in, messages_in, said_in

MOMENT = "2024-05-01T10:00:00.123456Z"


def said(name: str, sender: str, text: str = "", **fields: Any) -> dict[str, Any]:
    return {"uuid": name, "sender": sender, "text": text, "created_at": MOMENT, **fields}


def conversation(*messages: Any, **fields: Any) -> dict[str, Any]:
    return {
        "uuid": "talk-1",
        "name": "Ferries",
        "created_at": MOMENT,
        "account": {"uuid": "account-1"},
        "chat_messages": list(messages),
        **fields,
    }


def test_a_conversation_with_its_owner_and_times(write: WriteFile, read: ReadRecords) -> None:
    blocks = [{"type": "text", "text": "At one."}]
    talk = conversation(
        said("m1", "human", "When?"),
        said("m2", "assistant", "ignored beside content", content=blocks),
        said("m3", "human"),
    )
    records = read(write(json.dumps([talk])))
    session = records[0]
    assert isinstance(session, ImportedSession)
    assert (session.session_id, session.user_id, session.title) == (
        "talk-1",
        "account-1",
        "Ferries",
    )
    assert said_in(records) == [("user", "When?"), ("assistant", "At one.")]
    first = messages_in(records)[0]
    assert (first.id, first.created_at) == (
        "m1",
        datetime(2024, 5, 1, 10, 0, 0, 123_456, tzinfo=UTC),
    )


def test_attachments_can_be_found_by_their_text(write: WriteFile, read: ReadRecords) -> None:
    message = said(
        "m1",
        "human",
        "Read this",
        attachments=[
            {
                "file_name": "plan.txt",
                "file_size": 9,
                "file_type": "txt",
                "extracted_content": "ferry",
            }
        ],
        files=[{"file_name": "map.png"}],
    )
    [imported] = messages_in(read(write(json.dumps([conversation(message)]))))
    assert imported.content == (
        ContentPart("text", "Read this"),
        ContentPart(
            "attachment", "ferry", {"file_name": "plan.txt", "file_size": 9, "file_type": "txt"}
        ),
        ContentPart("file", None, {"file_name": "map.png"}),
    )


def test_a_message_with_tools_becomes_calls_results_and_words(
    write: WriteFile, read: ReadRecords
) -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "start_timestamp": None},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": "c1", "name": "search", "input": {"q": "ferry"}},
        {"type": "tool_use", "name": "clock", "input": {}},
        {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "one"}]},
        {"type": "tool_result", "content": "10:00", "is_error": True},
        {"type": "text", "text": "At one."},
    ]
    talk = conversation(said("m1", "assistant", content=blocks))
    call, first, second, answer = messages_in(read(write(json.dumps([talk]))))
    assert call.id == "m1"
    assert call.content == (
        ContentPart("thinking", None, {"thinking": "hm"}),
        ContentPart("text", "I will look."),
    )
    assert call.tool_calls == (ToolCall("c1", "search", {"q": "ferry"}), ToolCall("m1/2", "clock"))
    assert (first.role, first.text, first.tool_call_id) == ("tool", "one", "c1")
    assert (second.text, second.tool_call_id) == ("10:00", "m1/2")
    assert second.metadata == {"is_error": True}
    assert (answer.role, answer.text) == ("assistant", "At one.")
    assert len({call.id, first.id, second.id, answer.id}) == 4


def test_only_the_current_branch_is_imported(write: WriteFile, read: ReadRecords) -> None:
    talk = conversation(
        said("a", "human", "When?", parent_message_uuid="root"),
        said("b", "assistant", "At noon.", parent_message_uuid="a"),
        said("c", "assistant", "At one.", parent_message_uuid="a"),
        current_leaf_message_uuid="c",
    )
    records = read(write(json.dumps([talk])))
    assert said_in(records) == [("user", "When?"), ("assistant", "At one.")]
    assert left_out_in(records) == 1


def test_bad_messages_are_reported_with_their_path(write: WriteFile, read: ReadRecords) -> None:
    talk = conversation(
        said("a", "wizard", "secret"),
        "secret",
        said("b", "human", content=["secret"]),
        said("c", "human", "fine"),
        said("d", "human", "secret", created_at="soon"),
    )
    records = read(write(json.dumps([talk, {"uuid": "x"}])))
    assert said_in(records) == [("user", "fine")]
    assert [bad.position for bad in bad_in(records)] == [
        "$[0].chat_messages[0]",
        "$[0].chat_messages[1]",
        "$[0].chat_messages[2]",
        "$[0].chat_messages[4]",
        "$[1]",
    ]
    assert "secret" not in str(bad_in(records))
