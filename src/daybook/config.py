"""Settings from the environment: the only module that reads it."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_folder", "default_embedder", "default_url"]


def default_url() -> str:
    """Return ``DAYBOOK_URL``, or ``sqlite:///daybook.db`` in the working folder."""
    return os.environ.get("DAYBOOK_URL") or "sqlite:///daybook.db"


def default_embedder() -> str:
    """Return ``DAYBOOK_EMBEDDER``, or ``static``: the table that ships with the package."""
    return os.environ.get("DAYBOOK_EMBEDDER") or "static"


def cache_folder() -> Path:
    """Return where converted models may be kept: ``DAYBOOK_CACHE``, or the user's cache folder."""
    named = os.environ.get("DAYBOOK_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "daybook"
