"""`ConversationTokenBufferMemory`: as much of the end as fits a number of tokens."""

from __future__ import annotations

from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage

from daybook.adapters.langchain_classic.chat_memory import ChatMemory
from daybook.adapters.langchain_classic.model_calls import tokens_of
from daybook.adapters.langchain_classic.pruning import first_fitting
from daybook.adapters.langchain_classic.talk import Talk, View

__all__ = ["ConversationTokenBufferMemory"]


class ConversationTokenBufferMemory(ChatMemory):
    """Shows the newest messages that take at most `max_token_limit` tokens.

    What it does not show stays stored, and is not shown again.

    Attributes:
        llm: Counts tokens.
        max_token_limit: The limit.
    """

    def __init__(self, *, llm: Any, max_token_limit: int = 2000, **fields: Any) -> None:
        """Take the model that counts; `fields` are those of `ChatMemory`."""
        super().__init__(**fields)
        self.llm = llm
        self.max_token_limit = max_token_limit

    async def _shown(self, talk: Talk, blocking: bool) -> list[BaseMessage]:  # noqa: ARG002
        view = await talk.view()
        return [said.message for said in await talk.messages(after=view.cut)]

    async def _settle(self, talk: Talk, *, blocking: bool) -> None:  # noqa: ARG002
        pruned = False
        while not pruned:
            view = await talk.view()
            left = await talk.messages(after=view.cut)
            cut = first_fitting(left, self.max_token_limit, partial(tokens_of, self.llm))
            pruned = not cut or await talk.show(View(left[cut - 1].seq, "", view.version))
