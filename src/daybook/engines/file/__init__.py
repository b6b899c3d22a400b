"""Conversations as append-only files in a folder that people can look at and copy."""

from __future__ import annotations

from daybook.engines.file.engine import FileEngine, open_engine

__all__ = ["FileEngine", "open_engine"]
