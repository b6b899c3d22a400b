"""Daybook on one append-only file: ``journal:///chat.journal``."""

from __future__ import annotations

from daybook_journal.engine import JournalEngine, open_engine

__all__ = ["JournalEngine", "open_engine"]
