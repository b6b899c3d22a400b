"""Runs benchmarks and writes their results."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.harness import Settings
from benchmarks.machine import describe
from benchmarks.report import write, write_summary

__all__ = ["TOPICS", "main"]

TOPICS = {
    "history_append": "one exchange appended to sessions of several lengths",
    "history_load": "newest messages, whole sessions, bytes per message",
    "history_engines": "every engine beside its raw driver and LangChain's class",
    "group_commit": "32 callers that append at the same time",
    "facade": "what a blocking call costs above the awaited one",
    "records": "long-term records: put, get, list, search",
    "recall_latency": "search in 100,000 turns",
    "recall_scale": "one user with a million turns, SQLite and PostgreSQL; half an hour",
    "ingest": "bulk import into log and index, lag, disk",
    "context_build": "a context built on a session of 10,000 messages",
    "prompt_cache": "the part of a 200-turn chat that prompt caches hit",
    "adapters": "what an adapter costs above the core call and the objects of its framework",
    "imports": "seconds to import",
    "eight_writers": "messages lost by eight processes that write at once",
}
_FOLDER = Path(__file__).parent
_QUICK_ROUNDS, _ROUNDS = 2, 9


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks that the command line names; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    rounds = options.rounds or (_QUICK_ROUNDS if options.quick else _ROUNDS)
    settings = Settings(rounds, options.quick, options.folder, tuple(options.engines))
    results = options.folder / "quick-results" if options.quick else options.results
    for topic in options.only or TOPICS:
        print(f"{topic}: {TOPICS[topic]}", file=sys.stderr, flush=True)
        machine = describe(options.folder, _command(given, topic))
        start = time.perf_counter()
        report = import_module(f"benchmarks.{topic}").run(settings)
        machine["took"] = f"{time.perf_counter() - start:.0f} s, {rounds} rounds"
        write(report, results, topic, machine)
        print((results / f"{topic}.md").read_text(encoding="utf-8"), flush=True)
    write_summary(results)
    print(f"written to {results}", file=sys.stderr)
    return 0


def _command(given: list[str], topic: str) -> list[str]:
    """Return the arguments that repeat one topic alone."""
    return ["--only", topic, *(word for word in given if word not in {"--only", *TOPICS})]


def _parser() -> argparse.ArgumentParser:
    topics = "\n".join(f"  {name:16} {text}" for name, text in TOPICS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure Daybook beside raw drivers and other libraries.",
        epilog=f"benchmarks:\n{topics}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add: Any = parser.add_argument
    add("--only", nargs="+", choices=TOPICS, metavar="NAME", help="only these benchmarks")
    add("--quick", action="store_true", help="small sizes, to try it out; results are not kept")
    add("--rounds", type=int, help=f"rounds over all sides (default {_ROUNDS})")
    add("--engines", nargs="+", default=(), metavar="NAME", help="of history_engines: only these")
    add("--folder", type=Path, default=Path(".bench"), help="where databases go; its disk counts")
    add("--results", type=Path, default=_FOLDER / "results", help="where results go")
    return parser
