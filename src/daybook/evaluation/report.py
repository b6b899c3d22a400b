"""What a comparison of runs comes to: figures, differences to the first run, times. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from daybook.evaluation.conversations import Conversation
from daybook.evaluation.runs import Run
from daybook.evaluation.scoring import Resampling, Row, Scored, compare_runs, score_run, summarise

__all__ = ["Data", "Report", "RunFigures", "make_report"]


@dataclass(frozen=True, slots=True)
class Data:
    """How much was measured.

    Attributes:
        name: The data set.
        conversations: How many.
        turns: How many messages they hold.
        questions: How many were asked.
        without_evidence: Of these, those that name no evidence: they count nowhere.
    """

    name: str
    conversations: int
    turns: int
    questions: int
    without_evidence: int


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run's figures.

    Attributes:
        name: The run.
        rows: Means by data set and category.
        differences: The first run less this one, on the same questions; empty for the first.
        query_p50_ms: Median time of a question; None if the run does not say.
        query_p95_ms: The same for 95 of 100 questions.
        turns_per_s: Messages taken in and indexed in a second; None if the run does not say.
    """

    name: str
    rows: Sequence[Row]
    differences: Sequence[Row]
    query_p50_ms: float | None
    query_p95_ms: float | None
    turns_per_s: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was found.

    Attributes:
        data: The data sets.
        runs: The figures of each run, the one that was asked for first.
        scored: What the figures rest on, for each run.
        resampling: How intervals were drawn.
    """

    data: Sequence[Data]
    runs: Sequence[RunFigures]
    scored: Mapping[str, Sequence[Scored]]
    resampling: Resampling


def make_report(
    conversations: Sequence[Conversation], runs: Sequence[Run], resampling: Resampling
) -> Report:
    """Return the figures of runs over the same conversations; their names must differ."""
    scored = {run.name: score_run(conversations, run) for run in runs}
    first = scored[runs[0].name]
    return Report(
        data=_data(conversations),
        runs=[
            _figures(run, scored[run.name], first if at else None, resampling)
            for at, run in enumerate(runs)
        ],
        scored=scored,
        resampling=resampling,
    )


def _figures(
    run: Run, scored: Sequence[Scored], first: Sequence[Scored] | None, resampling: Resampling
) -> RunFigures:
    taken = [answer.seconds for answer in run.answers.values() if not isnan(answer.seconds)]
    p50, p95 = (1e3 * np.percentile(taken, [50, 95])).tolist() if taken else (None, None)
    return RunFigures(
        name=run.name,
        rows=summarise(scored, resampling),
        differences=[] if first is None else compare_runs(first, scored, resampling),
        query_p50_ms=p50,
        query_p95_ms=p95,
        turns_per_s=None if isnan(run.ingest_s) else run.turns / max(run.ingest_s, 1e-9),
    )


def _data(conversations: Sequence[Conversation]) -> list[Data]:
    found = []
    for name in dict.fromkeys(one.dataset for one in conversations):
        some = [one for one in conversations if one.dataset == name]
        questions = [question for one in some for question in one.questions]
        found.append(
            Data(
                name,
                len(some),
                sum(len(one.turns) for one in some),
                len(questions),
                sum(not (one.evidence or one.evidence_sessions) for one in questions),
            )
        )
    return found
