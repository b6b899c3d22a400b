"""Remembers the model's last message in a run, of which a parser returns the text alone."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

__all__ = ["LastAnswer"]


class LastAnswer(BaseCallbackHandler):
    """A callback of one run."""

    run_inline = True

    def __init__(self) -> None:
        self._message: AIMessage | None = None

    def of(self, text: str) -> AIMessage | None:
        """Return the message that says exactly this, if it was the last one."""
        message = self._message
        if message is None or message.tool_calls or message.content != text:
            return None
        return message

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        """Do nothing; without this the prompt would be made into text for `on_llm_start`."""

    def on_llm_end(self, response: LLMResult, **_: Any) -> None:
        """Keep the message."""
        found = response.generations[0][0] if response.generations else None
        if isinstance(found, ChatGeneration) and isinstance(found.message, AIMessage):
            self._message = found.message
