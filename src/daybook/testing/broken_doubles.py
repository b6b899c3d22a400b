"""Engines with one broken store: what the kit must convict.

`opener_of` puts a double around one store of a sound engine; the tables of doubles stand in
`broken_logs`, `broken_records` and `broken_indexes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from daybook.model.capabilities import EngineCapabilities
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore
from daybook.protocols.search_index import SearchIndex
from daybook.registry import Engine
from daybook.testing.broken_indexes import IndexDouble
from daybook.testing.broken_logs import LogDouble
from daybook.testing.broken_records import RecordDouble
from daybook.testing.conviction import Opener

__all__ = ["BrokenEngine", "Double", "opener_of"]

Double = type[LogDouble] | type[RecordDouble] | type[IndexDouble]


@dataclass
class BrokenEngine:
    """An engine made of given stores around a sound one."""

    sound: Engine
    log: MessageLog
    records: RecordStore
    index: SearchIndex | None

    @property
    def capabilities(self) -> EngineCapabilities:
        """What the sound one promises."""
        return self.sound.capabilities

    async def close(self) -> None:
        """Close the sound one."""
        await self.sound.close()


def opener_of(double: Double, sound: Opener) -> Opener:
    """Return how to open a sound engine with one of its stores broken."""

    async def open_broken(clock: Clock) -> Engine:
        engine = await sound(clock)
        broken = BrokenEngine(engine, engine.log, engine.records, engine.index)
        if issubclass(double, LogDouble):
            broken.log = cast("MessageLog", double(engine.log))
        elif issubclass(double, RecordDouble):
            broken.records = cast("RecordStore", double(engine.records))
        elif engine.index is not None:
            broken.index = cast("SearchIndex", double(engine.index))
        return broken

    return open_broken
