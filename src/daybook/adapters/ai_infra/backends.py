"""From ai-infra's names of backends and embeddings to a daybook."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from daybook.adapters.ai_infra.lazy_book import LazyBook
from daybook.adapters.opened import BookOrUrl
from daybook.client import EmbedderChoice
from daybook.errors import ConfigError, MissingDependencyError

__all__ = ["embedder_of", "lazy_book", "sqlite_url", "url_of"]

_OURS = ("static", "minilm", "hash")
_OPENAI_MODEL = "text-embedding-3-small"
_OPENAI_BATCH = 256


def url_of(backend: str, path: str | None, connection_string: str | None) -> str:
    """Return the URL of a backend: ``memory``, ``sqlite`` with a path, ``postgres`` with a string.

    Raises:
        ConfigError: The backend is unknown or what it needs is missing.
    """
    if backend == "memory":
        return "inmemory://"
    if backend == "sqlite":
        if not path:
            raise ConfigError("backend='sqlite' needs path=, a file")
        return sqlite_url(path)
    if backend == "postgres":
        if not connection_string:
            raise ConfigError("backend='postgres' needs connection_string=")
        return connection_string
    raise ConfigError(f"backend must be memory, sqlite or postgres, got {backend!r}")


def sqlite_url(path: str | Path) -> str:
    """Return the URL of a file; ``:memory:`` is memory that ends with the process."""
    if str(path) == ":memory:":
        return "inmemory://"
    return f"sqlite:///{Path(path)}"


def lazy_book(
    where: BookOrUrl, provider: str | None, model: str | None, options: Mapping[str, Any]
) -> LazyBook:
    """Return a daybook that opens when it is first used.

    Args:
        where: The URL of its store, or an opened book.
        provider: Who embeds, see `embedder_of`.
        model: The provider's model.
        options: More arguments of `Daybook.open`; with an embedder, it wins.
    """
    chosen = embedder_of(provider, model)
    named = {} if chosen is ... else {"embedder": chosen}
    return LazyBook(where, {**named, **options})


@functools.lru_cache(maxsize=32)
def embedder_of(provider: str | None, model: str | None) -> EmbedderChoice:
    """Return the embedder that ai-infra's two arguments name; ``...`` for Daybook's own.

    Args:
        provider: ``openai``; a name of Daybook's (``static``, ``minilm``, ``hash``); any other that
            LangChain's `init_embeddings` knows; None for Daybook's own, which needs no key.
        model: The provider's model.

    Raises:
        MissingDependencyError: What the provider needs is not installed.
    """
    if provider is None:
        return ...
    name = provider.lower()
    if name in _OURS:
        return name if model is None else f"{name}:{model}"
    if name == "openai":
        return _openai(model or _OPENAI_MODEL)
    return _langchain(name, model)


def _openai(model: str) -> Callable[[Sequence[str]], list[list[float]]]:
    try:
        import openai  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise MissingDependencyError(
            "embedding_provider='openai'", "pip install 'daybook[openai]'"
        ) from exc
    clients: list[Any] = []

    def embed(texts: Sequence[str]) -> list[list[float]]:
        if not clients:
            clients.append(openai.OpenAI())
        rows: list[list[float]] = []
        for start in range(0, len(texts), _OPENAI_BATCH):
            batch = [text or " " for text in texts[start : start + _OPENAI_BATCH]]
            answer = clients[0].embeddings.create(model=model, input=batch)
            rows += [one.embedding for one in answer.data]
        return rows

    embed.__qualname__ = f"openai:{model}"
    return embed


def _langchain(provider: str, model: str | None) -> Callable[[Sequence[str]], list[list[float]]]:
    try:
        from langchain.embeddings import init_embeddings  # noqa: PLC0415 - an extra
    except ImportError as exc:
        raise MissingDependencyError(
            f"embedding_provider={provider!r}", "pip install langchain and the provider's package"
        ) from exc
    embeddings = init_embeddings(model or "", provider=provider)

    def embed(texts: Sequence[str]) -> list[list[float]]:
        rows: list[list[float]] = embeddings.embed_documents(list(texts))
        return rows

    embed.__qualname__ = f"{provider}:{model}"
    return embed
