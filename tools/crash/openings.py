"""Several processes that open one file at the same moment: new, or of an older schema."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

from tools.crash.plan import PLANS, Outcomes, judge, sessions_of
from tools.crash.store import observe
from tools.crash.tally import Tally
from tools.crash.zygote import Zygote

__all__ = ["open_at_once"]


def open_at_once(
    zygote: Zygote, folder: Path, *, processes: int, rounds: int, old: Path | None = None
) -> Tally:
    """Open the same file from many processes, append one message from each, count them.

    With `old`, the file is a copy of that folder's, of schema version 1, made for ``migrate``.
    """
    what = "an old file" if old else "a new file"
    tally = Tally(f"{processes} processes open {what}")
    started = time.monotonic()
    for number in range(rounds):
        place = folder / f"{processes}-{number}"
        if old is None:
            place.mkdir()
        else:
            shutil.copytree(old, place)
        _round(zygote, tally, place, processes, old=old is not None)
        shutil.rmtree(place)
    tally.seconds = time.monotonic() - started
    return tally


def _round(zygote: Zygote, tally: Tally, place: Path, processes: int, *, old: bool) -> None:
    children = [
        zygote.spawn("open", path=place / "book.db", client=client) for client in range(processes)
    ]
    for child in children:
        child.go()
    said = [child.lines() for child in children]
    statuses = [child.wait() for child in children]
    defects = [f"an opener got {lines}" for lines in said if lines != ["ok"]]
    defects += [f"an opener ended with status {status}" for status in statuses if status]
    plan = PLANS["migrate"]
    before = sessions_of(plan)[:1]
    observed = asyncio.run(observe(place / "book.db", [*before, "openers"]))
    opened = sorted(one for _, one in observed.stored["openers"])
    if opened != sorted(f"opener-{client}-0" for client in range(processes)):
        defects.append(f"{len(opened)} of {processes} openers' messages are there")
    anomalies = judge(plan, Outcomes(frozenset(range(4))), observed.stored) if old else []
    tally.operations += processes
    tally.add(f"round {place.name}", anomalies, defects + observed.faults)
