"""What all memories of a conversation have in common."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, get_buffer_string

from daybook.adapters.ai_infra.language_model import run_on_thread
from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.adapters.langchain_classic.classic_base import ClassicMemory
from daybook.adapters.langchain_classic.talk import BookTalk, PlainTalk, Talk
from daybook.adapters.opened import BookOrUrl
from daybook.model.identifiers import new_id

__all__ = ["ChatMemory", "Keys", "Work", "input_key_of"]

T = TypeVar("T")
Work = Callable[[Talk, bool], Coroutine[Any, Any, T]]
Keys = Mapping[str, Any]


class ChatMemory(ClassicMemory):
    """A memory of one conversation, with langchain_classic's methods.

    Every async method does what its blocking twin does. Where the history is Daybook's, what the
    memory makes of the conversation (a summary, how far it is pruned) is kept beside it and
    outlives the process; nothing that was said is ever removed but by `clear`.

    Attributes:
        chat_memory: The history.
        memory_key: The variable that `load_memory_variables` sets.
        input_key: The input that is kept; None for the only one.
        output_key: The output that is kept; None for the only one.
        return_messages: Return messages in place of text.
        human_prefix: The user's name in the text.
        ai_prefix: The model's name in the text.
    """

    def __init__(  # noqa: PLR0913 - langchain_classic's and the history's
        self,
        *,
        chat_memory: Any = None,
        session_id: str | None = None,
        url: BookOrUrl | None = None,
        user_id: str | None = None,
        ttl: float | timedelta | None = None,
        memory_key: str = "history",
        input_key: str | None = None,
        output_key: str | None = None,
        return_messages: bool = False,
        human_prefix: str = "Human",
        ai_prefix: str = "AI",
        **open_options: Any,
    ) -> None:
        """Name the conversation: a history, or the arguments of `DaybookChatMessageHistory`.

        Without either, the conversation lives in memory, as langchain_classic's does.
        """
        super().__init__()
        if chat_memory is None:
            where = "inmemory://" if url is None and session_id is None else url
            chat_memory = DaybookChatMessageHistory(
                session_id or new_id(), where, user_id=user_id, ttl=ttl, **open_options
            )
        self.chat_memory = chat_memory
        self.memory_key = memory_key
        self.input_key = input_key
        self.output_key = output_key
        self.return_messages = return_messages
        self.human_prefix = human_prefix
        self.ai_prefix = ai_prefix
        self._plain = PlainTalk(chat_memory)

    @property
    def memory_variables(self) -> list[str]:
        """The variables that `load_memory_variables` sets."""
        return [self.memory_key]

    @property
    def buffer(self) -> Any:
        """What `load_memory_variables` returns."""
        return self.load_memory_variables({})[self.memory_key]

    async def abuffer(self) -> Any:
        """See `buffer`."""
        return (await self.aload_memory_variables({}))[self.memory_key]

    @property
    def buffer_as_messages(self) -> list[BaseMessage]:
        """What the memory shows, as messages."""
        return self._run(self._shown)

    @property
    def buffer_as_str(self) -> str:
        """What the memory shows, as text."""
        return self._as_text(self.buffer_as_messages)

    async def abuffer_as_messages(self) -> list[BaseMessage]:
        """See `buffer_as_messages`."""
        return await self._arun(self._shown)

    async def abuffer_as_str(self) -> str:
        """See `buffer_as_str`."""
        return self._as_text(await self.abuffer_as_messages())

    def load_memory_variables(self, inputs: Keys) -> dict[str, Any]:
        """Return what the memory shows, under its key."""
        return self._run(lambda talk, blocking: self._load(talk, inputs, blocking=blocking))

    async def aload_memory_variables(self, inputs: Keys) -> dict[str, Any]:
        """See `load_memory_variables`."""
        return await self._arun(lambda talk, blocking: self._load(talk, inputs, blocking=blocking))

    def save_context(self, inputs: Keys, outputs: Keys) -> None:
        """Add a turn, both of its messages or none, and bring up to date what is made of them.

        Raises:
            ValueError: It is not clear which input or output to keep.
            StoreError: The store failed.
        """
        self._run(lambda talk, blocking: self._save(talk, inputs, outputs, blocking=blocking))

    async def asave_context(self, inputs: Keys, outputs: Keys) -> None:
        """See `save_context`."""
        await self._arun(
            lambda talk, blocking: self._save(talk, inputs, outputs, blocking=blocking)
        )

    def clear(self) -> None:
        """Remove everything that was said and what was made of it. Repeatable."""
        self._run(lambda talk, _: self._clear(talk))

    async def aclear(self) -> None:
        """See `clear`."""
        await self._arun(lambda talk, _: self._clear(talk))

    # What the memories differ in; each runs on the book's loop or on the caller's.

    async def _shown(self, talk: Talk, blocking: bool) -> list[BaseMessage]:  # noqa: ARG002
        """Return the messages that the memory shows."""
        return [said.message for said in await talk.messages()]

    async def _load(self, talk: Talk, inputs: Keys, *, blocking: bool) -> dict[str, Any]:  # noqa: ARG002
        shown = await self._shown(talk, blocking)
        return {self.memory_key: shown if self.return_messages else self._as_text(shown)}

    async def _save(self, talk: Talk, inputs: Keys, outputs: Keys, *, blocking: bool) -> None:
        said, answered = self._turn(inputs, outputs)
        await talk.add([HumanMessage(said), AIMessage(answered)])
        await self._settle(talk, blocking=blocking)

    async def _settle(self, talk: Talk, *, blocking: bool) -> None:
        """Bring up to date what is made of the conversation."""

    async def _clear(self, talk: Talk) -> None:
        await talk.clear()

    def _as_text(self, messages: Sequence[BaseMessage]) -> str:
        return get_buffer_string(messages, human_prefix=self.human_prefix, ai_prefix=self.ai_prefix)

    def _turn(self, inputs: Keys, outputs: Keys) -> tuple[str, str]:
        """Return what is kept of a turn."""
        said = inputs[self.input_key or input_key_of(inputs, self.memory_variables)]
        return said, outputs[self.output_key or self._only_output(outputs)]

    def _only_output(self, outputs: Keys) -> str:
        if len(outputs) == 1:
            return next(iter(outputs))
        if "output" not in outputs:
            raise ValueError(
                f"Got multiple output keys: {list(outputs)}, cannot determine which to store in "
                "memory. Please set the 'output_key' explicitly."
            )
        warnings.warn(
            f"{type(self).__name__} got multiple output keys: {list(outputs)}. 'output' is kept; "
            "set output_key to keep another.",
            stacklevel=2,
        )
        return "output"

    # Two doors to the same work.

    def _run(self, work: Work[T]) -> T:
        history = self.chat_memory
        if not isinstance(history, DaybookChatMessageHistory):
            return run_on_thread(work(self._plain, True))
        opened = history.place.open()
        return opened.run(work(self._of(opened.awaited, history), True))

    async def _arun(self, work: Work[T]) -> T:
        history = self.chat_memory
        if not isinstance(history, DaybookChatMessageHistory):
            return await work(self._plain, False)
        opened = await history.place.aopen()
        return await work(self._of(opened.awaited, history), False)

    def _of(self, book: Any, history: DaybookChatMessageHistory) -> Talk:
        return BookTalk(book, history.session, f"{type(self).__name__}:{self.memory_key}")


def input_key_of(inputs: Keys, memory_variables: Sequence[str]) -> str:
    """Return the only input that is no memory variable and not ``stop``.

    Raises:
        ValueError: There is none, or more than one.
    """
    keys = sorted(set(inputs) - {*memory_variables, "stop"})
    if len(keys) != 1:
        raise ValueError(f"One input key expected got {keys}")
    return keys[0]
