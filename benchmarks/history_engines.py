"""Chat history on every engine, beside its raw driver and LangChain's class for that backend."""

from __future__ import annotations

import os

from benchmarks.engine_history.appends import measure_appends, measure_crowds
from benchmarks.engine_history.bench import benched
from benchmarks.engine_history.loads import measure_foreign, measure_loads
from benchmarks.engine_history.writers import measure_writers
from benchmarks.harness import Settings, scratch
from benchmarks.report import Report
from benchmarks.servers import SETTINGS, places
from benchmarks.sides.engine_sides import ENGINES

__all__ = ["run"]

_NOISY = 0.5  # programs that wait for a processor before we start


def run(settings: Settings) -> Report:
    """Measure appends, loads, sizes, concurrent callers, writers in processes."""
    report = Report("Chat history on every engine")
    if (load := os.getloadavg()[0]) > _NOISY:
        report.notes.append(
            f"The machine was not quiet: its load was {load:.1f} when this began. Ratios within a "
            "round stand; times and narrow misses do not."
        )
    engines = settings.engines or tuple(ENGINES)
    with (
        scratch(settings) as folder,
        places(folder, engines) as where,
        benched(settings, where, report) as bench,
    ):
        measure_appends(bench)
        measure_loads(bench)
        measure_crowds(bench)
        measure_writers(bench)
        measure_foreign(bench)
    told = "; ".join(f"{name}: {SETTINGS[name]}" for name in engines)
    report.notes += [
        f"Settings. {told}. Both sides of a comparison use the same server and settings.",
        (
            "The floor is the first row of each group: the awaited driver's least, one round trip "
            "or one fsync, role and content as JSON and nothing else. Daybook's rows keep ids that "
            "are recognised when repeated, owners, times, token counts, the session's header, and "
            "the mark for its index; they run without an index."
        ),
        (
            "Servers run on this machine and share its processors with the client. LangChain's "
            "own Redis package needs the search module, which Valkey has not; the class of "
            "langchain-community is measured. LangChain's stores were filled beforehand in bulk, "
            "in its format."
        ),
    ]
    return report
