"""How good one ranking is: recall by place, by words returned and by session; spread over many.

The figures are those of the usual scorers of these data sets, so they can be compared with theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.recall_quality.conversations import Conversation, Question
from daybook.evaluation.bootstrap import Floats, estimates
from daybook.evaluation.metrics import session_scores, turn_scores

__all__ = ["METRICS", "TurnFacts", "interval", "score"]

METRICS = ("R@5", "R@10", "R@20", "RB@500", "session R@10")
_SEED = 6


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What scoring has to know of a conversation's turns: their words and their session."""

    words: Mapping[str, int]
    sessions: Mapping[str, str]

    @classmethod
    def of(cls, conversation: Conversation) -> TurnFacts:
        """Return those of a conversation; the name of who speaks counts as one word."""
        return cls(
            words=conversation.words(),
            sessions=conversation.sessions(),
        )


def score(question: Question, ranked: Sequence[str], facts: TurnFacts) -> Floats:
    """Return one share between 0 and 1 for each of `METRICS`.

    R@k is the share of the question's evidence in the first k turns, RB@500 that in the turns that
    come before 500 words are exceeded, session R@10 the share of the evidence's sessions among the
    first ten sessions, in the order in which a turn of theirs first comes.

    Args:
        question: One with evidence.
        ranked: Turn ids, best first, no id twice.
        facts: Those of its conversation.
    """
    for turn in ranked:
        facts.words[turn]  # a turn of another conversation is a mistake of the caller
    sessions = {facts.sessions[turn] for turn in question.evidence}
    found = turn_scores(ranked, question.evidence, facts.words)
    found |= session_scores(ranked, sessions, facts.sessions)
    return np.array([found[name] for name in METRICS])


def interval(values: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the 95 % interval of each column's mean, by bootstrap over rows.

    Give it differences of two rankings of the same questions for a paired comparison.

    Source: `daybook.evaluation.bootstrap`.
    """
    found = estimates(values, seed=_SEED)
    return np.array([one.low for one in found]), np.array([one.high for one in found])
