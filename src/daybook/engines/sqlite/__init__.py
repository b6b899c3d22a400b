"""SQLite: everything in one file, nothing to install."""

from daybook.engines.sqlite.engine import SQLiteEngine, open_engine

__all__ = ["SQLiteEngine", "open_engine"]
