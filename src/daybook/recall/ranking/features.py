"""The named numbers a ranking is made of, one column of candidates each.

Scores of the two legs are standardised over the scope (mean 0, deviation 1), so that weights
fitted on some conversations hold in others. `Candidates.weight` says how many documents of the
scope each row stands for.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import Candidates
from daybook.model.message import ROLES
from daybook.recall.ranking.query import AnalysedQuery, microseconds
from daybook.recall.search.bm25 import inverse_document_frequency, length_penalty, saturated
from daybook.recall.text.traits import Trait

__all__ = ["compute_features", "standardise"]

_ASSISTANT = ROLES.index("assistant")
_PREVIOUS_SHARE = 0.6
_AROUND_SHARE = 0.4
_DAY = 86_400_000_000
# What happened on a day is told that day or in the next; what was planned, some days before.
_DAYS_AFTER = 7.0
_DAYS_BEFORE = 3.0
# What is just outside is worth less than what is inside, a day or a second beyond.
_BESIDE = 0.75
# Below these, numbers that should be equal differ by rounding only.
_ALIKE = 1e-12
_NO_LENGTH = np.float32(1e-6)

Floats = NDArray[np.float32]
Rows = NDArray[np.int32]
Scalar = TypeVar("Scalar", bound=np.generic)
Features = dict[str, Floats]


def compute_features(query: AnalysedQuery, candidates: Candidates) -> Features:
    """Return every feature but late interaction, each of shape (m,).

    Cost: about 0.5 ms for 1,000 rows and 8 terms.
    """
    previous, following = candidates.previous, candidates.following
    features = _lexical(query, candidates)
    features |= _dense(candidates)
    for name, leg in (("nb_b", features["b_raw"]), ("nb_d", features["d_raw"])):
        features |= _neighbours(name, leg, previous, following)
    features |= _people(query, candidates)
    features |= _turn(query, candidates)
    # An answer often shares no word with the question it answers, here or in the conversation.
    features["qa_b"] = features["prev_qm"] * features["nb_b1"]
    features["qa_d"] = features["prev_qm"] * features["nb_d1"]
    features["date"] = _date(query, candidates.created_at)
    return features


def standardise(values: Floats, weight: Floats) -> Floats:
    """Return values with mean 0 and deviation 1 under `weight`; zeros where all are alike."""
    total = float(weight.sum())
    if total == 0:
        return np.zeros_like(values)
    mean = float(np.vdot(weight, values)) / total
    centred = values - np.float32(mean)
    variance = float(np.vdot(weight, centred * centred)) / total
    if variance < _ALIKE:
        return np.zeros_like(values)
    return centred * np.float32(variance**-0.5)


def _at(values: Floats, rows: Rows) -> Floats:
    """Return the values at `rows`, 0 where a row is -1."""
    return _padded(values, 0)[rows]


def _padded(values: NDArray[Scalar], last: float) -> NDArray[Scalar]:
    """Return values with one more at the end, which row -1 then finds (`numpy.append`, faster)."""
    padded = np.empty(len(values) + 1, values.dtype)
    padded[:-1] = values
    padded[-1] = last
    return padded


def _lexical(query: AnalysedQuery, candidates: Candidates) -> Features:
    """BM25 of the turn, of it with the one before, of three turns, of the best of its session.

    `b_name` is BM25 of what `full_terms` has beyond `terms` (names above all), `cov` the
    idf-weighted share of the query's stems that the turn holds.
    """
    counts, weight = candidates.term_counts, candidates.weight
    subject = len(query.terms)
    idf = inverse_document_frequency(candidates.document_frequency, candidates.document_count)
    mean, lengths = candidates.mean_length, candidates.lengths
    previous, following = candidates.previous, candidates.following
    own = idf[:, None] * saturated(counts, length_penalty(lengths, mean))
    padded = np.concatenate([counts[:subject], np.zeros((subject, 1), np.float32)], axis=1)
    pair = counts[:subject] + padded[:, previous]
    pair_lengths = lengths + _at(lengths, previous)
    triple = pair + padded[:, following]
    triple_lengths = pair_lengths + _at(lengths, following)
    legs = {
        "b_raw": own[:subject].sum(axis=0),
        "b_name": own[subject:].sum(axis=0),
        "b_prev": idf[:subject] @ saturated(pair, length_penalty(pair_lengths, 2 * mean)),
        "b_ctx": idf[:subject] @ saturated(triple, length_penalty(triple_lengths, 3 * mean)),
        "b_ses3": candidates.session_lexical,
    }
    features = {name: standardise(leg, weight) for name, leg in legs.items()}
    features["cov"] = _share(idf[:subject], counts[:subject] > 0)
    return features


def _share(worth: Floats, held: NDArray[np.bool_]) -> Floats:
    total = float(worth.sum())
    if total == 0:
        return np.zeros(held.shape[1], np.float32)
    return (worth / np.float32(total)) @ held.astype(np.float32)


def _dense(candidates: Candidates) -> Features:
    """Cosines of the turn, of it with the one before, of three turns, without further vectors.

    The vector of a context is a weighted sum of turn vectors, so its product with the query is
    the same sum of products, and its length follows from the stored dot products.
    """
    similarity, weight = candidates.similarity, candidates.weight
    present = candidates.has_vector.astype(np.float32)
    previous, following = candidates.previous, candidates.following
    before, after = _at(similarity, previous), _at(similarity, following)
    has_before, has_after = _at(present, previous), _at(present, following)
    dot_before = candidates.previous_dot * has_before
    dot_after = _at(candidates.previous_dot, following) * has_after
    skip = candidates.skip_dot * has_before * has_after
    one, two = np.float32(_PREVIOUS_SHARE), np.float32(_AROUND_SHARE)
    pair = similarity + one * before
    pair_square = present + one * one * has_before + 2 * one * dot_before
    triple = similarity + two * (before + after)
    triple_square = (
        present
        + two * two * (has_before + has_after + 2 * skip)
        + 2 * two * (dot_before + dot_after)
    )
    return {
        "d_raw": standardise(similarity, weight),
        "d_prev": standardise(_divided(pair, pair_square), weight),
        "d_ctx": standardise(_divided(triple, triple_square), weight),
        "d_ses3": standardise(candidates.session_similarity, weight),
    }


def _divided(dots: Floats, squares: NDArray[np.floating]) -> Floats:
    """Return dots over lengths; a context without any vector has similarity 0."""
    lengths = np.sqrt(np.where(squares > _NO_LENGTH, squares, np.float32(1)))
    return (dots / lengths).astype(np.float32, copy=False)


def _neighbours(name: str, leg: Floats, previous: Rows, following: Rows) -> Features:
    """The leg of the turns one and two before (1, 2) and after (-1, -2) in the session."""
    earlier = _padded(previous, -1)[previous]
    later = _padded(following, -1)[following]
    return {
        f"{name}1": _at(leg, previous),
        f"{name}2": _at(leg, earlier),
        f"{name}-1": _at(leg, following),
        f"{name}-2": _at(leg, later),
    }


def _people(query: AnalysedQuery, candidates: Candidates) -> Features:
    """Who speaks: the person the question names, the assistant, the one before."""
    assistant = (candidates.roles == _ASSISTANT).astype(np.float32)
    named = np.zeros(len(candidates.roles), np.float32)
    if len(query.speakers) == 1:
        number = list(candidates.speaker_names).index(query.speakers[0])
        named = np.where(candidates.speakers == number, np.float32(1), np.float32(-1))
    return {
        "spk": named,
        "asst": assistant,
        "prev_asst": _at(assistant, candidates.previous),
        "asked_asst": np.float32(query.asks_assistant) * assistant,
    }


def _turn(query: AnalysedQuery, candidates: Candidates) -> Features:
    """What kind of turn it is, and whether that is the kind asked for."""
    traits = candidates.traits
    question = _has(traits, Trait.QUESTION)
    lengths = np.log1p(candidates.lengths)
    return {
        "qm": question,
        "prev_qm": _at(question, candidates.previous),
        "when_temp": np.float32(query.asks_when) * _has(traits, Trait.TIME_WORD),
        "many_num": np.float32(query.asks_how_many) * _has(traits, Trait.NUMBER),
        "lnz": standardise(lengths, candidates.weight),
        # Not divided: twice as long means the same in chats of one-liners and of essays.
        "ln": lengths - np.float32(_mean(lengths, candidates.weight)),
    }


def _mean(values: Floats, weight: Floats) -> float:
    return float(np.vdot(weight, values)) / max(float(weight.sum()), 1.0)


def _has(traits: NDArray[np.int32], trait: Trait) -> Floats:
    held: Floats = ((traits & int(trait)) != 0).astype(np.float32)
    return held


def _date(query: AnalysedQuery, created_at: NDArray[np.int64]) -> Floats:
    """1 for a turn said within a span the question names, less some days outside, then 0."""
    closeness = np.zeros(len(created_at), np.float32)
    for window in query.windows:
        early = (microseconds(window.since) - created_at) / _DAY
        late = (created_at - microseconds(window.until)) / _DAY
        outside = np.maximum(np.maximum(early / _DAYS_BEFORE, late / _DAYS_AFTER), 0)
        near = np.where(outside > 0, _BESIDE * np.maximum(1 - outside, 0), 1).astype(np.float32)
        near *= np.float32(window.share)
        closeness = np.maximum(closeness, near)
    return closeness
