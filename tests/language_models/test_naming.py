"""From names, objects and functions to language models, or to errors that say what to do."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import BadModelOutputError, ConfigError, MissingDependencyError, ProviderError
from daybook.language_models import as_language_model
from daybook.language_models.callable import CallableModel
from daybook.language_models.langchain import LangChainModel
from daybook.language_models.retrying import RetryingModel
from daybook.model.message import ContentPart, Message, ToolCall
from daybook.model.reply import ModelRequest, Reply
from daybook.registry import LANGUAGE_MODELS, available, load_language_model
from tests.language_models.scripted import ScriptedChat

REQUEST = ModelRequest(messages=(Message.user("hello"),))


def test_our_own_come_by_entry_point() -> None:
    assert {"anthropic", "ollama", "openai"} <= set(available(LANGUAGE_MODELS))


@pytest.mark.parametrize(
    ("spec", "model_id"),
    [
        ("openai:gpt-5@http://127.0.0.1:1/v1", "openai:gpt-5"),
        ("ollama:llama3.2:3b", "ollama:llama3.2:3b"),
        ("ollama:hf.co/x/y@http://box:11434", "ollama:hf.co/x/y"),
        ("openai:@cf/meta/llama@https://user:pass@host/v1", "openai:@cf/meta/llama"),
    ],
)
def test_names(spec: str, model_id: str) -> None:
    model = load_language_model(spec)
    assert isinstance(model, RetryingModel)
    assert model.id == model_id


@pytest.mark.parametrize(
    ("spec", "options", "says"),
    [
        ("nosuch:m", {}, "unknown language model 'nosuch'"),
        ("openai", {}, "name a model"),
        ("openai:", {}, "name a model"),
        ("ollama:@http://host", {}, "name a model"),
        ("ollama:m", {"time_limit": 3}, "unknown option time_limit; known are .*timeout_s"),
        ("ollama:m", {"timeout_s": 0}, "timeout_s"),
        ("ollama:m", {"timeout_s": True}, "timeout_s"),
        ("ollama:m", {"retries": -1}, "retries"),
        ("ollama:m@http://a", {"base_url": "http://b"}, "base_url"),
        ("anthropic:m@http://a", {"max_tokens": 0}, "max_tokens"),
    ],
)
def test_wrong_names_say_what_to_do(spec: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        load_language_model(spec, **options)


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_a_missing_key_is_noticed_at_once(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="API_KEY"):
        load_language_model(f"{provider}:m")


def test_a_missing_package_names_its_extra(tmp_path: Path) -> None:
    program = """
import sys
for name in ("openai", "anthropic", "httpx2", "langchain_core"):
    sys.modules[name] = None
from daybook.errors import MissingDependencyError
from daybook.registry import load_language_model
for provider in ("openai", "anthropic", "ollama"):
    try:
        load_language_model(provider + ":m")
    except MissingDependencyError as error:
        print(error.install)
try:
    import daybook.language_models.langchain
except MissingDependencyError as error:
    print(error.install)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert [f"daybook[{name}]" in line for name, line in zip(
        ("openai", "anthropic", "ollama"), lines, strict=False)] == [True] * 3  # fmt: skip
    assert "langchain-core" in lines[3]
    assert issubclass(MissingDependencyError, ConfigError)


def test_whatever_can_answer_becomes_a_model() -> None:
    model = as_language_model(lambda messages: "yes")
    assert isinstance(model, CallableModel)
    assert as_language_model(model) is model
    wrapped = as_language_model(ScriptedChat())
    assert isinstance(wrapped, LangChainModel)
    assert wrapped.id == "langchain:scripted"
    assert as_language_model("ollama:m", retries=0).id == "ollama:m"


@pytest.mark.parametrize("thing", [None, 3, object(), str])
def test_what_cannot_answer_is_refused(thing: Any) -> None:
    with pytest.raises(ConfigError, match="language model"):
        as_language_model(thing)
    with pytest.raises(ConfigError, match="options"):
        as_language_model(lambda messages: "yes", api_key="k")


# -------------------------------------------------------------------------------- functions


def plain(messages: tuple[Message, ...]) -> str:
    assert threading.current_thread() is not threading.main_thread()
    return "yes"


async def waiting(messages: tuple[Message, ...]) -> str:
    return "yes"


def pieces(messages: tuple[Message, ...]) -> Iterator[str]:
    assert threading.current_thread() is not threading.main_thread()
    yield "y"
    yield ""
    yield "es"


async def async_pieces(messages: tuple[Message, ...]) -> AsyncIterator[str]:
    yield "y"
    yield "es"


def message(messages: tuple[Message, ...]) -> Message:
    return Message.assistant("yes")


def reply(messages: tuple[Message, ...]) -> Reply:
    return Reply(message=Message.assistant("yes"), model="m")


def made(messages: tuple[Message, ...]) -> Any:
    return waiting(messages)


def iterated(messages: tuple[Message, ...]) -> Iterator[str]:
    return iter(["y", "es"])


class Answering:
    """An object with state that is called."""

    async def __call__(self, messages: tuple[Message, ...]) -> str:
        return "yes"


@pytest.mark.parametrize(
    "function",
    [plain, waiting, pieces, async_pieces, message, reply, Answering(), made,
     iterated],
)  # fmt: skip
async def test_functions_of_every_kind(function: Any) -> None:
    model = CallableModel(function)
    assert (await model.generate(REQUEST)).message.content == "yes"
    *texts, last = [piece async for piece in model.stream(REQUEST)]
    assert "".join(str(text) for text in texts) == "yes"
    assert isinstance(last, Reply)
    assert model.id.startswith("callable:")


@pytest.mark.parametrize(
    "answer",
    [None, 3, "", b"yes", iter([1]), iter([]), Message.user("yes"), Message.assistant(""),
     {"content": "yes"}],
)  # fmt: skip
async def test_what_is_no_answer_is_refused(answer: Any) -> None:
    with pytest.raises(BadModelOutputError):
        await CallableModel(lambda messages: answer).generate(REQUEST)


async def test_calls_of_tools_are_answers() -> None:
    call = Message.assistant("", tool_calls=[ToolCall("1", "f", "{no")])
    found = await CallableModel(lambda messages: call).generate(REQUEST)
    assert (found.message, found.finish_reason) == (call, "tool_calls")
    parts = Message.assistant([ContentPart("image", None, {"url": "u"})])
    assert (await CallableModel(lambda messages: parts).generate(REQUEST)).message == parts


async def test_an_error_of_the_function_is_the_cause() -> None:
    def broken(messages: tuple[Message, ...]) -> str:
        raise KeyError("x")

    with pytest.raises(ProviderError, match="raised KeyError") as caught:
        await CallableModel(broken).generate(REQUEST)
    assert isinstance(caught.value.__cause__, KeyError)
    assert not caught.value.retryable


async def test_a_function_that_stops_an_iteration_ends_the_call() -> None:
    def stops(messages: tuple[Message, ...]) -> str:
        raise StopIteration("x")  # no future can carry it: a caller that waits would for ever

    with pytest.raises(ProviderError, match="raised RuntimeError"):
        await CallableModel(stops, timeout_s=60).generate(REQUEST)


async def test_a_generator_that_is_left_is_closed() -> None:
    closed = threading.Event()

    def endless(messages: tuple[Message, ...]) -> Iterator[str]:
        try:
            while True:
                yield "y"
        finally:
            closed.set()

    stream = CallableModel(endless).stream(REQUEST)
    assert await anext(stream) == "y"
    await stream.aclose()
    assert closed.is_set()
