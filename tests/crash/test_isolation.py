"""Nothing of one user or tenant reaches another, whatever is called with whatever id."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from daybook.client import AsyncDaybook
from daybook.protocols.clock import SystemClock
from daybook.registry import open_engine
from tools.crash.engines.addresses import with_options
from tools.crash.engines.isolation import isolate
from tools.crash.engines.isolation_calls import LIFETIME, facets_of
from tools.crash.engines.isolation_mutants import MUTANTS, Forgotten, with_mutant

CELLS = 5_000
# The quick ones; `make torture` goes through all.
SAMPLE = [
    ("log", "read", "tenant"),
    ("log", "read", "user"),
    ("log", "get_session", "tenant"),
    ("log", "get_session", "user"),
    ("log", "append", "user"),
    ("log", "clear", "tenant"),
    ("records", "list", "tenant"),
]


@pytest.mark.parametrize("engine", ["inmemory", "sqlite"])
async def test_every_method(engine: str, url_of: Callable[[str], str]) -> None:
    url = url_of(engine)
    if engine == "sqlite":
        url = with_options(url, synchronous="normal")  # this is not about power loss
    opened = await open_engine(url, clock=SystemClock())
    tally = await isolate(engine, opened, callers=4 if engine == "sqlite" else None)
    assert tally.sound, tally.examples
    assert tally.calls >= CELLS


async def test_every_facet_is_looked_at() -> None:
    async with AsyncDaybook.open("inmemory://", embedder=None, background=False) as book:
        public = {name for name in dir(book) if not name.startswith("_")}
        assert public - set(facets_of(book)) == LIFETIME


@pytest.mark.parametrize(("store", "method", "forgotten"), SAMPLE)
async def test_a_forgotten_predicate_is_convicted(
    store: str, method: str, forgotten: Forgotten
) -> None:
    assert (store, method, forgotten) in MUTANTS
    sound = await open_engine("inmemory://", clock=SystemClock())
    tally = await isolate("inmemory", with_mutant(sound, store, method, forgotten), first_only=True)
    assert not tally.sound
