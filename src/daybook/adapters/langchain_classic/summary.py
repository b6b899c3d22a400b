"""`ConversationSummaryMemory` and `ConversationSummaryBufferMemory`: summaries that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from langchain_core.messages import BaseMessage, SystemMessage

from daybook.adapters.langchain_classic.chat_memory import ChatMemory, Keys
from daybook.adapters.langchain_classic.model_calls import check_prompt, predict, tokens_of
from daybook.adapters.langchain_classic.prompts import SUMMARY_PROMPT
from daybook.adapters.langchain_classic.pruning import first_fitting
from daybook.adapters.langchain_classic.talk import Talk, View

__all__ = ["ConversationSummaryBufferMemory", "ConversationSummaryMemory"]

_STEP = 2


class _Summarizing(ChatMemory):
    """A memory with a model that writes summaries.

    Attributes:
        llm: Writes them.
        prompt: Asks for them; with the fields ``summary`` and ``new_lines``.
        summary_message_cls: As what kind of message a summary is shown.
    """

    def __init__(
        self,
        *,
        llm: Any,
        prompt: Any = SUMMARY_PROMPT,
        summary_message_cls: type[BaseMessage] = SystemMessage,
        **fields: Any,
    ) -> None:
        super().__init__(**fields)
        self.llm = llm
        self.prompt = check_prompt(prompt, {"summary", "new_lines"})
        self.summary_message_cls = summary_message_cls

    def predict_new_summary(self, messages: Sequence[BaseMessage], existing_summary: str) -> str:
        """Return a summary of what was summarised already and of more messages."""
        return self._run(
            lambda _, blocking: self._summary(messages, existing_summary, blocking=blocking)
        )

    async def apredict_new_summary(
        self, messages: Sequence[BaseMessage], existing_summary: str
    ) -> str:
        """See `predict_new_summary`."""
        return await self._summary(messages, existing_summary, blocking=False)

    async def _summary(
        self, messages: Sequence[BaseMessage], before: str, *, blocking: bool
    ) -> str:
        lines = self._as_text(messages)
        return await predict(
            self.llm, self.prompt, blocking=blocking, summary=before, new_lines=lines
        )


class ConversationSummaryMemory(_Summarizing):
    """Shows a summary of the whole conversation, brought up to date with each turn.

    A turn whose summary failed is summarised with the next one.
    """

    @classmethod
    def from_messages(
        cls, llm: Any, chat_memory: Any, *, summarize_step: int = _STEP, **fields: Any
    ) -> Self:
        """Return a memory with a summary of what a history holds, made in steps.

        What a summary covers already is not summarised again.
        """
        made = cls(llm=llm, chat_memory=chat_memory, **fields)
        made._run(lambda talk, blocking: made._cover(talk, summarize_step, blocking=blocking))
        return made

    @property
    def buffer(self) -> str:
        """The summary."""
        return self._run(lambda talk, _: _summary_of(talk))

    async def abuffer(self) -> str:
        """See `buffer`."""
        return await self._arun(lambda talk, _: _summary_of(talk))

    async def _shown(self, talk: Talk, blocking: bool) -> list[BaseMessage]:  # noqa: ARG002
        return [self.summary_message_cls(content=await _summary_of(talk))]

    async def _load(self, talk: Talk, inputs: Keys, *, blocking: bool) -> dict[str, Any]:  # noqa: ARG002
        if self.return_messages:
            return {self.memory_key: await self._shown(talk, blocking)}
        return {self.memory_key: await _summary_of(talk)}

    async def _settle(self, talk: Talk, *, blocking: bool) -> None:
        await self._cover(talk, None, blocking=blocking)

    async def _cover(self, talk: Talk, step: int | None, *, blocking: bool) -> None:
        """Summarise what no summary covers yet, so many messages at a time."""
        while True:
            view = await talk.view()
            rest = await talk.messages(after=view.cut)
            if not rest:
                return
            part = rest if step is None else rest[:step]
            messages = [said.message for said in part]
            summary = await self._summary(messages, view.summary, blocking=blocking)
            await talk.show(View(part[-1].seq, summary, view.version))


class ConversationSummaryBufferMemory(_Summarizing):
    """Shows a summary, and the newest messages that take at most `max_token_limit` tokens.

    When messages no longer fit, all of them that do not are folded into the summary, in one call of
    the model; they stay stored.

    Attributes:
        max_token_limit: The limit.
    """

    def __init__(self, *, max_token_limit: int = 2000, **fields: Any) -> None:
        """Choose the limit; `fields` are those of `ChatMemory`, ``llm`` and ``prompt``."""
        super().__init__(**fields)
        self.max_token_limit = max_token_limit

    @property
    def moving_summary_buffer(self) -> str:
        """The summary."""
        return self._run(lambda talk, _: _summary_of(talk))

    def prune(self) -> None:
        """Fold what does not fit into the summary; `save_context` does it."""
        self._run(lambda talk, blocking: self._settle(talk, blocking=blocking))

    async def aprune(self) -> None:
        """See `prune`."""
        await self._arun(lambda talk, blocking: self._settle(talk, blocking=blocking))

    async def _shown(self, talk: Talk, blocking: bool) -> list[BaseMessage]:  # noqa: ARG002
        view = await talk.view()
        left = [said.message for said in await talk.messages(after=view.cut)]
        if not view.summary:
            return left
        return [self.summary_message_cls(content=view.summary), *left]

    async def _settle(self, talk: Talk, *, blocking: bool) -> None:
        pruned = False
        while not pruned:
            view = await talk.view()
            left = await talk.messages(after=view.cut)
            cut = first_fitting(left, self.max_token_limit, partial(tokens_of, self.llm))
            if not cut:
                return
            gone = [said.message for said in left[:cut]]
            summary = await self._summary(gone, view.summary, blocking=blocking)
            pruned = await talk.show(View(left[cut - 1].seq, summary, view.version))


async def _summary_of(talk: Talk) -> str:
    return (await talk.view()).summary
