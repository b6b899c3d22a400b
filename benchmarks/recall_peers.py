"""Recall beside other libraries: `python -m benchmarks.recall_peers --data FOLDER`.

FOLDER holds data sets as `daybook bench recall` takes them; none is part of this repository. Every
side gets each conversation alone, then its questions one by one. The table goes to
`benchmarks/results/recall_peers.md`: figures only, nothing that was said.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.report import Report, Table, write
from benchmarks.sides.kept_vectors import KeptVectors
from benchmarks.sides.recall_peers import PEERS, Peer, ProcessorTimed, quiet
from daybook.evaluation.bootstrap import Estimate
from daybook.evaluation.conversations import Conversation
from daybook.evaluation.daybook_system import DaybookSystem
from daybook.evaluation.load import load_conversations, sample_questions
from daybook.evaluation.report import Report as Figures
from daybook.evaluation.report import RunFigures, make_report
from daybook.evaluation.run_files import read_run, write_run
from daybook.evaluation.runs import Run, System, put_questions
from daybook.evaluation.scoring import ANSWERABLE, Resampling, Row

__all__ = ["main"]

_OURS = "Daybook, static (the default)"
_METRICS = ("R@10", "RB@500", "session R@10")
_PACKAGES = ("chromadb", "langgraph", "mem0ai", "ai-infra", "bm25s", "rank-bm25")
_RESULTS = Path(__file__).parent / "results"
_NOTES = [
    (
        "Intervals are 95 %, by bootstrap over questions; the difference is paired: the same "
        "questions, the default less that side. Questions without an answer are left out."
    ),
    (
        "MiniLM's vectors are made once and handed to every side that compares vectors: chromadb's "
        "own default is the same model, fetched from the network at its first use, and the others "
        "ask a provider or a model hub. Neither rate nor latency holds the making of them; that of "
        "`static` and of words is ours and in."
    ),
    (
        "Times are the process's processor time, all threads together, for the machine was shared: "
        "searches for 100 messages one after the other, and how many turns a second of it takes "
        "in, over all data sets together."
    ),
    (
        "Peers have no field for who speaks, so they get `Name: text` where a turn has a name; "
        "the row of plain cosine shows what that changes. k counts messages, for ai-infra chunks."
    ),
    (
        "mem0 searches by words too where spaCy and fastembed with their models are installed; "
        "they are not, for their models come from the network."
    ),
    (
        "The weights of Daybook's ranker were fitted on these data sets, so its rows say little "
        "about other conversations; `tools/fit_ranker/README.md` has cross-validated figures."
    ),
]


def main() -> None:
    """Run every side, print and write the table."""
    options = _options()
    quiet(options.folder)
    conversations = load_conversations([options.data])
    if options.sample:
        conversations = sample_questions(conversations, options.sample, seed=1)
    runs = [
        *_measured(conversations, options),
        *(_given(one, conversations) for one in options.run),
    ]
    if options.runs is not None:
        _write_runs(options.runs, conversations, runs)
    report = _report(make_report(conversations, runs, Resampling(seed=1)))
    for table in report.tables:
        print(f"\n{table.title}\n{' | '.join(table.columns)}")
        print("\n".join(" | ".join(row) for row in table.rows))
    if not options.sample and not options.only:
        machine = describe(options.folder, [])
        machine["command"] = "python -m benchmarks.recall_peers --data FOLDER"
        machine["others"] = ", ".join(map(_installed, _PACKAGES))
        write(report, _RESULTS, "recall_peers", machine)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add: Any = parser.add_argument
    add("--data", type=Path, required=True, help="folder of data sets")
    add("--sample", type=int, help="only so many questions, to try it out; nothing is written")
    add("--only", nargs="+", default=[], metavar="WORD", help="only sides named with one of these")
    add("--run", action="append", default=[], metavar="NAME=FILE", help="also this run file")
    add("--runs", type=Path, help="write what every side ranked to this folder")
    add("--folder", type=Path, default=Path(".bench"), help="where MiniLM's vectors are kept")
    return parser.parse_args()


def _measured(conversations: Sequence[Conversation], options: argparse.Namespace) -> Iterator[Run]:
    """Yield a run of each side; the time that vectors took to make is taken off."""
    vectors = KeptVectors(options.folder / "minilm_vectors.npz")
    for name, side in _sides(vectors).items():
        if name != _OURS and options.only and not any(word in name for word in options.only):
            continue
        print(name, file=sys.stderr, flush=True)
        vectors.encode([one.text for talk in conversations for one in talk.questions])
        try:  # once for nothing: libraries are loaded then
            asyncio.run(put_questions(side, _tiny(conversations[0])))
        except ImportError as exc:
            print(f"    left out: {exc}", file=sys.stderr)
            continue
        timed = ProcessorTimed(side, vectors)
        run = asyncio.run(put_questions(timed, conversations))
        answers = {
            key: replace(answer, seconds=seconds)
            for (key, answer), seconds in zip(run.answers.items(), timed.asked_s, strict=True)
        }
        yield replace(run, name=name, answers=answers, ingest_s=timed.taken_in_s)
        vectors.save()


def _tiny(one: Conversation) -> list[Conversation]:
    return [replace(one, turns=one.turns[:5], questions=one.questions[:1])]


def _sides(vectors: KeptVectors) -> dict[str, System]:
    ours: dict[str, System] = {
        _OURS: DaybookSystem("static"),
        "Daybook, minilm": DaybookSystem(vectors),
        "Daybook, none: words alone": DaybookSystem("none"),
    }
    return ours | {name: Peer(name, take_in, vectors) for name, take_in in PEERS.items()}


def _given(text: str, conversations: Sequence[Conversation]) -> Run:
    name, _, path = text.partition("=")
    return read_run(Path(path), conversations, name=name)


def _write_runs(folder: Path, conversations: Sequence[Conversation], runs: Sequence[Run]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, run in enumerate(runs):
        word = "".join(one if one.isalnum() else "_" for one in run.name)
        with (folder / f"{number:02}_{word}.jsonl").open("w", encoding="utf-8") as file:
            write_run(file, conversations, run)


def _report(figures: Figures) -> Report:
    report = Report("Recall beside other libraries", notes=list(_NOTES))
    columns = [
        "what",
        *_METRICS,
        "default less this, R@10",
        "RB@500",
        "query p50, CPU",
        "turns in, per s CPU",
    ]
    for data in figures.data:
        rows = [cells for run in figures.runs if (cells := _cells(run, data.name))]
        title = f"{data.name}: {data.conversations} conversations, {data.turns:,} turns, "
        first = _row(figures.runs[0].rows, data.name)
        title += f"{0 if first is None else first.questions} answerable questions with evidence"
        report.tables.append(Table(title, columns, rows))
    for run in figures.runs:
        row_of = {row.dataset: row for row in run.rows if row.category == ANSWERABLE}
        report.numbers |= {
            f"{run.name}: {dataset} {name}": [found.value, found.low, found.high]
            for dataset, row in row_of.items()
            for name, found in row.metrics.items()
        }
    return report


def _cells(run: RunFigures, dataset: str) -> list[str]:
    row, less = _row(run.rows, dataset), _row(run.differences, dataset)
    if row is None:
        return []
    return [
        run.name,
        *(_shown(row.metrics.get(name), "") for name in _METRICS),
        *(_shown(None if less is None else less.metrics.get(name), "+") for name in _METRICS[:2]),
        "" if run.query_p50_ms is None else f"{run.query_p50_ms:.1f} ms",
        "" if run.turns_per_s is None else f"{run.turns_per_s:,.0f}",
    ]


def _row(rows: Sequence[Row], dataset: str) -> Row | None:
    found = (row for row in rows if row.dataset == dataset and row.category == ANSWERABLE)
    return next(found, None)


def _shown(found: Estimate | None, sign: str) -> str:
    if found is None:
        return ""
    ends = f"[{100 * found.low:.1f}, {100 * found.high:.1f}]"
    return f"{100 * found.value:{sign}.1f} {ends}"


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"{name} not installed"


if __name__ == "__main__":
    main()
