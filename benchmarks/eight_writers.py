"""Eight processes append to one session at once: what was acknowledged and is not there?"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness import Settings, scratch
from benchmarks.report import Report, Table, Verdict
from benchmarks.sides.opening import history_sides, opened
from benchmarks.talk import Exchange, Talk

__all__ = ["run"]

_WRITERS = 8
_SESSION = "shared"
_PATIENCE_S = 300
_SIDES = (
    "sqlite3, FULL",
    "Daybook, FULL",
    "AsyncDaybook, NORMAL",
    "OpenAI Agents SQLiteSession",
    "LangChain SQL history",
    "LangGraph SqliteSaver (ai-infra too)",
)
Outcome = tuple[int, int, str]


def run(settings: Settings) -> Report:
    """Let every side be written by eight processes."""
    report = Report(f"{_WRITERS} processes append to one session")
    each = settings.size(50, 5)
    rows: list[list[str]] = []
    for name in _SIDES:
        settings.say(f"{_WRITERS} writers: {name}")
        with scratch(settings) as folder:
            rows.append(_one_side(report, name, folder, each))
    columns = ["side", "messages sent", "acknowledged", "kept", "lost", "refused with"]
    report.tables.append(Table(f"{each} exchanges by each of {_WRITERS}", columns, rows))
    report.notes.append(
        "Lost: acknowledged to the writer, and not in the session when all had ended. An exchange "
        "that was refused was not tried again. Settings are each library's own; `sqlite3` waits 5 "
        "seconds for a lock unless told otherwise."
    )
    return report


def _one_side(report: Report, name: str, folder: Path, each: int) -> list[str]:
    maker = {name: history_sides(folder)[name]}
    with opened(maker) as (sides, missing):  # makes the file before the writers meet
        if missing:
            return [name, missing[name], *[""] * 4]
        sides[name].fill("other", ["made", "before"])
    outcomes = _write_all(name, folder, each)
    with opened(maker) as (sides, _):
        kept = sides[name].count(_SESSION)
    sent = _WRITERS * each * 2
    acknowledged = 2 * sum(good for good, _, _ in outcomes)
    refusals = ", ".join(sorted({kind for _, bad, kind in outcomes if bad}))
    lost = acknowledged - kept
    if "Daybook" in name:
        fine = lost == 0 and acknowledged == sent
        measured = f"{lost} lost, {sent - acknowledged} refused"
        report.verdicts.append(Verdict(f"lost by {name}", "0 lost, 0 refused", measured, fine))
    return [name, f"{sent}", f"{acknowledged}", f"{kept}", f"{lost}", refusals]


def _write_all(name: str, folder: Path, each: int) -> Sequence[Outcome]:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(_WRITERS) as pool:
        gate: Any = manager.Barrier(_WRITERS)
        jobs = [(name, str(folder), number, each, gate) for number in range(_WRITERS)]
        return pool.starmap_async(_write, jobs, chunksize=1).get(timeout=_PATIENCE_S)


def _write(name: str, folder: str, number: int, each: int, gate: Any) -> Outcome:
    """Append in a process of its own; return acknowledged, refused, and the last refusal's kind."""
    good, bad, kind = 0, 0, ""
    exchanges: list[Exchange] = Talk(seed=100 + number).exchanges(each)
    side = history_sides(Path(folder))[name]()
    gate.wait()
    for exchange in exchanges:
        try:
            side.time_appends(_SESSION, [exchange], 60.0)
        except Exception as exc:  # noqa: BLE001 - whatever a library raises is what is counted
            bad, kind = bad + 1, type(exc).__name__
        else:
            good += 1
    side.close()
    return good, bad, kind
