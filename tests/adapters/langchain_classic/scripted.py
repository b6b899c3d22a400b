"""A language model that keeps what it was asked, and counts a token for each letter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import LLM
from langchain_core.messages import BaseMessage
from pydantic import Field

__all__ = ["Scripted"]


class Scripted(LLM):
    """Answers ``summary 1``, ``summary 2`` … or, where asked for names, those it was given."""

    asked: list[str] = Field(default_factory=list)
    names: str = "NONE"

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _call(self, prompt: str, *_: Any, **__: Any) -> str:
        self.asked.append(prompt)
        if "comma" in prompt:
            return self.names
        return f"summary {len(self.asked)}"

    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Any = None
    ) -> int:
        return sum(len(message.text) for message in messages)
