"""Memories of a user, of a session, and of everybody: shorter names for three namespaces.

User memories stand under ``(user_id, category)``, as ai-infra keeps them. Those of sessions and of
everybody have owners of their own, which are refused as user ids: no user's id reaches them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from daybook.errors import InvalidInputError

if TYPE_CHECKING:
    from daybook.adapters.ai_infra.memory_item import MemoryItem, ScoredItem

__all__ = ["ScopedMemories"]

_CATEGORY = "memories"
_SESSION = "ai-infra:session"
_EVERYBODY = "ai-infra:everybody"
_GLOBAL = (_EVERYBODY, "global")


class ScopedMemories:
    """The convenience methods of a `MemoryStore`."""

    if TYPE_CHECKING:

        def put(
            self,
            namespace: Sequence[str],
            key: str,
            value: Mapping[str, Any],
            *,
            ttl: float | None = None,
        ) -> MemoryItem:
            """Write a memory."""

        def get(self, namespace: Sequence[str], key: str) -> MemoryItem | None:
            """Return a memory."""

        def search(
            self, namespace: Sequence[str], query: str, *, limit: int = 10
        ) -> list[ScoredItem]:
            """Return the best matches."""

    def put_user_memory(
        self,
        user_id: str,
        key: str,
        value: Mapping[str, Any],
        *,
        category: str = _CATEGORY,
        ttl: float | None = None,
    ) -> MemoryItem:
        """Write a memory of one user; `ttl` in seconds."""
        return self.put(_of_user(user_id, category), key, value, ttl=ttl)

    def get_user_memory(
        self, user_id: str, key: str, *, category: str = _CATEGORY
    ) -> MemoryItem | None:
        """Return a memory of one user; None if there is none."""
        return self.get(_of_user(user_id, category), key)

    def search_user_memories(
        self, user_id: str, query: str, *, category: str = _CATEGORY, limit: int = 10
    ) -> list[ScoredItem]:
        """Return the memories of one user that best match a query."""
        return self.search(_of_user(user_id, category), query, limit=limit)

    def put_session_memory(
        self, session_id: str, key: str, value: Mapping[str, Any], *, ttl: float | None = None
    ) -> MemoryItem:
        """Write a memory of one session; `ttl` in seconds."""
        return self.put((_SESSION, session_id), key, value, ttl=ttl)

    def get_session_memory(self, session_id: str, key: str) -> MemoryItem | None:
        """Return a memory of one session; None if there is none."""
        return self.get((_SESSION, session_id), key)

    def search_session_memories(
        self, session_id: str, query: str, *, limit: int = 10
    ) -> list[ScoredItem]:
        """Return the memories of one session that best match a query."""
        return self.search((_SESSION, session_id), query, limit=limit)

    def put_global_memory(
        self, key: str, value: Mapping[str, Any], *, ttl: float | None = None
    ) -> MemoryItem:
        """Write a memory of everybody's; `ttl` in seconds."""
        return self.put(_GLOBAL, key, value, ttl=ttl)

    def get_global_memory(self, key: str) -> MemoryItem | None:
        """Return a memory of everybody's; None if there is none."""
        return self.get(_GLOBAL, key)

    def search_global_memories(self, query: str, *, limit: int = 10) -> list[ScoredItem]:
        """Return the memories of everybody's that best match a query."""
        return self.search(_GLOBAL, query, limit=limit)

    # The library's names for the same; its documentation has those above.

    def put_app_memory(
        self, key: str, value: Mapping[str, Any], *, ttl: float | None = None
    ) -> MemoryItem:
        """See `put_global_memory`."""
        return self.put_global_memory(key, value, ttl=ttl)

    def get_app_memory(self, key: str) -> MemoryItem | None:
        """See `get_global_memory`."""
        return self.get_global_memory(key)

    def search_app_memories(self, query: str, *, limit: int = 10) -> list[ScoredItem]:
        """See `search_global_memories`."""
        return self.search_global_memories(query, limit=limit)


def _of_user(user_id: str, category: str) -> tuple[str, str]:
    if user_id in (_SESSION, _EVERYBODY):
        raise InvalidInputError(f"user_id {user_id!r} is the name of memories that are no user's")
    return user_id, category
