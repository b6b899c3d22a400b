"""What chains ask for by `isinstance`, where langchain-classic is installed; else nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["ClassicMemory"]

if TYPE_CHECKING:

    class ClassicMemory:
        """The base of every memory here."""

        def __init__(self, **fields: Any) -> None:
            """Take nothing."""

else:
    try:
        from langchain_classic.base_memory import BaseMemory
        from pydantic import ConfigDict
    except ImportError:

        class ClassicMemory:
            """The base of every memory here."""

    else:

        class ClassicMemory(BaseMemory):
            """The base of every memory here; attributes are set as on any object."""

            model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)
