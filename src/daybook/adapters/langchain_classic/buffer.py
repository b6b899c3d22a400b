"""`ConversationBufferMemory` and `ConversationBufferWindowMemory`."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import BaseMessage

from daybook.adapters.langchain_classic.chat_memory import ChatMemory
from daybook.adapters.langchain_classic.talk import Talk

__all__ = ["ConversationBufferMemory", "ConversationBufferWindowMemory"]


class ConversationBufferMemory(ChatMemory):
    r"""Shows the whole conversation.

    Example:
        >>> memory = ConversationBufferMemory(session_id="s1", url="inmemory://")
        >>> memory.save_context({"input": "hi"}, {"output": "hello"})
        >>> memory.load_memory_variables({})
        {'history': 'Human: hi\nAI: hello'}
    """


class ConversationBufferWindowMemory(ChatMemory):
    """Shows the last `k` turns, two messages each; reads no others.

    Attributes:
        k: How many turns.
    """

    def __init__(self, *, k: int = 5, **fields: Any) -> None:
        """Choose how many turns; `fields` are those of `ChatMemory`."""
        super().__init__(**fields)
        self.k = k

    async def _shown(self, talk: Talk, blocking: bool) -> list[BaseMessage]:  # noqa: ARG002
        if self.k <= 0:
            return []
        return [said.message for said in await talk.messages(limit=self.k * 2)]
