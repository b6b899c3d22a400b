"""Measures several sides in turn, round after round, so that all meet the same machine.

A round gives one number per side (seconds, or a rate). What counts is the median over the rounds,
and for two sides the median of their ratios round by round: a machine that slows down slows both.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from statistics import median
from tempfile import mkdtemp
from typing import Any, TypeVar

__all__ = [
    "AsyncSide",
    "Series",
    "Settings",
    "interleave",
    "percentile",
    "scratch",
    "timed",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """How a run is to be made.

    Attributes:
        rounds: Rounds over all sides.
        quick: Smaller sizes, to try a benchmark out; such results are not kept.
        folder: Where the databases go; on the disk that is to be measured.
        engines: The engines to compare; none for all.
    """

    rounds: int
    quick: bool
    folder: Path
    engines: tuple[str, ...] = ()

    def size(self, full: int, quick: int) -> int:
        """Return a size for this kind of run."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Show progress."""
        print(f"    {text}", file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Series:
    """One side's numbers, one for each round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Middle value."""
        return median(self.values)

    @property
    def spread(self) -> float:
        """Median absolute deviation from the median."""
        return median(abs(value - self.median) for value in self.values)

    def ratio(self, floor: Series) -> float:
        """Return the median of the ratios to another side, round by round."""
        return median(a / b for a, b in zip(self.values, floor.values, strict=True))

    def minus(self, floor: Series) -> Series:
        """Return the differences to another side, round by round."""
        return Series(tuple(a - b for a, b in zip(self.values, floor.values, strict=True)))


def interleave(
    sides: Mapping[str, Callable[[], float]], settings: Settings, label: str = ""
) -> dict[str, Series]:
    """Run every side once per round, in turn, and return each side's numbers."""
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(settings.rounds):
        for name, measure in sides.items():
            gc.collect()
            taken[name].append(measure())
        if label:
            settings.say(f"{label}: round {number + 1}/{settings.rounds}")
    return {name: Series(tuple(values)) for name, values in taken.items()}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def timed(work: Callable[[], Any]) -> float:
    """Return how long `work` takes, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@contextmanager
def scratch(settings: Settings) -> Iterator[Path]:
    """Give an empty folder on the measured disk, and remove it afterwards."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(dir=settings.folder))
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


@dataclass
class AsyncSide:
    """An event loop of its own for an async side; the loop stands still between its rounds."""

    runner: asyncio.Runner = field(default_factory=asyncio.Runner)

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on this side's loop."""
        return self.runner.run(work)

    def close(self) -> None:
        """End the loop."""
        self.runner.close()
