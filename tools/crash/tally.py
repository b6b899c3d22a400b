"""Counts of one check: what was done to the store and what it did wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tools.crash.append_checker import Anomaly

__all__ = ["Tally"]

_MOST_EXAMPLES = 5


@dataclass
class Tally:
    """Counts of one check.

    Attributes:
        check: Its name.
        engine: What it was run on.
        operations: Batches acknowledged (appends, removals, imports).
        calls: Calls made, where they are counted: reads, retries and failed ones included.
        kills: Processes ended by force.
        faults: System calls made to fail, processes stopped, disks filled, tasks cancelled.
        images: Disk images of a power loss that were opened.
        anomalies: By kind, what acknowledged operations suffered.
        defects: Everything else that went wrong: a damaged file, an untyped error, a hang.
        examples: The first few of both, in words.
        spoiled: Places (a kill, an image, a run) after which anything was wrong.
        boundaries: Kills or faults per system call.
        measures: What was measured besides, by what it is.
        seconds: How long the check took.
    """

    check: str
    engine: str = "sqlite"
    operations: int = 0
    calls: int = 0
    kills: int = 0
    faults: int = 0
    images: int = 0
    anomalies: Counter[str] = field(default_factory=Counter)
    defects: int = 0
    examples: list[str] = field(default_factory=list)
    spoiled: int = 0
    boundaries: Counter[str] = field(default_factory=Counter)
    measures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def sound(self) -> bool:
        """Tell whether nothing went wrong."""
        return not self.anomalies and not self.defects

    def add(self, where: str, anomalies: Iterable[Anomaly], defects: Iterable[str] = ()) -> None:
        """Count what went wrong at one place."""
        anomalies, defects = list(anomalies), list(defects)
        self.spoiled += bool(anomalies or defects)
        for anomaly in anomalies:
            self.anomalies[anomaly.kind] += 1
            self._remember(f"{where}: {anomaly.kind}: {anomaly.detail}")
        for defect in defects:
            self.defects += 1
            self._remember(f"{where}: {defect}")

    def _remember(self, text: str) -> None:
        if len(self.examples) < _MOST_EXAMPLES:
            self.examples.append(text)
