"""langchain_classic's memory classes over storage that lasts: same names, same methods.

Change ``langchain_classic.memory`` (or ``langchain.memory``) in an import to this package, and name
a conversation: ``ConversationBufferMemory(session_id="s1", url="sqlite:///chat.db")``. Needs
``langchain-core``; langchain-classic itself is not needed, and its chains take these memories.
"""

from __future__ import annotations

from daybook.errors import MissingDependencyError

try:
    from daybook.adapters.langchain_classic.buffer import (
        ConversationBufferMemory,
        ConversationBufferWindowMemory,
    )
    from daybook.adapters.langchain_classic.combined import CombinedMemory, ReadOnlySharedMemory
    from daybook.adapters.langchain_classic.entity import ConversationEntityMemory
    from daybook.adapters.langchain_classic.entity_store import DaybookEntityStore
    from daybook.adapters.langchain_classic.summary import (
        ConversationSummaryBufferMemory,
        ConversationSummaryMemory,
    )
    from daybook.adapters.langchain_classic.token_buffer import ConversationTokenBufferMemory
    from daybook.adapters.langchain_classic.vectorstore import VectorStoreRetrieverMemory
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "langchain_core":
        raise
    raise MissingDependencyError(
        "daybook.adapters.langchain_classic", "pip install 'daybook[langchain]'"
    ) from exc

__all__ = [
    "CombinedMemory",
    "ConversationBufferMemory",
    "ConversationBufferWindowMemory",
    "ConversationEntityMemory",
    "ConversationSummaryBufferMemory",
    "ConversationSummaryMemory",
    "ConversationTokenBufferMemory",
    "DaybookEntityStore",
    "ReadOnlySharedMemory",
    "VectorStoreRetrieverMemory",
]
