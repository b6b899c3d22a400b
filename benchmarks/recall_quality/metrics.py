"""How good one ranking is: recall by place, by words returned and by session; spread over many.

The figures are those of the usual scorers of these data sets, so they can be compared with theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall_quality.conversations import Conversation, Question

__all__ = ["METRICS", "TurnFacts", "interval", "score"]

METRICS = ("R@5", "R@10", "R@20", "RB@500", "session R@10")
_CUTS = (5, 10, 20)
_WORDS = 500
_SESSIONS = 10
_DRAWS = 2_000
_SEED = 6

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What scoring has to know of a conversation's turns: their words and their session."""

    words: Mapping[str, int]
    sessions: Mapping[str, str]

    @classmethod
    def of(cls, conversation: Conversation) -> TurnFacts:
        """Return those of a conversation; the name of who speaks counts as one word."""
        return cls(
            words={turn.id: len(turn.text.split()) + 1 for turn in conversation.turns},
            sessions={turn.id: turn.session for turn in conversation.turns},
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
    gold = set(question.evidence)
    shares = [_share(gold, ranked[:cut]) for cut in _CUTS]
    taken = np.cumsum([facts.words[turn] for turn in ranked])
    shares.append(_share(gold, ranked[: int(np.searchsorted(taken, _WORDS, side="right"))]))
    sessions = list(dict.fromkeys(facts.sessions[turn] for turn in ranked))
    shares.append(_share({facts.sessions[turn] for turn in gold}, sessions[:_SESSIONS]))
    return np.array(shares)


def _share(gold: set[str], found: Sequence[str]) -> float:
    return len(gold.intersection(found)) / len(gold)


def interval(values: Floats) -> tuple[Floats, Floats]:
    """Return the ends of the 95 % interval of each column's mean, by bootstrap over rows.

    Give it differences of two rankings of the same questions for a paired comparison.

    Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentiles).
    """
    generator = np.random.default_rng(_SEED)
    count = len(values)
    means = np.empty((_DRAWS, values.shape[1]))
    for draw in means:
        draw[:] = values[generator.integers(0, count, count)].mean(axis=0)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return low, high
