"""What is sent: accepted by the provider, and nothing lost that it can take."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from msgspec.structs import replace

from daybook.errors import ProviderError
from daybook.model.message import ContentPart, Message, ToolCall
from daybook.model.reply import ModelRequest, Tool
from daybook.registry import load_language_model
from daybook.testing.model_turn import Turn
from tests.servers.model_server import ModelServer

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n1234").decode()
PDF = base64.b64encode(b"%PDF-1.4").decode()
SOUND = base64.b64encode(b"RIFF....WAVE").decode()
NOTES = base64.b64encode(b"some notes").decode()
PNG_URL = f"data:image/png;base64,{PNG}"
PNG_SOURCE = {"type": "base64", "media_type": "image/png", "data": PNG}
PDF_SOURCE = {"type": "base64", "media_type": "application/pdf", "data": PDF}
PROVIDERS = {"openai": "/v1", "anthropic": "", "ollama": ""}

LONG = ModelRequest(
    messages=(
        Message.system("Be brief."),
        Message.assistant("I am here."),
        Message.user("Who are you?", name="Alice Smith"),
        Message.user(
            [
                ContentPart("text", "Look:"),
                ContentPart("image_url", None, {"image_url": {"url": PNG_URL}}),
                ContentPart("image", None, {"source": PNG_SOURCE}),
                ContentPart("image", None, {"base64": PNG, "mime_type": "image/png"}),
                ContentPart("image", None, {"url": "https://example.org/cat.png"}),
                ContentPart("input_audio", None, {"input_audio": {"data": SOUND, "format": "wav"}}),
                ContentPart("document", None, {"source": PDF_SOURCE, "title": "paper"}),
                ContentPart("file", None, {"base64": NOTES, "mime_type": "text/plain"}),
                ContentPart("attachment", "extracted words", {"file_name": "a.txt"}),
                ContentPart("video", None, {"url": "https://example.org/v"}),
                ContentPart("text", ""),
            ]
        ),
        Message.assistant(
            [
                ContentPart("thinking", None, {"thinking": "hm", "signature": "sig"}),
                ContentPart("reasoning", None, {"reasoning": "hmm"}),
                ContentPart("text", "I look it up."),
            ],
            tool_calls=[
                ToolCall("call/1", "weather", {"city": "Oslo", "ö": 1}),
                ToolCall("call_2", "weather", '{"city": Oslo'),
            ],
        ),
        Message.tool("rain", tool_call_id="call/1"),
        Message.tool(
            [ContentPart("text", "a map"), ContentPart("image", None, {"base64": PNG})],
            tool_call_id="call_2",
            metadata={"is_error": True},
        ),
        Message.user("   "),
        Message.user("And?"),
    ),
    tools=(Tool(name="weather", description="Tells it."), Tool(name="bare")),
    max_output_tokens=100,
    temperature=0.5,
    cache_after=(0, 1, 3, 4, 6, 8, 99, -1),
)  # fmt: skip


async def sent(server: ModelServer, provider: str, request: ModelRequest, **options: Any) -> Any:
    """Return the body that the server got; raises if it refused it."""
    server.script(Turn())
    spec = f"{provider}:m@{server.url}{PROVIDERS[provider]}"
    model = load_language_model(spec, retries=0, **options)
    try:
        await model.generate(request)
        async for _ in model.stream(request):
            pass
    finally:
        await model.close()
    return server.bodies[0]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_context_with_everything_is_accepted(
    model_server: ModelServer, provider: str
) -> None:
    await sent(model_server, provider, LONG)
    whole, streamed = model_server.bodies
    assert whole["messages"] == streamed["messages"]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_the_server_refuses_what_is_wrong(model_server: ModelServer, provider: str) -> None:
    """The control of all tests here: a field that nobody knows, and a context without an end."""
    with pytest.raises(ProviderError) as caught:
        await sent(model_server, provider, replace(LONG, options={"no_such_field": 1}))
    assert not caught.value.retryable
    if provider != "ollama":
        with pytest.raises(ProviderError):
            await sent(model_server, provider, replace(LONG, messages=LONG.messages[:6]))


async def test_openai_gets_what_it_can_take(model_server: ModelServer) -> None:
    body = await sent(model_server, "openai", LONG)
    assert body["max_tokens"] == 100
    assert body["temperature"] == 0.5
    system, _, who, look, calling, rain, failed, _, last = body["messages"]
    assert system == {"role": "system", "content": "Be brief."}
    assert who == {"role": "user", "content": "Who are you?", "name": "Alice_Smith"}
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}
    assert look["content"] == [
        {"type": "text", "text": "Look:"},
        image,
        image,
        image,
        {"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}},
        {"type": "input_audio", "input_audio": {"data": SOUND, "format": "wav"}},
        {
            "type": "file",
            "file": {"filename": "paper", "file_data": f"data:application/pdf;base64,{PDF}"},
        },
        {"type": "text", "text": "some notes"},
        {"type": "text", "text": "extracted words"},
        {"type": "text", "text": "[video]"},
    ]
    assert calling["content"] == "I look it up."
    first_id = calling["tool_calls"][0]["id"]
    first, second = (call["function"]["arguments"] for call in calling["tool_calls"])
    assert json.loads(first) == {"city": "Oslo", "ö": 1}
    assert second == '{"city": Oslo'
    assert rain == {"role": "tool", "tool_call_id": first_id, "content": "rain"}
    assert failed["content"][1] == {"type": "text", "text": "[image]"}
    assert last == {"role": "user", "content": "And?"}
    assert [tool["function"]["name"] for tool in body["tools"]] == ["weather", "bare"]


async def test_openai_cache_marks_are_set_when_asked_for(model_server: ModelServer) -> None:
    body = await sent(model_server, "openai", LONG, cache_marks=True)
    marked = [
        place
        for place, message in enumerate(body["messages"])
        if isinstance(message["content"], list)
        and "prompt_cache_breakpoint" in message["content"][-1]
    ]
    assert marked == [3, 4, 6, 8]


async def test_the_limit_has_openais_newer_name_where_asked(model_server: ModelServer) -> None:
    options = {"max_tokens_field": "max_completion_tokens"}
    body = await sent(model_server, "openai", LONG, **options)
    assert body["max_completion_tokens"] == 100
    assert "max_tokens" not in body


async def test_openai_streams_ask_for_usage(model_server: ModelServer) -> None:
    await sent(model_server, "openai", LONG)
    assert "stream_options" not in model_server.bodies[0]
    assert model_server.bodies[1]["stream_options"] == {"include_usage": True}


async def test_anthropic_gets_what_it_can_take(model_server: ModelServer) -> None:
    body = await sent(model_server, "anthropic", LONG)
    assert (body["max_tokens"], body["temperature"]) == (100, 0.5)
    assert body["system"] == [{"type": "text", "text": "Be brief."}]
    opening, here, asking, calling, answering = body["messages"]
    assert [m["role"] for m in body["messages"]] == ["user", "assistant"] * 2 + ["user"]
    assert opening["content"][0]["text"].startswith("[")
    assert here["content"][0]["text"] == "I am here."
    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": PNG},
    }
    who, look, *parts, last = asking["content"]
    assert [who["text"], look["text"]] == ["Who are you?", "Look:"]
    assert parts == [
        image,
        image,
        image,
        {"type": "image", "source": {"type": "url", "url": "https://example.org/cat.png"}},
        {"type": "text", "text": "[input_audio]"},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            "title": "paper",
        },
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "some notes"},
        },
        {"type": "text", "text": "extracted words"},
    ]
    assert last["text"] == "[video]"
    thinking, text, first, second = calling["content"]
    assert thinking == {"type": "thinking", "thinking": "hm", "signature": "sig"}
    assert text["text"] == "I look it up."
    assert first["input"] == {"city": "Oslo", "ö": 1}
    assert second["input"] == {"INVALID_JSON": '{"city": Oslo'}
    rain, failed, question = answering["content"]
    assert rain == {"type": "tool_result", "tool_use_id": first["id"], "content": "rain"}
    assert failed["is_error"] is True
    assert failed["content"][1] == image
    assert question["text"] == "And?"


async def test_anthropic_cache_marks_stand_at_the_last_four_places(
    model_server: ModelServer,
) -> None:
    body = await sent(model_server, "anthropic", LONG)
    marked = [
        (turn, place)
        for turn, message in enumerate(body["messages"])
        for place, block in enumerate(message["content"])
        if "cache_control" in block
    ]
    assert marked == [(2, 10), (3, 3), (4, 1), (4, 2)]
    body = await sent(model_server, "anthropic", replace(LONG, cache_after=(0,)))
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}


async def test_an_anthropic_prefill_ends_without_space(model_server: ModelServer) -> None:
    request = ModelRequest(messages=(Message.user("Go on:"), Message.assistant("Once \n")))
    body = await sent(model_server, "anthropic", request)
    assert body["messages"][-1]["content"][0]["text"] == "Once"
    assert body["max_tokens"] == 8192


async def test_ollama_gets_what_it_can_take(model_server: ModelServer) -> None:
    request = replace(LONG, options={"think": True, "options": {"num_ctx": 4096}})
    body = await sent(model_server, "ollama", request)
    assert body["options"] == {"temperature": 0.5, "num_predict": 100, "num_ctx": 4096}
    assert body["think"] is True
    look, calling, rain = body["messages"][3:6]
    assert look["images"] == [PNG, PNG, PNG]
    assert "some notes" in look["content"]
    assert "[input_audio]" in look["content"]
    assert calling["thinking"] == "hm\nhmm"
    assert [call["function"]["arguments"] for call in calling["tool_calls"]] == [
        {"city": "Oslo", "ö": 1},
        {"INVALID_JSON": '{"city": Oslo'},
    ]
    assert rain == {
        "role": "tool", "content": "rain", "tool_call_id": "call/1", "tool_name": "weather",
    }  # fmt: skip


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_what_a_model_asked_for_is_sent_back_as_it_was(
    model_server: ModelServer, provider: str
) -> None:
    """A reply goes into the next request whole, signed thoughts and all."""
    server = model_server
    model = load_language_model(f"{provider}:m@{server.url}{PROVIDERS[provider]}", retries=0)
    try:
        for turn in (Turn(calls=(), pieces=("Yes.",)), Turn()):
            server.script(turn)
            reply = await model.generate(ModelRequest(messages=(Message.user("Really?"),)))
            following = (Message.user("Really?"), reply.message, Message.user("Sure?"))
            await model.generate(ModelRequest(messages=following))
    finally:
        await model.close()
    content = server.bodies[-1]["messages"][1]["content"]
    assert content in ("A fine answer.", [{"type": "text", "text": "A fine answer."}])


async def test_a_key_goes_only_where_it_was_made_for(
    model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a base URL of one's own, the environment's key stays at home."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-from-environment")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-from-environment")
    for provider in ("openai", "anthropic"):
        await sent(model_server, provider, ModelRequest(messages=(Message.user("Hi"),)))
        shown = str(model_server.requests[0].headers)
        assert "sk-from-environment" not in shown
        assert "none" in shown
