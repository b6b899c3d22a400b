"""A million random trims on several processes, and a table of the laws that they broke.

Run ``python -m tools.trim_storm --count 1000000 --processes 2 --results benchmarks/results``.
What is drawn depends on the seed alone, not on how many processes draw it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from tests.context.random_trims import STRATEGIES, Case, Tally, judge, naive, run

__all__ = ["main", "storm", "table"]

_SHARE = 5_000


def storm(
    count: int,
    seed: int,
    processes: int,
    judged: Callable[[Case], tuple[bool, list[str]]] = judge,
) -> tuple[Tally, float]:
    """Draw and judge so many trims; return what came of them, and the seconds it took."""
    shares = [min(_SHARE, count - begin) for begin in range(0, count, _SHARE)]
    seeds = [seed * 1_000_003 + number for number in range(len(shares))]
    tally = Tally.empty()
    began = time.perf_counter()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for part in pool.map(partial(run, judged=judged), seeds, shares):
            tally.add(part)
            print(f"\r{tally.trims.total():,} trims", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return tally, time.perf_counter() - began


def table(tally: Tally) -> str:
    """Return a Markdown table, a row for each strategy."""
    lines = ["| strategy | trims | refused, rightly | broken laws |", "|---|---:|---:|---:|"]
    rows: list[tuple[str, Sequence[str]]] = [(name, [name]) for name in STRATEGIES]
    for name, inside in [*rows, ("all", list(STRATEGIES))]:
        trims = sum(tally.trims[one] for one in inside)
        refused = sum(tally.refused[one] for one in inside)
        broken = sum(n for (one, _), n in tally.broken.items() if one in inside)
        lines.append(f"| {name} | {trims:,} | {refused:,} | {broken:,} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the storm and its control; return 1 if a law was broken."""
    options = _parser().parse_args(arguments)
    tally, took = storm(options.count, options.seed, options.processes)
    control, _ = storm(max(1, options.count // 50), options.seed, options.processes, naive)
    machine = describe(Path(), [])
    text = (
        f"# Random trims\n\n{tally.trims.total():,} trims from seed {options.seed} on "
        f"{options.processes} processes in {took:.0f} s.\n\n"
        "A trim is a random conversation (parallel, partial, late, repeated and orphaned tool "
        "results, pictures, system messages between turns, damaged bytes), read whole or from its "
        "end, with random pins, budget, system prompt, profile, digest and recalled hits. Judged "
        "are: order; system messages, pins and newest turn kept; calls with their results; the "
        "budget, or a refusal with the right numbers; the account by parts; that trimming again "
        "changes nothing; and the shapes that OpenAI, Anthropic and Gemini accept.\n\n"
        f"{table(tally)}\n\nThe control, the newest messages that fit, broke a law "
        f"{control.broken.total():,} times in {control.trims.total():,} trims.\n\n"
        f"{machine['date']}, commit {machine['commit']}, {machine['machine']}.\n"
    )
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        (options.results / "random_trims.md").write_text(text, encoding="utf-8")
        numbers: dict[str, Any] = {
            "machine": machine,
            "seconds": took,
            "seed": options.seed,
            "trims": dict(tally.trims),
            "refused": dict(tally.refused),
            "broken": {" / ".join(key): n for key, n in tally.broken.items()},
            "control": {" / ".join(key): n for key, n in control.broken.items()},
        }
        written = json.dumps(numbers, indent=1, sort_keys=True)
        (options.results / "random_trims.json").write_text(f"{written}\n", encoding="utf-8")
    return int(bool(tally.broken))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.trim_storm", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, help="a folder for the table and the numbers")
    return parser


if __name__ == "__main__":
    sys.exit(main())
