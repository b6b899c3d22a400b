"""Turns through the providers' own SDKs, which talk to a scripted server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from daybook.chat import AsyncChatApplication, ChatReply
from daybook.errors import ProviderError
from daybook.language_models import as_language_model
from daybook.model.message import Message
from daybook.testing.model_turn import ScriptedCall, Turn
from tests.chat.scripted_models import mark, texts
from tests.servers.model_server import ModelServer

PROVIDERS = {"openai": "/v1", "anthropic": "", "ollama": ""}
KEYS = {"openai", "anthropic"}


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sun in {city}"


@asynccontextmanager
async def talking(
    provider: str, server: ModelServer, *turns: Turn, retries: int = 0
) -> AsyncIterator[AsyncChatApplication]:
    server.script(*turns)
    key = {"api_key": "sk-made-up"} if provider in KEYS else {}
    model = as_language_model(
        f"{provider}:some-model@{server.url}{PROVIDERS[provider]}", retries=retries, **key
    )
    async with AsyncChatApplication(
        "inmemory://", embedder="hash", model=model, tools=[weather], system_prompt="Be brief."
    ) as chat:
        await chat.create_session("alice", session_id="s")
        yield chat


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_answers_whole_and_streamed(provider: str, model_server: ModelServer) -> None:
    async with talking(provider, model_server, Turn(echo=True), Turn()) as chat:
        assert (await chat.chat("s", "Say this again")).text == "Say this again"
        *pieces, reply = [part async for part in chat.stream("s", "And now?")]
    assert pieces == ["A", " fine", " answer."]
    assert isinstance(reply, ChatReply)
    assert reply.text == "A fine answer."
    assert reply.usage is not None
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (120, 30)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_tools(provider: str, streamed: bool, model_server: ModelServer) -> None:
    both = (
        ScriptedCall("call_1", "weather", '{"city": "Oslo"}'),
        ScriptedCall("call_2", "weather", '{"city": "Rome"}'),
    )
    asks = Turn(pieces=("Let me look.",), calls=both, finish="tool_calls")
    async with talking(provider, model_server, asks, Turn()) as chat:
        if streamed:
            reply = [part async for part in chat.stream("s", "The weather?")][-1]
        else:
            reply = await chat.chat("s", "The weather?")
        assert isinstance(reply, ChatReply)
        history = await chat.history("s")
        # The server refuses results that do not follow their calls.
        assert (await chat.chat("s", "And tomorrow?")).text == "A fine answer."
    assert texts(history) == [
        ("user", "The weather?"),
        ("assistant", "Let me look."),
        ("tool", "sun in Oslo"),
        ("tool", "sun in Rome"),
        ("assistant", "A fine answer."),
    ]
    assert [run.outcome for run in reply.tools] == ["ok", "ok"]
    assert reply.usage is not None
    assert reply.usage.input_tokens == 240


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_too_many_requests_and_then_an_answer(
    provider: str, model_server: ModelServer
) -> None:
    async with talking(provider, model_server, Turn(fault="limited"), Turn()) as chat:
        question = Message.user("Hello?", id="mine")
        with pytest.raises(ProviderError) as refused:
            await chat.chat("s", question)
        assert refused.value.retryable
        assert refused.value.retry_after_s == 7
        assert texts(await chat.history("s")) == [("user", "Hello?")]
        assert (await chat.chat("s", question)).text == "A fine answer."
        assert len(await chat.history("s")) == 2


@pytest.mark.parametrize("fault", ["cut", "failing", "unfinished"])
@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_stream_that_breaks(provider: str, fault: str, model_server: ModelServer) -> None:
    broken = Turn(fault=fault)  # type: ignore[arg-type]
    async with talking(provider, model_server, broken, Turn()) as chat:
        question = Message.user("Hello?", id="mine")
        with pytest.raises(ProviderError):
            _ = [part async for part in chat.stream("s", question)]
        history = await chat.history("s")
        assert history[0].text == "Hello?"
        for partial in history[1:]:
            assert "A fine answer.".startswith(partial.text)
            assert mark(partial, "incomplete") is True
        assert (await chat.chat("s", question)).text == "A fine answer."


async def test_a_reader_who_leaves_ends_the_call_at_the_provider(
    model_server: ModelServer,
) -> None:
    async with talking("openai", model_server, Turn(fault="stalled")) as chat:
        parts = chat.stream("s", "Hello?")
        assert await anext(parts) == "A"
        await parts.aclose()
        assert texts(await chat.history("s")) == [("user", "Hello?"), ("assistant", "A")]
        assert await asyncio.to_thread(model_server.gone.wait, 60)
