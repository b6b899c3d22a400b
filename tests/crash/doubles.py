"""A daybook in memory whose log has a bug: the controls of checks that run on any engine."""

from __future__ import annotations

from typing import cast

from daybook.client import AsyncDaybook
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.engines.inmemory.engine import InMemoryEngine
from daybook.indexing.models import Models
from daybook.protocols.clock import Clock, SystemClock, new_id
from daybook.protocols.message_log import MessageLog
from daybook.registry import Engine, load_token_embedder
from daybook.testing.broken_doubles import BrokenEngine
from daybook.testing.broken_logs import LogDouble


def open_with(double: type[LogDouble] | None, clock: Clock | None = None) -> AsyncDaybook:
    """Wire an engine in memory whose log has this bug; None for none."""
    clock = clock or SystemClock()
    sound = InMemoryEngine(clock=clock)
    log = sound.log if double is None else cast("MessageLog", double(sound.log))
    engine: Engine = BrokenEngine(sound, log, sound.records, None)
    return AsyncDaybook(
        [engine],
        index=None,
        models=Models(None, load_token_embedder),
        tenant="default",
        clock=clock,
        id_factory=new_id,
        counter=ApproximateTokenCounter(),
        background=False,
    )
