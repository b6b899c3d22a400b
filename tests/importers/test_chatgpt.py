from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from daybook.importers.chatgpt import current_path
from daybook.importers.source import DEFAULT_USER, ImportedSession
from daybook.model.message import ContentPart, ToolCall
from tests.importers.conftest import ReadRecords, WriteFile
from tests.importers.records import bad_in, left_out_in, messages_in, said_in

START = 1_714_557_600.0  # 2024-05-01T10:00:00Z


def node(
    name: str,
    parent: str | None,
    role: str = "user",
    content: Any = None,
    *,
    at: float | None = START,
    **fields: Any,
) -> dict[str, Any]:
    """Return a node of the tree; text stands for a text content."""
    if isinstance(content, str):
        content = {"content_type": "text", "parts": [content]}
    message = None
    if content is not None:
        message = {
            "id": f"m-{name}",
            "author": {"role": role, "name": fields.pop("author_name", None)},
            "create_time": at,
            "content": content,
            "metadata": fields.pop("metadata", {}),
            "recipient": "all",
            **fields,
        }
    return {"id": name, "parent": parent, "children": [], "message": message}


def conversation(*nodes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    mapping = {one["id"]: one for one in nodes}
    for one in nodes:
        if one["parent"] in mapping:
            mapping[one["parent"]]["children"].append(one["id"])
    return {
        "title": "Ferries",
        "create_time": START,
        "conversation_id": "talk-1",
        "current_node": nodes[-1]["id"],
        "mapping": mapping,
        **fields,
    }


def test_the_current_branch_is_imported_and_the_others_counted(
    write: WriteFile, read: ReadRecords
) -> None:
    talk = conversation(
        node("root", None),
        node("q", "root", content="When does the ferry leave?"),
        node("old", "q", "assistant", "At noon.", at=START + 1),
        node("old-2", "old", content="Sure?", at=START + 2),
        node("new", "q", "assistant", "At one.", at=START + 3, metadata={"model_slug": "m-1"}),
        node("thanks", "new", content="Thanks!", at=START + 4.5),
    )
    records = read(write(json.dumps([talk])))
    assert said_in(records) == [
        ("user", "When does the ferry leave?"),
        ("assistant", "At one."),
        ("user", "Thanks!"),
    ]
    assert left_out_in(records) == 2
    session = records[0]
    assert isinstance(session, ImportedSession)
    assert (session.session_id, session.user_id, session.title) == (
        "talk-1",
        DEFAULT_USER,
        "Ferries",
    )
    first, answer, last = messages_in(records)
    assert first.id == "m-q"
    assert answer.metadata == {"chatgpt": {"model_slug": "m-1"}}
    assert last.created_at == datetime(2024, 5, 1, 10, 0, 4, 500_000, tzinfo=UTC)


def test_without_a_current_node_the_newest_leaf_counts(write: WriteFile, read: ReadRecords) -> None:
    nodes = [
        node("a", None, content="one"),
        node("b", "a", "assistant", "newer", at=START + 9),
        node("c", "a", "assistant", "older", at=START + 1),
    ]
    records = read(write(json.dumps([conversation(*nodes, current_node="gone")])))
    assert said_in(records) == [("user", "one"), ("assistant", "newer")]


def test_a_loop_in_the_tree_ends_the_path() -> None:
    loop = {"a": {"parent": "b"}, "b": {"parent": "a"}}
    assert current_path(loop, "a") == ["b", "a"]


def test_calls_and_results_of_tools(write: WriteFile, read: ReadRecords) -> None:
    code = {"content_type": "code", "language": "json", "text": '{"query": "ferry"}'}
    plain = {"content_type": "code", "language": "python", "text": "print(6 * 7)"}
    output = {"content_type": "execution_output", "text": "42"}
    page = {"content_type": "tether_browsing_display", "result": "found", "summary": "s"}
    talk = conversation(
        node("q", None, content="Look it up"),
        node("c1", "q", "assistant", code, recipient="browser"),
        node("r1", "c1", "tool", page, author_name="browser"),
        node("c2", "r1", "assistant", plain, recipient="python"),
        node("r2", "c2", "tool", output, author_name="python"),
    )
    _, call, result, code_call, code_result = messages_in(read(write(json.dumps([talk]))))
    assert call.tool_calls == (ToolCall("m-c1", "browser", {"query": "ferry"}),)
    assert (result.role, result.name, result.tool_call_id) == ("tool", "browser", "m-c1")
    assert result.text == "found"
    assert code_call.tool_calls == (ToolCall("m-c2", "python", "print(6 * 7)"),)
    assert (code_result.text, code_result.tool_call_id) == ("42", "m-c2")


def test_pictures_and_voice_become_parts(write: WriteFile, read: ReadRecords) -> None:
    content = {
        "content_type": "multimodal_text",
        "parts": [
            {"content_type": "image_asset_pointer", "asset_pointer": "file://1", "width": 10},
            {"content_type": "audio_transcription", "text": "hear me"},
            "look",
        ],
    }
    [message] = messages_in(
        read(write(json.dumps([conversation(node("a", None, content=content))])))
    )
    assert message.content == (
        ContentPart("image", None, {"asset_pointer": "file://1", "width": 10}),
        ContentPart("audio_transcription", "hear me", {}),
        ContentPart("text", "look"),
    )
    assert message.text == "hear me\nlook"


def test_thoughts_are_kept_and_empty_messages_are_not(write: WriteFile, read: ReadRecords) -> None:
    thoughts = {"content_type": "thoughts", "thoughts": [{"summary": "s", "content": "c"}]}
    talk = conversation(
        node("s", None, "system", ""),
        node("a", "s", "assistant", thoughts),
        node("b", "a", "assistant", "Hello"),
    )
    first, second = messages_in(read(write(json.dumps([talk]))))
    assert first.content == (
        ContentPart("thoughts", None, {"thoughts": [{"summary": "s", "content": "c"}]}),
    )
    assert second.text == "Hello"


def test_missing_times_are_those_of_the_message_before(write: WriteFile, read: ReadRecords) -> None:
    talk = conversation(
        node("a", None, content="one", at=None),
        node("b", "a", content="two", at=START + 60),
        node("c", "b", content="three", at=None),
    )
    times = [one.created_at for one in messages_in(read(write(json.dumps([talk]))))]
    start = datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert times == [start, start.replace(minute=1), start.replace(minute=1)]


def test_bad_conversations_and_messages_are_reported_with_their_path(
    write: WriteFile, read: ReadRecords
) -> None:
    talk = conversation(
        node("a", None, "wizard", "secret"),
        node("b", "a", content="fine"),
        node("c", "b", content="secret", at="soon"),  # type: ignore[arg-type] # on purpose
    )
    talk["mapping"]["d"] = {"parent": "c", "children": [], "message": "secret"}
    talk["current_node"] = "d"
    records = read(write(json.dumps([talk, {"title": "no mapping"}, None, talk])))
    assert said_in(records) == [("user", "fine")] * 2
    assert [bad.position for bad in bad_in(records)][:5] == [
        "$[0].mapping.a",
        "$[0].mapping.c",
        "$[0].mapping.d",
        "$[1]",
        "$[2]",
    ]
    assert "secret" not in str(bad_in(records))


def test_a_cut_off_export_gives_what_is_whole(write: WriteFile, read: ReadRecords) -> None:
    talks = [
        conversation(node("a", None, content=f"talk {n}"), conversation_id=f"t{n}")
        for n in range(3)
    ]
    whole = json.dumps(talks, indent=1)
    records = read(write(whole[: whole.index("talk 2")]))
    assert said_in(records) == [("user", "talk 0"), ("user", "talk 1")]
    [bad] = bad_in(records)
    assert bad.position == "$[2]"
    assert "cut off" in bad.reason
