"""Tables of recall: each data set, each category, with intervals, and against another run."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall_quality.conversations import Conversation, Question
from benchmarks.recall_quality.metrics import METRICS, TurnFacts, interval, score

__all__ = ["Results", "read_run", "table", "write_run"]

Results = list[tuple[Conversation, Question, list[str]]]
Floats = NDArray[np.float64]
_ANSWERABLE = "(answerable)"
_ALL = "(all)"


def write_run(path: Path, results: Results) -> None:
    """Write one JSON object a line: `question_id`, `conv_id` and `ranked`."""
    with path.open("w", encoding="utf-8") as file:
        for conversation, question, ranked in results:
            line = {"question_id": question.id, "conv_id": conversation.id, "ranked": ranked}
            file.write(json.dumps(line) + "\n")


def read_run(path: Path) -> dict[str, list[str]]:
    """Return the ranking of each question of a run file."""
    with path.open(encoding="utf-8") as file:
        lines = map(json.loads, file)
        return {line["question_id"]: line["ranked"] for line in lines}


def table(results: Results, against: Mapping[str, list[str]] | None = None) -> Iterator[str]:
    """Yield lines: recall of each data set and category in percent, with 95 % intervals.

    Args:
        results: Every question with its ranking; those without evidence are left out.
        against: Another run's rankings; then the difference to it comes below each row.
    """
    yield f"{'':34}{'n':>5}" + "".join(f"{name:>22}" for name in METRICS)
    other = None if against is None else _scores(_replaced(results, against))
    for group, values in sorted(_scores(results).items()):
        yield f"{' '.join(group):34}{len(values):>5}" + _cells(values, "")
        if other is not None:
            yield f"{'  difference':39}" + _cells(values - other[group], "+")


def _replaced(results: Results, against: Mapping[str, list[str]]) -> Results:
    return [(conversation, one, against.get(one.id, [])) for conversation, one, _ in results]


def _scores(results: Results) -> dict[tuple[str, str], Floats]:
    """Return the scores of each category, of all answerable questions, and of all."""
    rows: dict[tuple[str, str], list[Floats]] = defaultdict(list)
    facts: dict[str, TurnFacts] = {}
    for conversation, question, ranked in results:
        if not question.evidence:
            continue
        if conversation.id not in facts:
            facts[conversation.id] = TurnFacts.of(conversation)
        shares = score(question, ranked, facts[conversation.id])
        for name in _groups(question):
            rows[conversation.dataset, name].append(shares)
    return {group: np.stack(values) for group, values in rows.items()}


def _groups(question: Question) -> Iterable[str]:
    yield question.category
    yield _ALL
    if question.answerable:
        yield _ANSWERABLE


def _cells(values: Floats, sign: str) -> str:
    low, high = interval(100 * values)
    means = 100 * values.mean(axis=0)
    return "".join(
        f"{f'{mean:{sign}.1f} [{a:.1f}, {b:.1f}]':>22}"
        for mean, a, b in zip(means, low, high, strict=True)
    )
