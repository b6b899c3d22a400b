"""Engines with one broken store: what the kit must convict.

`opener_of` puts a double around one store of a sound engine; the tables of doubles stand in
`broken_logs` and `broken_records`.
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
from daybook.testing.broken_logs import LogDouble
from daybook.testing.broken_records import RecordDouble
from daybook.testing.conviction import Opener

__all__ = ["BrokenEngine", "opener_of"]


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


def opener_of(double: type[LogDouble | RecordDouble], sound: Opener) -> Opener:
    """Return how to open a sound engine with one of its stores broken."""

    async def open_broken(clock: Clock) -> Engine:
        engine = await sound(clock)
        log, records = engine.log, engine.records
        if issubclass(double, LogDouble):
            log = cast("MessageLog", double(engine.log))
        else:
            records = cast("RecordStore", double(engine.records))
        return BrokenEngine(engine, log, records, engine.index)

    return open_broken
