"""Processes that append to one session at the same moment, and count what they were told."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.sides.history import History
from benchmarks.talk import Exchange, Talk

__all__ = ["WRITERS", "Outcome", "Writers", "writing"]

WRITERS = 8
_PATIENCE_S = 120
Outcome = tuple[int, int, str]


class Writers:
    """Processes that wait for something to write; they import each library once."""

    def __init__(self, pool: Any, manager: Any) -> None:
        self._pool = pool
        self._manager = manager

    def write(self, make: Callable[[], History], session: str, each: int) -> Sequence[Outcome]:
        """Let all processes append exchanges to one session; return what each was told.

        Args:
            make: Opens a side, in each process; must go through pickle.
            session: The session's id.
            each: How many exchanges each process appends.

        Returns:
            For each: acknowledged exchanges, refused ones, the name of the last refusal.
        """
        gate: Any = self._manager.Barrier(WRITERS)
        jobs = [(make, session, number, each, gate) for number in range(WRITERS)]
        # No process gets two jobs: none is through the gate before each has one.
        outcomes: list[Outcome] = self._pool.starmap_async(_write, jobs, 1).get(_PATIENCE_S)
        return outcomes


@contextmanager
def writing() -> Iterator[Writers]:
    """Start the processes for the length of a block."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(WRITERS) as pool:
        yield Writers(pool, manager)


def _write(make: Callable[[], History], session: str, number: int, each: int, gate: Any) -> Outcome:
    exchanges: list[Exchange] = Talk(seed=100 + number).exchanges(each)
    try:
        side = make()
    except Exception as exc:  # noqa: BLE001 - the others wait at the gate, whatever it was
        gate.wait()
        return 0, each, type(exc).__name__
    gate.wait()
    try:
        return _append_all(side, session, exchanges)
    finally:
        side.close()


def _append_all(side: History, session: str, exchanges: Sequence[Exchange]) -> Outcome:
    good, bad, kind = 0, 0, ""
    for exchange in exchanges:
        try:
            side.time_appends(session, [exchange], 60.0)
        except Exception as exc:  # noqa: BLE001 - whatever a library raises is what is counted
            bad, kind = bad + 1, type(exc).__name__
        else:
            good += 1
    return good, bad, kind
