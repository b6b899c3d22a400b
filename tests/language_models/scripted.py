"""A LangChain chat model and a function that follow a script of turns."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import PrivateAttr

from daybook.errors import ProviderError
from daybook.language_models.callable import CallableModel
from daybook.language_models.langchain import LangChainModel
from daybook.language_models.tool_arguments import read_arguments
from daybook.model.message import Message, ToolCall
from daybook.model.reply import Reply
from daybook.protocols.language_model import LanguageModel
from daybook.testing.language_model_contract import SECRET
from daybook.testing.model_turn import Turn

_STATUS = {"invalid": 400, "limited": 429, "overloaded": 529, "failing": 500}
_REASON = {"refused": "content_filter"}


class Turns:
    """Gives turns one after another, the last again and again."""

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = list(turns)

    def next(self, said: str) -> Turn:
        turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        return Turn(pieces=(said,)) if turn.echo else turn


class HttpError(Exception):
    """As SDKs raise them: the status, the headers, and what was sent said again."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{said} {SECRET}")
        self.status_code = status
        self.response = type(
            "Response", (), {"headers": {"retry-after": "7"} if status == 429 else {}}
        )


class ScriptedChat(BaseChatModel):
    """A LangChain chat model that follows a script and keeps what it was asked."""

    model_name: str = "scripted"
    _turns: Turns = PrivateAttr()
    _asked: list[Any] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=tools, **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self._asked.append((messages, kwargs))
        turn = self._turns.next(str(messages[-1].content))
        await _fail(turn, str(messages[-1].content))
        calls = [(call, read_arguments(call.arguments)) for call in turn.calls]
        made = AIMessage(
            "".join(turn.pieces),
            tool_calls=[
                {"id": call.id, "name": call.name, "args": args, "type": "tool_call"}
                for call, args in calls
                if isinstance(args, dict)
            ],
            usage_metadata=_usage(turn),
            response_metadata={
                "finish_reason": _REASON.get(turn.finish, turn.finish),
                "model_name": "s",
            },
        )
        return ChatResult(generations=[ChatGeneration(message=made)])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        said = str(messages[-1].content)
        turn = self._turns.next(said)
        if turn.fault not in ("stalled", "cut", "unfinished", "failing"):
            await _fail(turn, said)
        for piece in turn.pieces:
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if turn.fault is not None:
                await _fail(turn, said)
        for place, call in enumerate(turn.calls):
            middle = len(call.arguments) // 2
            for name, call_id, part in (
                (call.name, call.id, call.arguments[:middle]),
                (None, None, call.arguments[middle:]),
            ):
                chunk = {"name": name, "id": call_id, "args": part, "index": place}
                yield ChatGenerationChunk(
                    message=AIMessageChunk(content="", tool_call_chunks=[chunk])  # type: ignore[list-item]
                )
        reason = _REASON.get(turn.finish, turn.finish)
        metadata = {"finish_reason": reason, "model_name": "s"}
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="", usage_metadata=_usage(turn), response_metadata=metadata
            )
        )


def scripted_langchain(turns: Sequence[Turn], patience_s: float = 30.0) -> LanguageModel:
    """Return a wrapped LangChain model that does these turns."""
    chat = ScriptedChat()
    chat._turns = Turns(turns)
    return LangChainModel(chat, timeout_s=patience_s)


def scripted_callable(turns: Sequence[Turn], patience_s: float = 30.0) -> LanguageModel:
    """Return a wrapped function that does these turns."""
    script = Turns(turns)

    async def answer(messages: tuple[Message, ...]) -> AsyncIterator[str | Reply]:
        turn = script.next(messages[-1].text)
        if turn.fault == "garbled":
            yield 42  # type: ignore[misc]  # what a broken function does
        if turn.fault not in (None, "stalled", "cut", "unfinished", "failing"):
            await _wait_or_raise(turn)
        for piece in turn.pieces:
            yield piece
            if turn.fault is not None:
                await _wait_or_raise(turn)
        calls = tuple(
            ToolCall(call.id, call.name, read_arguments(call.arguments)) for call in turn.calls
        )
        message = Message.assistant("".join(turn.pieces), tool_calls=calls, usage=turn.usage)
        yield Reply(message=message, model="scripted", finish_reason=turn.finish)

    return CallableModel(answer, id="scripted", timeout_s=patience_s)


async def _wait_or_raise(turn: Turn) -> None:
    if turn.fault in ("silent", "stalled"):
        await asyncio.Event().wait()
    wait_s = 7.0 if turn.fault == "limited" else None
    raise ProviderError(
        "as told", provider="scripted", retryable=turn.fault != "invalid", retry_after_s=wait_s
    )


async def _fail(turn: Turn, said: str) -> None:
    """Fail as the SDKs beneath LangChain do."""
    if turn.fault in ("silent", "stalled"):
        await asyncio.Event().wait()
    if turn.fault == "garbled":
        json.loads(f"{{{said}")
    if turn.fault in _STATUS:
        raise HttpError(_STATUS[turn.fault], said)
    if turn.fault is not None:
        raise ConnectionResetError(said)


def _usage(turn: Turn) -> Any:
    usage = turn.usage
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "input_token_details": {
            "cache_read": usage.details.get("cached_tokens"),
            "cache_creation": usage.details.get("cache_write_tokens"),
        },
    }
