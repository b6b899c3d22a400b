"""What ai-infra documents under ``ai_infra.llm.session``.

Example:
    >>> storage = memory()
    >>> storage.append("thread_123", [{"role": "user", "content": "Hi, I'm Bob"}])
    1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from daybook.adapters.ai_infra import trimming
from daybook.adapters.ai_infra.backends import sqlite_url
from daybook.adapters.ai_infra.session_storage import SessionStorage
from daybook.adapters.opened import BookOrUrl
from daybook.model.identifiers import new_id

__all__ = [
    "PendingAction",
    "SessionConfig",
    "SessionResult",
    "SessionStorage",
    "at",
    "generate_session_id",
    "get_pending_action",
    "is_paused",
    "memory",
    "postgres",
    "sqlite",
    "trim_messages",
]


def memory() -> SessionStorage:
    """Return a storage that ends with the object."""
    return SessionStorage("inmemory://")


def sqlite(path: str = ":memory:") -> SessionStorage:
    """Return a storage in a file."""
    return SessionStorage(sqlite_url(path))


def postgres(
    connection_string: str, *, pool_size: int = 5, enable_store: bool = False
) -> SessionStorage:
    """Return a storage in PostgreSQL; the arguments are those of `SessionStorage`."""
    return SessionStorage(connection_string, pool_size=pool_size, enable_store=enable_store)


def at(where: BookOrUrl, **options: Any) -> SessionStorage:
    """Return a storage in any engine of Daybook's, by URL, or in an opened book."""
    return SessionStorage(where, **options)


@dataclass
class PendingAction:
    """What a paused run waits for. Daybook's agent never pauses."""

    id: str
    action_type: Literal["tool_call", "output_review"] = "tool_call"
    tool_name: str | None = None
    args: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    message: str | None = None


@dataclass
class SessionResult:
    """What a run of an agent returns; printed, it is the answer.

    Attributes:
        content: The answer.
        session_id: The session; empty where none was named.
        messages: The session's messages, the ones of this run included.
        paused: Always False with Daybook's agent.
        pending_action: Always None with Daybook's agent.
    """

    content: str
    session_id: str = ""
    messages: list[Any] = field(default_factory=list)
    paused: bool = False
    pending_action: PendingAction | None = None

    def __str__(self) -> str:
        return self.content


@dataclass
class SessionConfig:
    """How an agent uses a storage.

    Attributes:
        storage: Where sessions are kept.
        max_messages: A run sees so many of the newest messages; None for all. None is removed.
        max_tokens: A run sees what fits so many tokens; None for no limit.
    """

    storage: SessionStorage
    max_messages: int | None = 100
    max_tokens: int | None = None

    def get_config(self, session_id: str) -> dict[str, Any]:
        """Return LangGraph's config for a session."""
        return {"configurable": {"thread_id": session_id}}


def generate_session_id() -> str:
    """Return an id for a new session."""
    return new_id()


def is_paused(result: Any) -> bool:
    """Tell whether a run waits for an approval."""
    if isinstance(result, dict):
        return "__interrupt__" in result
    return bool(getattr(result, "paused", False))


def get_pending_action(result: Any) -> PendingAction | None:
    """Return what a paused run waits for; None if it does not wait."""
    found = getattr(result, "pending_action", None)
    return found if isinstance(found, PendingAction) else None


def trim_messages(
    messages: Sequence[Any],
    max_messages: int | None = 100,
    keep_system: bool = True,
) -> list[Any]:
    """Return the newest messages, and the system messages at the beginning; see `trimming`."""
    if max_messages is None or len(messages) <= max_messages:
        return list(messages)
    return trimming.trim_messages(
        messages, strategy="last", max_messages=max_messages, preserve_system=keep_system
    )
