"""How good one ranking is: recall by place, by words returned, and by session. Pure.

Figures are shares between 0 and 1, defined as by the usual scorers of these data sets:

- R@k: share of the evidence in the first k (LoCoMo's recall@k);
- any@k, all@k: whether some, whether all of it is there (LongMemEval's recall_any, recall_all);
- MRR: one over the place of the first evidence;
- NDCG@k: evidence counts 1, discounted by the logarithm of its place;
- RB@n: share of the evidence when turns are taken in order while their words stay within n;
- session R@k, session any@k: the same for sessions, a session standing where its first turn does.

A unit that is ranked is a turn's id, or several where something returns chunks; k counts units, and
an evidence turn that comes twice counts once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log2

__all__ = [
    "SESSION_METRICS",
    "TURN_METRICS",
    "Unit",
    "as_sessions",
    "recall_curve",
    "session_scores",
    "turn_scores",
]

Unit = str | tuple[str, ...]

_CUTS = (5, 10, 20)
_NDCG = 10
_WORDS = 500
TURN_METRICS = (
    *(f"R@{cut}" for cut in _CUTS),
    *(f"any@{cut}" for cut in _CUTS),
    *(f"all@{cut}" for cut in _CUTS),
    f"NDCG@{_NDCG}",
    "MRR",
    f"RB@{_WORDS}",
)
SESSION_METRICS = ("session R@5", "session R@10", "session any@5", "session any@10")


def turn_scores(
    ranked: Sequence[Unit], evidence: Iterable[str], words: Mapping[str, int]
) -> dict[str, float]:
    """Return `TURN_METRICS` of one ranking.

    Args:
        ranked: Turn ids, or tuples of them, best first.
        evidence: What should be found; at least one.
        words: How many words each turn has; one that is not there has none.
    """
    gold = set(evidence)
    units = _units(ranked)
    places = sorted(_places(units, gold))
    scores = _by_place(places, len(gold))
    gains = sum(1 / log2(place + 1) for place in places if place <= _NDCG)
    scores[f"NDCG@{_NDCG}"] = gains / sum(1 / log2(at + 2) for at in range(min(_NDCG, len(gold))))
    scores["MRR"] = 1 / places[0] if places else 0.0
    scores[f"RB@{_WORDS}"] = _within_words(units, gold, words)
    return scores


def session_scores(
    ranked: Sequence[Unit], evidence: Iterable[str], session_of: Mapping[str, str]
) -> dict[str, float]:
    """Return `SESSION_METRICS` of one ranking of turns, or of sessions.

    Args:
        ranked: Turn or session ids, or tuples of them, best first.
        evidence: Sessions that should be found; at least one.
        session_of: Each turn's session.
    """
    gold = set(evidence)
    places = sorted(_places(_units(as_sessions(ranked, session_of)), gold))
    scores = _by_place(places, len(gold))
    return {name: scores[name.removeprefix("session ")] for name in SESSION_METRICS}


def recall_curve(ranked: Sequence[Unit], evidence: Iterable[str], depth: int) -> list[float]:
    """Return R@1, R@2 … R@depth."""
    gold = set(evidence)
    places = _places(_units(ranked), gold)
    return [sum(place <= cut for place in places) / len(gold) for cut in range(1, depth + 1)]


def as_sessions(ranked: Sequence[Unit], session_of: Mapping[str, str]) -> list[str]:
    """Return the sessions of ranked turns in the order in which each first comes."""
    ids = (one for unit in ranked for one in ((unit,) if isinstance(unit, str) else unit))
    return list(dict.fromkeys(session_of.get(one, one) for one in ids))


def _units(ranked: Sequence[Unit]) -> list[tuple[str, ...]]:
    """Return what is ranked as tuples; one that came before is left out."""
    return list(dict.fromkeys((one,) if isinstance(one, str) else tuple(one) for one in ranked))


def _places(units: Sequence[tuple[str, ...]], gold: set[str]) -> list[int]:
    """Return the place, from 1, at which each piece of evidence first stands."""
    places: dict[str, int] = {}
    for place, unit in enumerate(units, start=1):
        for one in unit:
            if one in gold:
                places.setdefault(one, place)
    return list(places.values())


def _by_place(places: Sequence[int], wanted: int) -> dict[str, float]:
    scores: dict[str, float] = {}
    for cut in _CUTS:
        found = sum(place <= cut for place in places)
        scores[f"R@{cut}"] = found / wanted
        scores[f"any@{cut}"] = float(found > 0)
        scores[f"all@{cut}"] = float(found == wanted)
    return scores


def _within_words(
    units: Sequence[tuple[str, ...]], gold: set[str], words: Mapping[str, int]
) -> float:
    taken: set[str] = set()
    spent = 0
    found = 0
    for unit in units:
        spent += sum(words.get(one, 0) for one in set(unit) - taken)
        if spent > _WORDS:
            break
        taken.update(unit)
        found = len(gold & taken)
    return found / len(gold)
