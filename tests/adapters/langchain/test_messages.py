"""Messages come back as they were, both ways, whatever stands in them."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    message_to_dict,
)

from daybook import ContentPart, Message, ToolCall, Usage
from daybook.adapters.langchain.messages import from_langchain, readable, to_langchain
from daybook.errors import InvalidInputError
from daybook.model.codec import check_message, decode_message, encode_message

TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(TEXTS, inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXTS, JSON, max_size=3)
BLOCKS = st.one_of(
    TEXTS,
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}, optional={"x": JSON}),
    st.fixed_dictionaries({"type": st.sampled_from(["image_url", "reasoning", "file"])}).flatmap(
        lambda block: OBJECTS.map(lambda more: {**more, **block})
    ),
    OBJECTS,
)
CONTENTS = TEXTS | st.lists(BLOCKS, max_size=3)
IDS = st.none() | TEXTS | st.just("lc-7")
COMMON = {
    "content": CONTENTS,
    "id": IDS,
    "name": st.none() | TEXTS,
    "additional_kwargs": OBJECTS,
    "response_metadata": OBJECTS,
}
CALLS = st.fixed_dictionaries(
    {"name": TEXTS, "args": OBJECTS, "id": st.none() | TEXTS, "type": st.just("tool_call")}
)
BAD_CALLS = st.fixed_dictionaries(
    {
        "name": st.none() | TEXTS,
        "args": st.none() | TEXTS,
        "id": st.none() | TEXTS,
        "error": st.none() | TEXTS,
        "type": st.just("invalid_tool_call"),
    }
)
USAGES = st.none() | st.fixed_dictionaries(
    {name: st.integers(0, 9) for name in ("input_tokens", "output_tokens", "total_tokens")},
    optional={
        "input_token_details": st.fixed_dictionaries({}, optional={"cache_read": st.integers(0)})
    },
)
MESSAGES: st.SearchStrategy[BaseMessage] = st.one_of(
    st.builds(HumanMessage, **COMMON),
    st.builds(SystemMessage, **COMMON),
    st.builds(ChatMessage, role=TEXTS, **COMMON),
    st.builds(FunctionMessage, **{**COMMON, "name": TEXTS}),
    st.builds(
        ToolMessage,
        tool_call_id=TEXTS,
        artifact=JSON,
        status=st.sampled_from(["success", "error"]),
        **COMMON,
    ),
    st.builds(
        AIMessage,
        tool_calls=st.lists(CALLS, max_size=2),
        invalid_tool_calls=st.lists(BAD_CALLS, max_size=2),
        usage_metadata=USAGES,
        **COMMON,
    ),
)


def stored_and_read(message: BaseMessage) -> BaseMessage:
    ours = check_message(from_langchain(message))
    return to_langchain(decode_message(encode_message(ours)))


def exact(message: BaseMessage) -> str:
    """Return a text that shows every field, NaN and -0.0 included."""
    fields = message_to_dict(message)
    return repr((fields["type"], sorted(fields["data"].items(), key=repr)))


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return set(one) == set(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@given(MESSAGES)
@example(
    AIMessage(
        "x",
        usage_metadata={
            "input_tokens": 1,
            "output_tokens": 2,
            "total_tokens": 3,
            "input_token_details": {"cache_read": 2**64},
        },
    )
)
def test_any_message_comes_back_the_same(message: BaseMessage) -> None:
    back = stored_and_read(message)
    assert type(back) is type(message)
    assert same(message_to_dict(back), message_to_dict(message))


PLAIN = HumanMessage("hello", id="h1")
CALLING = AIMessage(
    [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "I look it up."}],
    id="lc_run--1",
    tool_calls=[{"name": "look", "args": {"at": 1.5}, "id": "c1", "type": "tool_call"}],
    usage_metadata={"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
    response_metadata={"model_name": "m", "logprobs": math.inf},
)
RESULT = ToolMessage(
    "42", tool_call_id="c1", artifact=[Document("p", metadata={"page": 1})], status="error"
)


@pytest.mark.parametrize("message", [PLAIN, CALLING, RESULT], ids=["plain", "calling", "result"])
def test_what_we_have_fields_for_becomes_ours(message: BaseMessage) -> None:
    ours = from_langchain(message)
    assert exact(stored_and_read(message)) == exact(message)
    assert ours.text == message.text
    if message is PLAIN:
        assert ours == Message.user("hello", id="h1")
    elif message is CALLING:
        assert ours.tool_calls == (ToolCall("c1", "look", {"at": 1.5}),)
        assert ours.usage == Usage(5, 2)
        assert "usage" not in ours.metadata["langchain"]
    else:
        assert ours.metadata["is_error"] is True
        assert ours.tool_call_id == "c1"


def test_the_incumbents_form_loses_what_ours_keeps() -> None:
    """The control: what LangChain's own histories store is ``json.dumps(message_to_dict(…))``."""
    with pytest.raises(TypeError):
        json.dumps(message_to_dict(ToolMessage("", tool_call_id="c", artifact=b"\x00")))
    written = json.dumps(message_to_dict(CALLING))
    assert "Infinity" in written  # which is no JSON


ARTIFACTS: list[Any] = [
    b"\x00\xff", (1, 2), {1, 2}, frozenset("a"), {3: "x"}, {"$daybook": 1}, 2**70, Decimal("1.50"),
    datetime(2026, 1, 2, tzinfo=UTC), date(2026, 1, 2), time(3, 4), timedelta(days=1, seconds=2),
    UUID(int=7), 1j, "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("artifact", ARTIFACTS, ids=lambda value: ascii(value)[:30])
def test_an_artifact_that_json_lacks_comes_back(artifact: Any) -> None:
    back: Any = stored_and_read(ToolMessage("r", tool_call_id="c", artifact=artifact))
    assert same(back.artifact, artifact)


def test_an_object_that_is_no_data_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="artifact: object cannot be stored"):
        from_langchain(ToolMessage("r", tool_call_id="c", artifact=object()))


def test_a_command_is_no_message() -> None:
    with pytest.raises(InvalidInputError, match="RemoveMessage"):
        from_langchain(RemoveMessage(id="x"))


def test_a_chunk_becomes_the_message_it_stands_for() -> None:
    chunk = AIMessageChunk(content="one", id="1") + AIMessageChunk(content=" two")
    assert stored_and_read(chunk) == AIMessage("one two", id="1")


def test_a_subclass_comes_back_as_its_base_with_its_fields() -> None:
    class Rated(HumanMessage):
        stars: int = 0

    rated: Any = Rated
    back: Any = stored_and_read(rated("fine", stars=4, more="x"))
    assert type(back) is HumanMessage
    assert back.model_extra == {"stars": 4, "more": "x"}


def test_text_of_another_message_is_text() -> None:
    """`message.text` is of a subclass of `str`."""
    text = AIMessage("hello").text
    ours = from_langchain(HumanMessage([{"type": "text", "text": text}, text]))
    assert encode_message(check_message(ours))
    assert ours.text == "hello\nhello"


def test_lc_shaped_data_is_not_revived() -> None:
    evil = {"lc": 1, "type": "constructor", "id": ["langchain", "x"], "kwargs": {}}
    back = stored_and_read(HumanMessage("x", additional_kwargs={"evil": evil}))
    assert back.additional_kwargs["evil"] == evil


NATIVE = [
    Message.user("hello"),
    Message.user([ContentPart("image", None, {"url": "x"})], metadata={"tag": [1]}, name="Ann"),
    Message.assistant(
        "",
        tool_calls=[ToolCall("c1", "f", {"a": 1}), ToolCall("c2", "g", "{broken")],
        usage=Usage(3, 4, {"cached_tokens": 1, "seconds": 2}),
        metadata={"is_error": False},
    ),
    Message.tool("r", tool_call_id="c1", metadata={"is_error": True, "took_s": 2}),
    Message.system("s", metadata={"daybook": {"corrupt": True}}),
]


@pytest.mark.parametrize("message", NATIVE, ids=["plain", "parts", "calls", "result", "system"])
def test_our_own_messages_come_back_the_same(message: Message) -> None:
    assert from_langchain(to_langchain(message)) == message


def test_a_row_of_another_kind_is_a_marked_placeholder() -> None:
    bad = Message.tool("x", tool_call_id="c", metadata={"langchain": {"blocks": {"9": "a"}}})
    bad = msgspec.structs.replace(bad, content=(ContentPart("text", "a"),))
    back = readable(bad)
    assert back.additional_kwargs["daybook"] == {"metadata": {"daybook": {"corrupt": True}}}
