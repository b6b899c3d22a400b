"""What comes back, in every shape that providers are known to send, and how calls end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from daybook.errors import BadModelOutputError
from daybook.language_models.anthropic_replies import AnthropicAssembler, anthropic_reply
from daybook.language_models.langchain_messages import (
    LangChainAssembler,
    langchain_message,
    langchain_reply,
)
from daybook.language_models.ollama_messages import ollama_reply
from daybook.language_models.openai_replies import OpenAIAssembler, openai_reply
from daybook.language_models.reply_parts import NotAnAnswerError
from daybook.language_models.tool_arguments import read_arguments, write_arguments
from daybook.model.codec import decode_message, encode_message
from daybook.model.message import ContentPart, Message, ToolCall, Usage
from daybook.model.reply import ModelRequest
from daybook.registry import load_language_model
from daybook.testing.model_turn import Turn
from tests.servers.model_server import ModelServer

REQUEST = ModelRequest(messages=(Message.user("hello"),))


def openai(message: dict[str, Any], finish: str = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": finish}], "model": "m", **more}


def test_openai_thoughts_are_kept_and_are_no_text() -> None:
    for field in ("reasoning_content", "reasoning"):
        message = openai_reply(openai({"content": "Yes.", field: "hm"})).message
        assert message.text == "Yes."
        assert message.content == (
            ContentPart("reasoning", None, {"reasoning": "hm"}),
            ContentPart("text", "Yes."),
        )


def test_openai_shapes_of_other_servers() -> None:
    call: dict[str, Any] = {"id": None, "function": {"name": "f", "arguments": {"a": 1}}}
    reply = openai_reply(openai({"content": "", "tool_calls": [call]}))
    assert reply.finish_reason == "tool_calls"
    assert reply.message.tool_calls[0].arguments == {"a": 1}
    assert 0 < len(reply.message.tool_calls[0].id) <= 40
    assert reply.message.usage is None

    custom = {"id": "1", "type": "custom", "custom": {"name": "f", "input": "plain"}}
    (found,) = openai_reply(openai({"tool_calls": [custom]})).message.tool_calls
    assert found == ToolCall("1", "f", "plain")


def test_openai_calls_without_an_index_in_a_stream() -> None:
    stream = OpenAIAssembler()
    for name in ("f", "g"):
        call = {"id": name, "function": {"name": name, "arguments": "{}"}}
        stream.add({"choices": [{"delta": {"tool_calls": [call]}}]})
    stream.add({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]})
    assert [call.name for call in stream.reply().message.tool_calls] == ["f", "g"]


def test_an_answer_without_choices_is_none() -> None:
    with pytest.raises(NotAnAnswerError):
        openai_reply({"choices": []})


def test_a_limit_that_left_no_room_is_an_answer() -> None:
    reply = openai_reply(openai({"content": None, "reasoning": "hm"}, "length"))
    assert (reply.finish_reason, reply.message.text) == ("length", "")


def test_openai_usage() -> None:
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 8},
    }
    message = openai_reply(openai({"content": "x"}, usage=usage)).message
    assert message.usage == Usage(100, 20, {"cached_tokens": 64, "reasoning_tokens": 8})


def test_anthropic_blocks_of_its_own_are_kept_for_the_next_request() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "So", "citations": [{"cited_text": "c"}]},
        {"type": "text", "text": "it is.", "citations": None},
    ]
    reply = anthropic_reply({"content": blocks, "stop_reason": "end_turn", "model": "m"})
    assert reply.message.text == "So\nit is."
    assert reply.message.content == (
        ContentPart("thinking", None, {"thinking": "hm", "signature": "s"}),
        ContentPart("redacted_thinking", None, {"data": "x"}),
        ContentPart("text", "So", {"citations": [{"cited_text": "c"}]}),
        ContentPart("text", "it is."),
    )
    assert decode_message(encode_message(reply.message)) == reply.message


def test_an_anthropic_stream_of_several_blocks_joins_to_its_text() -> None:
    def start(index: int, **block: Any) -> dict[str, Any]:
        return {"type": "content_block_start", "index": index, "content_block": block}

    def delta(index: int, **delta: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": delta}

    thought = {"thinking_tokens": 2}
    counts = {"output_tokens": 9, "cache_read_input_tokens": 4, "output_tokens_details": thought}
    stream = AnthropicAssembler()
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 3}}},
        start(0, type="thinking", thinking=""),
        delta(0, type="thinking_delta", thinking="hm"),
        delta(0, type="signature_delta", signature="s"),
        start(1, type="text", text=""),
        delta(1, type="text_delta", text="So"),
        start(2, type="text", text=""),
        delta(2, type="citations_delta", citation={"n": 1}),
        delta(2, type="text_delta", text="it "),
        delta(2, type="text_delta", text="is."),
        start(3, type="tool_use", id="1", name="f", input={}),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": counts},
        {"type": "message_stop"},
    ]
    pieces = [piece for event in events if (piece := stream.add(event))]
    reply = stream.reply()
    assert "".join(pieces) == reply.message.text == "So\nit is."
    assert reply.message.content == (
        ContentPart("thinking", None, {"thinking": "hm", "signature": "s"}),
        ContentPart("text", "So"),
        ContentPart("text", "it is.", {"citations": [{"n": 1}]}),
    )
    assert reply.message.tool_calls == (ToolCall("1", "f", {}),)
    assert reply.message.usage == Usage(7, 9, {"cached_tokens": 4, "reasoning_tokens": 2})


def test_ollama_tells_no_tokens_where_it_counted_none() -> None:
    line = {"model": "m", "message": {"content": "x"}, "done": True, "eval_count": 3}
    assert ollama_reply(line).message.usage is None
    assert ollama_reply({**line, "prompt_eval_count": 5}).message.usage == Usage(5, 3)


def test_langchain_arguments_are_not_mended() -> None:
    """LangChain closes broken JSON by itself; what the model wrote is what we keep."""
    stream = LangChainAssembler()
    for part in ('{"city": "Os', "lo"):
        chunk: Any = {"name": "f", "id": "1", "args": part, "index": 0}
        stream.add(AIMessageChunk(content="", tool_call_chunks=[chunk]))
        chunk.update(name=None, id=None)
    assert stream._whole is not None
    assert stream._whole.tool_calls[0]["args"] != {}  # what LangChain makes of it
    (call,) = stream.reply().message.tool_calls
    assert call.arguments == '{"city": "Oslo'

    raw: Any = {"name": "f", "id": "1", "args": "{no", "error": None, "type": "invalid_tool_call"}
    (call,) = langchain_reply(AIMessage("", invalid_tool_calls=[raw])).message.tool_calls
    assert call == ToolCall("1", "f", "{no")


def test_langchain_messages_there_and_back() -> None:
    message = Message.assistant(
        [
            ContentPart("thinking", None, {"thinking": "hm", "signature": "s"}),
            ContentPart("text", "Yes."),
        ],
        tool_calls=[ToolCall("1", "f", {"a": 1}), ToolCall("2", "g", "{no")],
    )
    back = langchain_reply(langchain_message(message)).message
    assert (back.content, back.tool_calls) == (message.content, message.tool_calls)

    image = ContentPart("image_url", None, {"image_url": {"url": "data:image/png;base64,AAAA"}})
    user = langchain_message(Message.user([image], name="Al"))
    assert isinstance(user, HumanMessage)
    assert user.name == "Al"
    assert user.content_blocks[0]["type"] == "image"
    result = langchain_message(
        Message.tool("no", tool_call_id="1", metadata={"is_error": True}, name="f")
    )
    assert isinstance(result, ToolMessage)
    assert (result.status, result.tool_call_id, result.name) == ("error", "1", "f")


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[1]", '{"a": NaN}', '{"a": 1, "a": 2}', '{"a": 1e999}', "{} {}",
     f'{{"a": {2**70}}}', '{"a":' * 2000],
)  # fmt: skip
def test_arguments_that_would_not_come_back_equal_stay_text(text: str) -> None:
    assert read_arguments(text) == text
    assert write_arguments(read_arguments(text)) == text


def test_arguments_that_are_sound_become_an_object() -> None:
    assert read_arguments(' {"a": [1, 2.5, null, "ö"]} ') == {"a": [1, 2.5, None, "ö"]}


# --------------------------------------------------------------------- what the server sees


@pytest.mark.parametrize("spec", ["openai:m@{}/v1", "anthropic:m@{}", "ollama:m@{}"])
@pytest.mark.parametrize("fault", ["silent", "stalled"])
async def test_a_cancelled_call_closes_its_connection(
    model_server: ModelServer, spec: str, fault: Any
) -> None:
    model_server.script(Turn(fault=fault))
    model = load_language_model(spec.format(model_server.url), retries=0)
    began = asyncio.Event()

    async def listen() -> None:
        async with aclosing(model.stream(REQUEST)) as stream:
            async for _ in stream:
                began.set()

    task = asyncio.ensure_future(listen())
    if fault == "stalled":
        await began.wait()
    while not model_server.requests:  # noqa: ASYNC110 - the server is another thread's
        await asyncio.sleep(0.005)
    assert not model_server.gone.is_set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(model_server.gone.wait, 60)
    await model.close()


@pytest.mark.parametrize("spec", ["openai:m@{}/v1", "anthropic:m@{}", "ollama:m@{}"])
async def test_leaving_a_stream_closes_its_connection(model_server: ModelServer, spec: str) -> None:
    model_server.script(Turn(fault="stalled"))
    model = load_language_model(spec.format(model_server.url), retries=0)
    async with aclosing(model.stream(REQUEST)) as stream:
        assert await anext(stream) == "A"
        assert not model_server.gone.is_set()
    assert await asyncio.to_thread(model_server.gone.wait, 60)
    await model.close()


async def test_a_named_model_retries_and_the_sdk_does_not(model_server: ModelServer) -> None:
    for spec in ("openai:m@{}/v1", "anthropic:m@{}", "ollama:m@{}"):
        model_server.script(Turn(fault="garbled"), Turn())
        model = load_language_model(spec.format(model_server.url), retries=1)
        assert (await model.generate(REQUEST)).message.text == "A fine answer."
        assert len(model_server.requests) == 2
        await model.close()

        model_server.script(Turn(fault="garbled"), Turn())
        model = load_language_model(spec.format(model_server.url), retries=0)
        with pytest.raises(BadModelOutputError):
            await model.generate(REQUEST)
        assert len(model_server.requests) == 1
        await model.close()
