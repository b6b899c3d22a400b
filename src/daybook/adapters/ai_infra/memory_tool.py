"""`create_memory_tool`: a tool with which an agent recalls a user's past conversations."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from daybook.adapters.ai_infra.conversation_chunks import SearchResult
from daybook.adapters.ai_infra.conversation_memory import ConversationMemory
from daybook.errors import InvalidInputError

__all__ = ["MemoryTool", "create_memory_tool", "create_memory_tool_async"]

_NAME = "recall_past_conversations"
_DESCRIPTION = (
    "Search past conversations with this user. Use it when the user refers to something that was "
    "said, decided or solved before, or when an earlier preference of theirs would help."
)
_QUERY = "What to look for, in a few specific words or as a question."
_NOTHING = "No relevant past conversations found."
_ENDS = "..."


class MemoryTool:
    """The tool where LangChain is not installed: a function with a name and a schema.

    Attributes:
        name: What a model calls it.
        description: When to use it.
        args_schema: JSON Schema of its arguments.
    """

    def __init__(
        self,
        name: str,
        description: str,
        search: Callable[[str], str],
        asearch: Callable[[str], Coroutine[Any, Any, str]],
    ) -> None:
        self.name = name
        self.description = description
        query = {"type": "string", "description": _QUERY}
        self.args_schema = {"type": "object", "properties": {"query": query}, "required": ["query"]}
        self._search = search
        self._asearch = asearch

    def invoke(self, arguments: str | Mapping[str, Any]) -> str:
        """Return what was found, as text, for ``{"query": …}`` or the query alone."""
        return self._search(_query(arguments))

    async def ainvoke(self, arguments: str | Mapping[str, Any]) -> str:
        """See `invoke`."""
        return await self._asearch(_query(arguments))

    def __call__(self, query: str) -> str:
        """Return what was found, as text."""
        return self._search(query)


def create_memory_tool(
    memory: ConversationMemory,
    user_id: str | None = None,
    *,
    name: str = _NAME,
    description: str = _DESCRIPTION,
    limit: int = 3,
    min_score: float | None = None,
    return_scores: bool = False,
    max_chars: int | None = None,
) -> Any:
    """Return a tool that searches one user's past conversations.

    Args:
        memory: Where they are kept.
        user_id: Whose; fixed here, so that no model and no prompt can name another.
        name: What the model calls it.
        description: When to use it, for the model.
        limit: Results at most.
        min_score: Leave out what scores less, from 0 to 1.
        return_scores: Write each result's score.
        max_chars: Cut the answer to so many characters.

    Returns:
        A LangChain `StructuredTool` where langchain-core is installed, else a `MemoryTool`; both
        answer `invoke` and `ainvoke`.

    Raises:
        InvalidInputError: No user is named.
    """
    if not user_id:
        raise InvalidInputError(
            "user_id: name whose conversations the tool searches; it is never taken from the model"
        )
    how: dict[str, Any] = {"limit": limit, "min_score": min_score}

    def search(query: str) -> str:
        return _written(memory.search(user_id, query, **how), return_scores, max_chars)

    async def asearch(query: str) -> str:
        found = await memory.asearch(user_id, query, **how)
        return _written(found, return_scores, max_chars)

    return _tool(MemoryTool(name, description, search, asearch), search, asearch)


def create_memory_tool_async(
    memory: ConversationMemory,
    user_id: str | None = None,
    *,
    name: str = _NAME,
    description: str = _DESCRIPTION,
    limit: int = 3,
    min_score: float | None = None,
    return_scores: bool = False,
    max_chars: int | None = None,
) -> Any:
    """Return what `create_memory_tool` returns: that tool serves async callers too."""
    return create_memory_tool(
        memory,
        user_id,
        name=name,
        description=description,
        limit=limit,
        min_score=min_score,
        return_scores=return_scores,
        max_chars=max_chars,
    )


def _tool(
    tool: MemoryTool,
    search: Callable[[str], str],
    asearch: Callable[[str], Coroutine[Any, Any, str]],
) -> Any:
    try:
        from langchain_core.tools import StructuredTool  # noqa: PLC0415 - where it is installed
    except ImportError:
        return tool
    return StructuredTool.from_function(
        func=search,
        coroutine=asearch,
        name=tool.name,
        description=tool.description,
        args_schema=tool.args_schema,
    )


def _written(found: Sequence[SearchResult], scores: bool, max_chars: int | None) -> str:
    if not found:
        return _NOTHING
    parts = []
    for number, one in enumerate(found, start=1):
        head = f"### Result {number}" + (f"\n**Score:** {one.score:.2f}" if scores else "")
        parts.append(f"{head}\n\n{one.context}")
    text = "\n\n---\n\n".join(parts)
    if max_chars is not None and len(text) > max_chars:
        return text[: max(0, max_chars - len(_ENDS))] + _ENDS[:max_chars]
    return text


def _query(arguments: str | Mapping[str, Any]) -> str:
    query = arguments if isinstance(arguments, str) else arguments.get("query")
    if not isinstance(query, str):
        raise InvalidInputError("the tool takes one argument, query: text")
    return query
