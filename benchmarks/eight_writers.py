"""Eight processes append to one session at once: what was acknowledged and is not there?"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.harness import Settings, scratch
from benchmarks.report import Report, Table, Verdict
from benchmarks.sides.history import History
from benchmarks.sides.opening import history_sides, opened
from benchmarks.writers import WRITERS, Writers, writing

__all__ = ["run"]

_SESSION = "shared"
_SIDES = (
    "sqlite3, FULL",
    "Daybook, FULL",
    "AsyncDaybook, NORMAL",
    "OpenAI Agents SQLiteSession",
    "LangChain SQL history",
    "LangGraph SqliteSaver (ai-infra too)",
)


def run(settings: Settings) -> Report:
    """Let every side be written by eight processes."""
    report = Report(f"{WRITERS} processes append to one session")
    each = settings.size(50, 5)
    rows: list[list[str]] = []
    with writing() as writers:
        for name in _SIDES:
            settings.say(f"{WRITERS} writers: {name}")
            with scratch(settings) as folder:
                rows.append(_one_side(report, writers, name, folder, each))
    columns = ["side", "messages sent", "acknowledged", "kept", "lost", "refused with"]
    report.tables.append(Table(f"{each} exchanges by each of {WRITERS}", columns, rows))
    report.notes.append(
        "Lost: acknowledged to the writer, and not in the session when all had ended. An exchange "
        "that was refused was not tried again. Settings are each library's own; `sqlite3` waits 5 "
        "seconds for a lock unless told otherwise."
    )
    return report


def _one_side(report: Report, writers: Writers, name: str, folder: Path, each: int) -> list[str]:
    maker = {name: history_sides(folder)[name]}
    with opened(maker) as (sides, missing):  # makes the file before the writers meet
        if missing:
            return [name, missing[name], *[""] * 4]
        sides[name].fill("other", ["made", "before"])
    outcomes = writers.write(partial(_open, name, folder), _SESSION, each)
    with opened(maker) as (sides, _):
        kept = sides[name].count(_SESSION)
    sent = WRITERS * each * 2
    acknowledged = 2 * sum(good for good, _, _ in outcomes)
    refusals = ", ".join(sorted({kind for _, bad, kind in outcomes if bad}))
    lost = acknowledged - kept
    if "Daybook" in name:
        fine = lost == 0 and acknowledged == sent
        measured = f"{lost} lost, {sent - acknowledged} refused"
        report.verdicts.append(Verdict(f"lost by {name}", "0 lost, 0 refused", measured, fine))
    return [name, f"{sent}", f"{acknowledged}", f"{kept}", f"{lost}", refusals]


def _open(name: str, folder: Path) -> History:
    return history_sides(folder)[name]()
