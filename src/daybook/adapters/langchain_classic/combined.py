"""`CombinedMemory` and `ReadOnlySharedMemory`: memories made of others."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence
from typing import Any

from daybook.adapters.langchain_classic.chat_memory import ChatMemory, Keys
from daybook.adapters.langchain_classic.classic_base import ClassicMemory

__all__ = ["CombinedMemory", "ReadOnlySharedMemory"]


class CombinedMemory(ClassicMemory):
    """Shows what several memories show, and saves to all of them.

    Attributes:
        memories: The memories; ours or langchain_classic's.
    """

    def __init__(self, *, memories: Sequence[Any]) -> None:
        """Take the memories.

        Raises:
            ValueError: Two of them set the same variable.
        """
        super().__init__()
        known = set[str]()
        for memory in memories:
            if twice := known & set(memory.memory_variables):
                raise ValueError(
                    f"The same variables {twice} are found in multiple memory objects, which is "
                    "not allowed by CombinedMemory."
                )
            known |= set(memory.memory_variables)
            if isinstance(memory, ChatMemory) and memory.input_key is None:
                warnings.warn(
                    "CombinedMemory: set input_key on each memory, so that the input is known",
                    stacklevel=2,
                )
        self.memories = list(memories)

    @property
    def memory_variables(self) -> list[str]:
        """The variables of all memories."""
        return [name for memory in self.memories for name in memory.memory_variables]

    def load_memory_variables(self, inputs: Keys) -> dict[str, Any]:
        """Return the variables of all memories."""
        return _merged([memory.load_memory_variables(inputs) for memory in self.memories])

    async def aload_memory_variables(self, inputs: Keys) -> dict[str, Any]:
        """See `load_memory_variables`; all memories are asked at once."""
        loads = [memory.aload_memory_variables(inputs) for memory in self.memories]
        return _merged(await asyncio.gather(*loads))

    def save_context(self, inputs: Keys, outputs: Keys) -> None:
        """Save a turn to all memories, in order; the first error ends it."""
        for memory in self.memories:
            memory.save_context(inputs, outputs)

    async def asave_context(self, inputs: Keys, outputs: Keys) -> None:
        """See `save_context`."""
        for memory in self.memories:
            await memory.asave_context(inputs, outputs)

    def clear(self) -> None:
        """Clear all memories."""
        for memory in self.memories:
            memory.clear()

    async def aclear(self) -> None:
        """See `clear`."""
        for memory in self.memories:
            await memory.aclear()


class ReadOnlySharedMemory(ClassicMemory):
    """Shows what another memory shows, and changes nothing.

    Attributes:
        memory: The other memory.
    """

    def __init__(self, *, memory: Any) -> None:
        """Take the other memory."""
        super().__init__()
        self.memory = memory

    @property
    def memory_variables(self) -> list[str]:
        """The other memory's variables."""
        names: list[str] = self.memory.memory_variables
        return names

    def load_memory_variables(self, inputs: Keys) -> dict[str, Any]:
        """Return what the other memory shows."""
        shown: dict[str, Any] = self.memory.load_memory_variables(inputs)
        return shown

    async def aload_memory_variables(self, inputs: Keys) -> dict[str, Any]:
        """See `load_memory_variables`."""
        shown: dict[str, Any] = await self.memory.aload_memory_variables(inputs)
        return shown

    def save_context(self, inputs: Keys, outputs: Keys) -> None:
        """Do nothing."""

    async def asave_context(self, inputs: Keys, outputs: Keys) -> None:
        """Do nothing."""

    def clear(self) -> None:
        """Do nothing."""

    async def aclear(self) -> None:
        """Do nothing."""


def _merged(loaded: Sequence[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for variables in loaded:
        if twice := merged.keys() & variables.keys():
            raise ValueError(f"The variables {sorted(twice)} are repeated in the memories.")
        merged.update(variables)
    return merged
