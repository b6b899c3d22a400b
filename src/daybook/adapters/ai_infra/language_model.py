"""Which language model writes a summary or answers: ai-infra's two arguments, or any object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from inspect import isawaitable
from threading import Lock
from typing import Any, TypeVar

from daybook.config import default_model
from daybook.loop_thread import LoopThread
from daybook.model.message import Message
from daybook.model.reply import ModelRequest
from daybook.protocols.language_model import LanguageModel
from daybook.registry import load_language_model, wrap_language_model

__all__ = ["ModelChoice", "choose_model", "chosen_model", "run_on_thread", "text_of"]

T = TypeVar("T")
ModelChoice = Any

_DEFAULT_NAMES = {"anthropic": "claude-haiku-4-5", "openai": "gpt-4o-mini"}
_starting = Lock()
_threads: list[LoopThread] = []


def choose_model(
    llm: ModelChoice | None = None, provider: str | None = None, name: str | None = None
) -> LanguageModel | None:
    """Return a language model; None where none is named anywhere.

    Args:
        llm: A spec such as ``openai:gpt-5-mini``, a LangChain chat model, a function from messages
            to an answer, a `LanguageModel`, or an object with ``chat(prompt)`` as ai-infra's LLM.
        provider: Where there is no `llm`: ``openai``, ``anthropic``, ``ollama``.
        name: The provider's model; openai's without `provider`. None for a small one.

    Without any of these, what ``DAYBOOK_MODEL`` names.

    Raises:
        ConfigError: A name or an object is no model.
        MissingDependencyError: The provider's package is not installed.
    """
    if llm is not None:
        if not hasattr(llm, "generate") and hasattr(llm, "chat"):
            return wrap_language_model(_chatting(llm))
        return wrap_language_model(llm)
    if provider or name:
        by = (provider or "openai").lower()
        return load_language_model(f"{by}:{name or _DEFAULT_NAMES.get(by, '')}")
    spec = default_model()
    return None if spec is None else wrap_language_model(spec)


@asynccontextmanager
async def chosen_model(
    llm: ModelChoice | None = None, provider: str | None = None, name: str | None = None
) -> AsyncIterator[LanguageModel | None]:
    """Give what `choose_model` returns; one that was made for this use is closed after it."""
    model = choose_model(llm, provider, name)
    try:
        yield model
    finally:
        if model is not None and (llm is None or isinstance(llm, str)):
            await model.close()


async def text_of(model: LanguageModel, prompt: str, *, system: str | None = None) -> str:
    """Return a model's answer to one prompt, as text.

    Raises:
        ProviderError: The provider failed.
    """
    messages = (Message.system(system),) if system else ()
    reply = await model.generate(ModelRequest(messages=(*messages, Message.user(prompt))))
    return reply.message.text.strip()


def run_on_thread(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop thread that all adapters' blocking calls share."""
    with _starting:
        if not _threads:
            _threads.append(LoopThread("daybook-adapters"))
    return _threads[0].run(work)


def _chatting(llm: Any) -> Callable[[tuple[Message, ...]], Awaitable[str]]:
    """Return a function that asks an object with ai-infra's ``chat`` or ``achat``."""

    async def answer(messages: tuple[Message, ...]) -> str:
        ask = getattr(llm, "achat", None) or llm.chat
        reply = ask("\n\n".join(message.text for message in messages))
        reply = await reply if isawaitable(reply) else reply
        content = getattr(reply, "content", reply)
        return content if isinstance(content, str) else str(content)

    return answer
