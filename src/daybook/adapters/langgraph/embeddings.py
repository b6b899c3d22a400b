"""LangGraph's `IndexConfig` as an embedder of Daybook's."""

from __future__ import annotations

import asyncio
from typing import Any

from langgraph.store.base import Embeddings, ensure_embeddings

from daybook.embedders.custom import CallableEmbedder
from daybook.errors import ConfigError

__all__ = ["embedder_of", "embeddings_of", "fields_of"]


def fields_of(index: Any) -> bool | list[str]:
    """Return which parts of a value a store's configuration has searched; True for all of it."""
    fields = list((index or {}).get("fields") or ["$"])
    return True if "$" in fields else fields


def embeddings_of(index: Any) -> Embeddings | None:
    """Return the embeddings that a store's configuration names, None if it names none."""
    given = (index or {}).get("embed")
    return None if given is None else ensure_embeddings(given)


def embedder_of(index: Any, embeddings: Embeddings) -> CallableEmbedder:
    """Return an embedder over LangChain's embeddings.

    Its id names the class or function, the model and the width: where one of them changes, what
    is stored is embedded anew.

    Raises:
        ConfigError: ``dims`` is missing.
    """
    dims = index.get("dims")
    if not isinstance(dims, int) or dims < 1:
        raise ConfigError("index: give dims, the width of a vector, beside embed")

    async def embed_queries(texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = await asyncio.gather(*map(embeddings.aembed_query, texts))
        return vectors

    return CallableEmbedder(
        embeddings.aembed_documents,
        id=f"langchain:{_name_of(index['embed'])}:{dims}",
        dimensions=dims,
        query_function=embed_queries,
    )


def _name_of(given: Any) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, Embeddings):
        model = getattr(given, "model", None) or getattr(given, "model_name", None)
        return f"{type(given).__name__}:{model}" if isinstance(model, str) else type(given).__name__
    return getattr(given, "__qualname__", type(given).__name__)
