"""Processes that append to one session at the same moment, and count what they were told."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.sides.history import History
from benchmarks.talk import Exchange, Talk

__all__ = ["WRITERS", "Outcome", "write_together"]

WRITERS = 8
_PATIENCE_S = 300
Outcome = tuple[int, int, str]


def write_together(
    make: Callable[[], History], session: str, each: int, writers: int = WRITERS
) -> Sequence[Outcome]:
    """Let processes append exchanges to one session; return what each was told.

    Args:
        make: Opens a side, in each process; must go through pickle.
        session: The session's id.
        each: How many exchanges each process appends.
        writers: How many processes.

    Returns:
        For each: acknowledged exchanges, refused ones, the name of the last refusal.
    """
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(writers) as pool:
        gate: Any = manager.Barrier(writers)
        jobs = [(make, session, number, each, gate) for number in range(writers)]
        return pool.starmap_async(_write, jobs, chunksize=1).get(timeout=_PATIENCE_S)


def _write(make: Callable[[], History], session: str, number: int, each: int, gate: Any) -> Outcome:
    good, bad, kind = 0, 0, ""
    exchanges: list[Exchange] = Talk(seed=100 + number).exchanges(each)
    side = make()
    gate.wait()
    for exchange in exchanges:
        try:
            side.time_appends(session, [exchange], 60.0)
        except Exception as exc:  # noqa: BLE001 - whatever a library raises is what is counted
            bad, kind = bad + 1, type(exc).__name__
        else:
            good += 1
    side.close()
    return good, bad, kind
