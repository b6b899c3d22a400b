"""Everything in this process's memory: for tests, experiments and as the model of all engines."""

from __future__ import annotations

from daybook.engines.inmemory.engine import InMemoryEngine, open_engine

__all__ = ["InMemoryEngine", "open_engine"]
