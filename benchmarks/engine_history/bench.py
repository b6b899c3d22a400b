"""What every part works on: the engines measured, their open sides, and who failed at what."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import ceil

from benchmarks.harness import Series, Settings, interleave
from benchmarks.report import Report, Table, Verdict, at_most, duration
from benchmarks.servers import Places
from benchmarks.sides.engine_sides import ENGINES, Engine
from benchmarks.sides.history import History, UnusableError
from benchmarks.sides.opening import opened

__all__ = ["Bench", "benched"]


@dataclass
class Bench:
    """Everything one run has open.

    Attributes:
        settings: How the run is made.
        places: Where data go.
        report: What was found.
        engines: The engines measured.
        sides: Row name to the open side.
        missing: Row name to why it is not there.
        unfit: Session and row name to why that side cannot hold it.
    """

    settings: Settings
    places: Places
    report: Report
    engines: dict[str, Engine]
    sides: dict[str, History]
    missing: dict[str, str]
    unfit: dict[tuple[str, str], str] = field(default_factory=dict)

    def session(self, name: str) -> str:
        """Return a session's id that no other run has."""
        return f"{self.places.run}-{name}"

    def rows_of(self, engine: Engine) -> list[str]:
        """Return the names of an engine's open sides, the floor first."""
        return [side.name for side in engine.sides if side.name in self.sides]

    def settings_of(self, engine: Engine, times: int) -> Settings:
        """Return how an engine is measured, with so many times the rounds; a simulator less."""
        rounds = self.settings.rounds * times
        return replace(self.settings, rounds=ceil(rounds / 3) if engine.simulated else rounds)

    def try_fill(self, row: str, session: str, fill: Callable[[], None]) -> bool:
        """Fill a session; note it if a side cannot hold it."""
        self.settings.say(f"fill {session}: {row}")
        try:
            fill()
        except UnusableError as reason:
            self.unfit[session, row] = str(reason)
            return False
        return True

    def measure(
        self, label: str, steps: Mapping[str, Callable[[], float]], engine: Engine, times: int = 1
    ) -> dict[str, Series]:
        """Run steps in turn, with so many times the run's rounds, and keep their numbers."""
        found = interleave(steps, self.settings_of(engine, times), label)
        for name, series in found.items():
            self.report.keep(f"{label} | {name}", series)
        return found

    def add_table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """Add a table; sides that are missing say why."""
        width = len(columns) - 2
        named = {row[0] for row in rows}
        rows += [
            [name, reason, *[""] * width]
            for name, reason in self.missing.items()
            if name not in named
        ]
        self.report.tables.append(Table(title, columns, rows))

    def judge(self, what: str, measured: float, limit: float) -> None:
        """Add a verdict."""
        verdict: Verdict = at_most(what, measured, limit)
        self.report.verdicts.append(verdict)

    def cell(self, session: str, row: str, series: Series | None) -> str:
        """Return a time, or why there is none."""
        if series is None:
            return self.unfit.get((session, row), "")
        return f"{duration(series.median)} ± {duration(series.spread)}"


@contextmanager
def benched(settings: Settings, places: Places, report: Report) -> Iterator[Bench]:
    """Open every side of every engine whose server runs."""
    engines = {name: ENGINES[name] for name in settings.engines or ENGINES}
    absent = {
        side.name: places.missing[name]
        for name, engine in engines.items()
        if name in places.missing
        for side in engine.sides
    }
    there = {name: engine for name, engine in engines.items() if name not in places.missing}
    makers = {
        side.name: lambda make=side.make: make(places)
        for engine in there.values()
        for side in engine.sides
    }
    with opened(makers) as (sides, missing):
        gc.freeze()  # many libraries are loaded; each round begins with a collection
        yield Bench(settings, places, report, there, sides, {**absent, **missing})
