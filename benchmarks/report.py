"""What a benchmark found: tables, verdicts against targets, raw numbers; as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.harness import Series

__all__ = [
    "Report",
    "Table",
    "Verdict",
    "at_least",
    "at_most",
    "duration",
    "write",
    "write_summary",
]

_MICRO, _MILLI = 1e-6, 1e-3


@dataclass(frozen=True)
class Table:
    """A table; the first column names the side."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Verdict:
    """One target, what was measured, and whether it was met."""

    what: str
    target: str
    measured: str
    met: bool


@dataclass
class Report:
    """Everything one benchmark has to say."""

    title: str
    tables: list[Table] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    numbers: dict[str, list[float]] = field(default_factory=dict)

    def keep(self, name: str, series: Series) -> None:
        """Keep a side's raw numbers for the JSON file."""
        self.numbers[name] = list(series.values)


def at_most(what: str, measured: float, limit: float, unit: str = "x", digits: int = 2) -> Verdict:
    """Return the verdict of a measure that must not exceed a limit."""
    return Verdict(what, f"≤ {limit:g} {unit}", f"{measured:,.{digits}f} {unit}", measured <= limit)


def at_least(what: str, measured: float, limit: float, unit: str = "x", digits: int = 2) -> Verdict:
    """Return the verdict of a measure that must reach a limit."""
    return Verdict(
        what, f"≥ {limit:,g} {unit}", f"{measured:,.{digits}f} {unit}", measured >= limit
    )


def duration(seconds: float) -> str:
    """Return a time in the unit that reads best."""
    if seconds < _MILLI:
        return (
            f"{seconds / _MICRO:.0f} µs" if seconds >= 10 * _MICRO else f"{seconds / _MICRO:.1f} µs"
        )
    if seconds < 1:
        return (
            f"{seconds / _MILLI:.2f} ms" if seconds < 10 * _MILLI else f"{seconds / _MILLI:.0f} ms"
        )
    return f"{seconds:.1f} s"


def write(report: Report, folder: Path, topic: str, machine: dict[str, str]) -> None:
    """Write a report as ``<topic>.md`` and ``<topic>.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{topic}.md").write_text(_markdown(report, machine), encoding="utf-8")
    content = {"topic": topic, "machine": machine, **asdict(report)}
    (folder / f"{topic}.json").write_text(
        json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def write_summary(folder: Path) -> str:
    """Gather the verdicts of all reports in a folder into ``summary.md``; return its text."""
    lines = ["# Targets and what was measured", ""]
    rows: list[list[str]] = []
    for path in sorted(folder.glob("*.json")):
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if "verdicts" not in report:
            continue
        commit = report["machine"].get("commit", "")
        link = f"[{path.stem}]({path.stem}.md)"
        rows += [
            [link, one["what"], one["target"], one["measured"], _mark(one["met"]), commit]
            for one in report["verdicts"]
        ]
    columns = ["benchmark", "what", "target", "measured", "verdict", "commit"]
    lines += _table_lines(columns, rows)
    text = "\n".join(lines) + "\n"
    (folder / "summary.md").write_text(text, encoding="utf-8")
    return text


def _markdown(report: Report, machine: dict[str, str]) -> str:
    lines = [f"# {report.title}", ""]
    lines += [f"- {name}: {value}" for name, value in machine.items()]
    for table in report.tables:
        lines += ["", f"## {table.title}", "", *_table_lines(table.columns, table.rows)]
    if report.verdicts:
        rows = [[v.what, v.target, v.measured, _mark(v.met)] for v in report.verdicts]
        columns = ["what", "target", "measured", "verdict"]
        lines += ["", "## Targets", "", *_table_lines(columns, rows)]
    if report.notes:
        lines += ["", "## Notes", "", *(f"- {note}" for note in report.notes)]
    return "\n".join(lines) + "\n"


def _table_lines(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = "|".join(["---", *["---:"] * (len(columns) - 1)])
    return [
        f"| {' | '.join(columns)} |",
        f"|{rule}|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _mark(met: bool) -> str:
    return "met" if met else "**missed**"
