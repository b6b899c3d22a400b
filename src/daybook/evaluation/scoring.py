"""Runs to figures: each question's scores, their means by data set and category, comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from daybook.evaluation.bootstrap import Estimate, Floats, estimates
from daybook.evaluation.conversations import Conversation, Question
from daybook.evaluation.metrics import (
    SESSION_METRICS,
    TURN_METRICS,
    Unit,
    session_scores,
    turn_scores,
)
from daybook.evaluation.runs import Run

__all__ = [
    "ALL",
    "ANSWERABLE",
    "METRICS",
    "Resampling",
    "Row",
    "Scored",
    "compare_runs",
    "score_run",
    "summarise",
]

METRICS = (*TURN_METRICS, *SESSION_METRICS)
ANSWERABLE = "(answerable)"
ALL = "(all)"


@dataclass(frozen=True, slots=True)
class Scored:
    """One question's scores; a metric that does not apply is left out.

    Attributes:
        conversation: Its id.
        dataset: Its data set.
        question: The question.
        ranked: What the run returned.
        scores: Shares between 0 and 1.
    """

    conversation: str
    dataset: str
    question: Question
    ranked: tuple[Unit, ...]
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """The means of some questions.

    Attributes:
        dataset: Of which data set.
        category: A category, `ANSWERABLE` or `ALL`.
        questions: How many.
        metrics: By name; one that applies to none of them is left out.
    """

    dataset: str
    category: str
    questions: int
    metrics: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are drawn.

    Attributes:
        unit: ``questions``, or ``conversations``: whole ones, for questions to one conversation
            are alike. Of a handful of conversations an interval says little, though.
        seed: The same seed gives the same intervals.
    """

    unit: str = "questions"
    seed: int = 1

    def clusters(self, scored: Sequence[Scored]) -> list[tuple[str, str]] | None:
        """Return what each question is drawn with; None if each is drawn alone."""
        if self.unit == "questions":
            return None
        return [(one.dataset, one.conversation) for one in scored]


def score_run(conversations: Sequence[Conversation], run: Run) -> list[Scored]:
    """Return the scores of every question with evidence that the run answered.

    A run that ranks sessions gets session metrics only.
    """
    scored = []
    for conversation in conversations:
        words, session_of = conversation.words(), conversation.sessions()
        sessions = set(session_of.values())
        for question in conversation.questions:
            answer = run.answers.get((conversation.id, question.id))
            gold = question.evidence_sessions or tuple(
                dict.fromkeys(session_of[one] for one in question.evidence)
            )
            if answer is None or not gold:
                continue
            scores = session_scores(answer.ranked, gold, session_of)
            ranks_turns = not answer.ranked or not sessions.issuperset(map(_first, answer.ranked))
            if question.evidence and ranks_turns:
                scores |= turn_scores(answer.ranked, question.evidence, words)
            scored.append(
                Scored(conversation.id, conversation.dataset, question, answer.ranked, scores)
            )
    return scored


def summarise(scored: Sequence[Scored], resampling: Resampling) -> list[Row]:
    """Return the means with intervals: of each data set the answerable, all, and each category."""
    rows = []
    for (dataset, category), some in _groups(scored).items():
        values = np.array([[one.scores.get(name, np.nan) for name in METRICS] for one in some])
        rows.append(_row(dataset, category, some, values, resampling))
    return rows


def compare_runs(
    ours: Sequence[Scored], theirs: Sequence[Scored], resampling: Resampling
) -> list[Row]:
    """Return the means of the differences, ours less theirs, over questions that both answered.

    An interval that does not hold 0 means that one is better on questions like these.
    """
    other = {(one.dataset, one.conversation, one.question.id): one.scores for one in theirs}
    rows = []
    for (dataset, category), some in _groups(ours).items():
        both = [one for one in some if (one.dataset, one.conversation, one.question.id) in other]
        if not both:
            continue
        differences = np.array(
            [
                [one.scores.get(name, np.nan) - their.get(name, np.nan) for name in METRICS]
                for one in both
                for their in [other[one.dataset, one.conversation, one.question.id]]
            ]
        )
        rows.append(_row(dataset, category, both, differences, resampling))
    return rows


def _first(unit: Unit) -> str:
    return unit if isinstance(unit, str) else next(iter(unit), "")


def _groups(scored: Sequence[Scored]) -> dict[tuple[str, str], list[Scored]]:
    """Return the questions of each row: the answerable first, then all, then each category."""
    groups: dict[tuple[str, str], list[Scored]] = {}
    for dataset in dict.fromkeys(one.dataset for one in scored):
        some = [one for one in scored if one.dataset == dataset]
        answerable = [one for one in some if one.question.answerable]
        categories = sorted({one.question.category for one in some} - {""})
        if answerable:
            groups[dataset, ANSWERABLE] = answerable
        if len(answerable) < len(some):
            groups[dataset, ALL] = some
        for category in categories:
            groups[dataset, category] = [one for one in some if one.question.category == category]
    return groups


def _row(
    dataset: str, category: str, some: Sequence[Scored], values: Floats, resampling: Resampling
) -> Row:
    found = estimates(values, resampling.clusters(some), seed=resampling.seed)
    metrics = {
        name: estimate for name, estimate in zip(METRICS, found, strict=True) if estimate.count
    }
    return Row(dataset, category, len(some), metrics)
