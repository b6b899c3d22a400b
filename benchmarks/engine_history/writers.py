"""Eight processes append to one session of each engine: what was acknowledged and is not there?"""

from __future__ import annotations

from functools import partial

from benchmarks.engine_history.bench import Bench
from benchmarks.report import Verdict
from benchmarks.servers import Places
from benchmarks.sides.engine_sides import ENGINES
from benchmarks.sides.history import History
from benchmarks.writers import WRITERS, Writers, writing

__all__ = ["measure_writers"]


def measure_writers(bench: Bench) -> None:
    """Let every side be written by eight processes."""
    each = bench.settings.size(50, 5)
    with writing() as writers:
        table = [
            _one_side(bench, writers, name, row, each)
            for name, engine in bench.engines.items()
            if engine.shared
            for row in bench.rows_of(engine)
        ]
    columns = ["side", "messages sent", "acknowledged", "kept", "lost", "refused with"]
    bench.add_table(f"{each} exchanges by each of {WRITERS} processes", columns, table)
    bench.report.notes.append(
        "Lost: acknowledged to the writer, and not in the session when all had ended. What was "
        "refused was not tried again."
    )


def _one_side(bench: Bench, writers: Writers, name: str, row: str, each: int) -> list[str]:
    bench.settings.say(f"{WRITERS} writers: {row}")
    session = bench.session("shared")
    outcomes = writers.write(partial(_open, bench.places, name, row), session, each)
    sent = WRITERS * each * 2
    acknowledged = 2 * sum(good for good, _, _ in outcomes)
    refusals = ", ".join(sorted({kind for _, bad, kind in outcomes if bad}))
    try:
        kept = bench.sides[row].count(session)
    except Exception as exc:  # noqa: BLE001 - a library that cannot read what it wrote
        return [row, f"{sent}", f"{acknowledged}", "unreadable", f"{type(exc).__name__}", refusals]
    lost = acknowledged - kept
    if row == bench.engines[name].daybook.name:
        fine = lost == 0 and acknowledged == sent
        measured = f"{lost} lost, {sent - acknowledged} refused"
        verdict = Verdict(f"lost by {WRITERS} writers, {name}", "0 lost, 0 refused", measured, fine)
        bench.report.verdicts.append(verdict)
    return [row, f"{sent}", f"{acknowledged}", f"{kept}", f"{lost}", refusals]


def _open(places: Places, engine: str, row: str) -> History:
    (side,) = (side for side in ENGINES[engine].sides if side.name == row)
    return side.make(places)
