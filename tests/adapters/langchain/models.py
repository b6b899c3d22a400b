"""Models without a provider: each says what it is told to, or counts its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field


class ScriptedModel(BaseChatModel):
    """Answers with what a function makes of the messages it gets, and keeps these."""

    answer: Callable[[list[BaseMessage]], AIMessage] = Field(
        default=lambda messages: AIMessage(f"re:{messages[-1].text}")
    )
    seen: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> ScriptedModel:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.seen.append(messages)
        return ChatResult(generations=[ChatGeneration(message=self.answer(messages))])

    def _stream(self, messages: list[BaseMessage], *_: Any, **__: Any) -> Iterator[Any]:
        self.seen.append(messages)
        whole = self.answer(messages)
        words = whole.text.split(" ")
        for at, word in enumerate(words):
            piece = AIMessageChunk(content=word if at == 0 else f" {word}", id="streamed")
            if at == len(words) - 1:
                piece.usage_metadata = whole.usage_metadata
            yield ChatGenerationChunk(message=piece)
