"""What `daybook bench` prints: tables for people, facts for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import click

from daybook.cli.terminal import printable
from daybook.evaluation.bootstrap import RESAMPLES, Estimate
from daybook.evaluation.report import Report, RunFigures
from daybook.evaluation.scoring import Row

__all__ = ["bench_facts", "bench_lines", "show_bench"]

# What people look at; --json has all.
_WHOLE = ("R@10", "RB@500", "session R@10")
_PLAIN = ("R@5", "NDCG@10")
_NONE = "-"
_NAME = 26
_WIDE, _NARROW = 21, 8


def show_bench(report: Report) -> None:
    """Print a report."""
    for line in bench_lines(report):
        click.echo(line)


def bench_lines(report: Report) -> Iterator[str]:
    """Yield a report as lines: what was measured, each run's table, differences, times."""
    for data in report.data:
        left_out = f"; {data.without_evidence:,} without evidence" if data.without_evidence else ""
        yield (
            f"{printable(data.name)}: {data.conversations:,} conversations, {data.turns:,} "
            f"messages, {data.questions:,} questions{left_out}"
        )
    for run in report.runs:
        yield f"\n{printable(run.name)}, in percent"
        yield from _table(run.rows, sign="")
        if run.differences:
            yield f"\n{printable(report.runs[0].name)} less {printable(run.name)}, in points"
            yield from _table(run.differences, sign="+")
    yield ""
    yield from filter(None, map(_times, report.runs))
    drawn = report.resampling
    yield f"[…]: 95 % intervals, {RESAMPLES:,} resamples of {drawn.unit}, seed {drawn.seed}"


def _table(rows: Sequence[Row], *, sign: str) -> Iterator[str]:
    heads = "".join(f"{name:>{_WIDE}}" for name in _WHOLE)
    yield f"{'':{_NAME}}{'n':>5}{heads}" + "".join(f"{name:>{_NARROW}}" for name in _PLAIN)
    dataset = ""
    for row in rows:
        if row.dataset != dataset:
            dataset = row.dataset
            yield printable(dataset, one_line=True)
        whole = (_interval(row.metrics.get(name), sign) for name in _WHOLE)
        plain = (_value(row.metrics.get(name), sign) for name in _PLAIN)
        label = printable(row.category, one_line=True)
        yield (
            f"  {label:{_NAME - 2}}{row.questions:>5}"
            + "".join(f"{one:>{_WIDE}}" for one in whole)
            + "".join(f"{one:>{_NARROW}}" for one in plain)
        )


def _interval(found: Estimate | None, sign: str) -> str:
    if found is None:
        return _NONE
    ends = f"[{100 * found.low:.1f}, {100 * found.high:.1f}]"
    return f"{100 * found.value:{sign}.1f} {ends}"


def _value(found: Estimate | None, sign: str) -> str:
    return _NONE if found is None else f"{100 * found.value:{sign}.1f}"


def _times(run: RunFigures) -> str:
    if run.query_p50_ms is None:
        return ""
    rate = "" if run.turns_per_s is None else f"; {run.turns_per_s:,.0f} messages/s taken in"
    return (
        f"{printable(run.name)}: a question takes {run.query_p50_ms:.2f} ms (p50), "
        f"{run.query_p95_ms:.2f} ms (p95){rate}"
    )


def bench_facts(report: Report) -> dict[str, Any]:
    """Return a report as JSON: the stable shape of ``bench recall --json``; figures are shares."""
    return {
        "data": [asdict(one) for one in report.data],
        "runs": [
            {
                "name": run.name,
                "query_p50_ms": run.query_p50_ms,
                "query_p95_ms": run.query_p95_ms,
                "messages_per_s": run.turns_per_s,
                "rows": [asdict(row) for row in run.rows],
                "first_less_this": [asdict(row) for row in run.differences],
            }
            for run in report.runs
        ],
        "intervals": {
            "resamples": RESAMPLES,
            "of": report.resampling.unit,
            "seed": report.resampling.seed,
        },
    }
