"""Settings from the environment: the only module that reads it."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

from daybook.errors import ConfigError

__all__ = [
    "cache_folder",
    "default_embedder",
    "default_index",
    "default_model",
    "default_url",
    "embedder_threads",
    "models_file",
    "worker_environment",
]


def default_url() -> str:
    """Return ``DAYBOOK_URL``, or ``sqlite:///daybook.db`` in the working folder."""
    return os.environ.get("DAYBOOK_URL") or "sqlite:///daybook.db"


def default_embedder() -> str:
    """Return ``DAYBOOK_EMBEDDER``, or ``static``: the table that ships with the package."""
    return os.environ.get("DAYBOOK_EMBEDDER") or "static"


def embedder_threads() -> int:
    """Return ``DAYBOOK_THREADS``: how many one call of a local model may use; 0 if it may choose.

    Raises:
        ConfigError: It is no whole number.
    """
    named = os.environ.get("DAYBOOK_THREADS") or "0"
    if not named.isascii() or not named.isdigit():
        raise ConfigError(f"DAYBOOK_THREADS must be a whole number of threads, got {named!r}")
    return int(named)


def worker_environment(threads: int) -> dict[str, str]:
    """Return this process's environment for one of several that share its CPUs."""
    return {**os.environ, "DAYBOOK_THREADS": str(threads)}


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
