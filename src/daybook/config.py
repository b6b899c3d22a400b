"""Settings from the environment: the only module that reads it."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

__all__ = [
    "cache_folder",
    "default_embedder",
    "default_index",
    "default_model",
    "default_url",
    "models_file",
]


def default_url() -> str:
    """Return ``DAYBOOK_URL``, or ``sqlite:///daybook.db`` in the working folder."""
    return os.environ.get("DAYBOOK_URL") or "sqlite:///daybook.db"


def default_embedder() -> str:
    """Return ``DAYBOOK_EMBEDDER``, or ``static``: the table that ships with the package."""
    return os.environ.get("DAYBOOK_EMBEDDER") or "static"


def default_model() -> str | None:
    """Return ``DAYBOOK_MODEL``, the language model that chats use; None for none."""
    return os.environ.get("DAYBOOK_MODEL") or None


def default_index(url: str) -> str:
    """Return the index of a store whose engine has none: ``DAYBOOK_INDEX``, or a cached file.

    It holds nothing that cannot be made again from the store.
    """
    named = os.environ.get("DAYBOOK_INDEX")
    if named:
        return named
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    name = blake2b(url.encode(), digest_size=8).hexdigest()
    return f"sqlite:///{folder}/index-{name}.db"


def cache_folder() -> Path:
    """Return where converted models and indexes are: ``DAYBOOK_CACHE``, or the user's cache."""
    named = os.environ.get("DAYBOOK_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "daybook"


def models_file() -> Path | None:
    """Return the user's own table of language models, ``DAYBOOK_MODELS``; None if none is named."""
    named = os.environ.get("DAYBOOK_MODELS")
    return Path(named) if named else None
