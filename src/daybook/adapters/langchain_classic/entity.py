"""`ConversationEntityMemory`: what is known of the people and things that are talked about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from langchain_core.messages import BaseMessage

from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.adapters.langchain_classic.chat_memory import ChatMemory, Keys, input_key_of
from daybook.adapters.langchain_classic.entity_store import DaybookEntityStore
from daybook.adapters.langchain_classic.model_calls import check_prompt, predict
from daybook.adapters.langchain_classic.prompts import (
    ENTITY_EXTRACTION_PROMPT,
    ENTITY_SUMMARIZATION_PROMPT,
)
from daybook.adapters.langchain_classic.talk import Talk
from daybook.errors import ConfigError
from daybook.model.identifiers import MAX_ID_BYTES

__all__ = ["ConversationEntityMemory"]


class ConversationEntityMemory(ChatMemory):
    """Shows the last `k` turns, and what is known of each entity that an input names.

    `load_memory_variables` asks the model which entities the input names; `save_context` asks it,
    for each of them, what is known now. A turn that is saved without being loaded is read for its
    entities first.

    Attributes:
        llm: Finds and describes entities.
        k: How many turns are shown and read.
        entity_store: Keeps what is known; by default in the history's book.
        entity_cache: The entities of the input that was loaded last.
        chat_history_key: The variable with the turns; the other one is ``entities``.
    """

    def __init__(
        self,
        *,
        llm: Any,
        k: int = 3,
        entity_store: Any = None,
        entity_extraction_prompt: Any = ENTITY_EXTRACTION_PROMPT,
        entity_summarization_prompt: Any = ENTITY_SUMMARIZATION_PROMPT,
        chat_history_key: str = "history",
        **fields: Any,
    ) -> None:
        """Take the model; `fields` are those of `ChatMemory`.

        Raises:
            ConfigError: The history is not Daybook's and there is no entity store.
        """
        super().__init__(memory_key=chat_history_key, **fields)
        self.llm = llm
        self.k = k
        self.chat_history_key = chat_history_key
        self.entity_extraction_prompt = check_prompt(entity_extraction_prompt, {"history", "input"})
        self.entity_summarization_prompt = check_prompt(
            entity_summarization_prompt, {"history", "input", "entity", "summary"}
        )
        self.entity_cache: list[str] = []
        if entity_store is None:
            if not isinstance(self.chat_memory, DaybookChatMessageHistory):
                raise ConfigError("entity_store= is needed beside a history that is not Daybook's")
            entity_store = DaybookEntityStore(self.chat_memory)
        self.entity_store = entity_store
        self._loaded: str | None = None

    @property
    def memory_variables(self) -> list[str]:
        """``entities`` and the key of the turns."""
        return ["entities", self.chat_history_key]

    @property
    def buffer(self) -> list[BaseMessage]:
        """All messages of the conversation."""
        return self._run(super()._shown)

    async def _shown(self, talk: Talk, blocking: bool) -> list[BaseMessage]:  # noqa: ARG002
        if self.k <= 0:
            return []
        return [said.message for said in await talk.messages(limit=self.k * 2)]

    async def _load(self, talk: Talk, inputs: Keys, *, blocking: bool) -> dict[str, Any]:
        said = self._said(inputs)
        recent = await self._shown(talk, blocking)
        text = self._as_text(recent)
        self.entity_cache = await self._named(text, said, blocking=blocking)
        self._loaded = said
        known = {name: await self._known(name) for name in self.entity_cache}
        return {
            self.chat_history_key: recent if self.return_messages else text,
            "entities": known,
        }

    async def _save(self, talk: Talk, inputs: Keys, outputs: Keys, *, blocking: bool) -> None:
        said = self._said(inputs)
        if self._loaded != said:
            before = self._as_text(await self._shown(talk, blocking))
            self.entity_cache = await self._named(before, said, blocking=blocking)
        await super()._save(talk, inputs, outputs, blocking=blocking)
        self._loaded = None
        text = self._as_text(await self._shown(talk, blocking))
        for name in self.entity_cache:
            described = await predict(
                self.llm,
                self.entity_summarization_prompt,
                blocking=blocking,
                summary=await self._known(name),
                entity=name,
                history=text,
                input=said,
            )
            await self._ask("set", name, described.strip())

    async def _clear(self, talk: Talk) -> None:
        self.entity_cache = []
        self._loaded = None
        await self._ask("clear")
        await super()._clear(talk)

    async def _named(self, history: str, said: str, *, blocking: bool) -> list[str]:
        """Return the entities that an input names, each once."""
        found = await predict(
            self.llm,
            self.entity_extraction_prompt,
            blocking=blocking,
            history=history,
            input=said,
        )
        if found.strip() == "NONE":
            return []
        names = [name.strip() for name in found.split(",")]
        return list(dict.fromkeys(name for name in names if 0 < len(name.encode()) <= MAX_ID_BYTES))

    async def _known(self, name: str) -> str:
        return await self._ask("get", name, "") or ""

    async def _ask(self, method: str, *arguments: str) -> Any:
        """Call a store's async method, or its blocking one on a thread."""
        asynchronous = getattr(self.entity_store, f"a{method}", None)
        if asynchronous is not None:
            return await asynchronous(*arguments)
        blocking: Callable[..., Any] = getattr(self.entity_store, method)
        return await asyncio.to_thread(blocking, *arguments)

    def _said(self, inputs: Keys) -> str:
        key = self.input_key or input_key_of(inputs, self.memory_variables)
        return str(inputs[key])
