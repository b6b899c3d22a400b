from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from daybook.model.candidates import Candidates
from daybook.recall.ranking.features import compute_features, standardise
from daybook.recall.ranking.query import AnalysedQuery, microseconds, plan_query
from daybook.recall.search.scope_columns import ScopeColumns
from tests.recall.made_documents import ANALYZER, MAKER, document, vector_of

_NOW = datetime(2024, 6, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


def asked(columns: ScopeColumns, text: str) -> tuple[AnalysedQuery, Candidates]:
    query = plan_query(text, analyzer=ANALYZER, now=_NOW, speaker_names=columns.speakers)
    vector = vector_of(query.subject)
    return query, columns.candidates(query.candidate_query(vector, MAKER))


def features_of(columns: ScopeColumns, text: str) -> dict[str, dict[str, float]]:
    """Return each feature by document key."""
    query, candidates = asked(columns, text)
    features = compute_features(query, candidates)
    keys = candidates.keys.tolist()
    return {
        name: dict(zip(keys, values.tolist(), strict=True)) for name, values in features.items()
    }


def talk(*texts: str, **fields: Any) -> ScopeColumns:
    columns = ScopeColumns()
    columns.add([document(f"k{i}", text, position=i, **fields) for i, text in enumerate(texts)])
    return columns


def unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.float32(np.linalg.norm(vector))
    return np.divide(vector, length, dtype=np.float32)


def test_cosines_of_contexts_equal_those_of_summed_vectors() -> None:
    texts = ["river tea", "stone lamp", "violin snow", "garden bread tea", "lamp"]
    columns = talk(*texts)
    query, candidates = asked(columns, "violin tea garden river")
    features = compute_features(query, candidates)
    rows = [vector_of(text) for text in texts]
    zero = np.zeros_like(rows[0])
    ones = np.ones(len(texts), np.float32)
    pairs, triples = [], []
    for i, row in enumerate(rows):
        before = rows[i - 1] if i else zero
        after = rows[i + 1] if i + 1 < len(rows) else zero
        pairs.append(unit(row + 0.6 * before))
        triples.append(unit(row + 0.4 * before + 0.4 * after))
    wanted = vector_of(query.subject)
    for name, contexts in (("d_prev", pairs), ("d_ctx", triples)):
        expected = standardise(np.array([c @ wanted for c in contexts], np.float32), ones)
        assert features[name].tolist() == pytest.approx(expected.tolist(), abs=1e-3)


def test_neighbours_stop_at_the_session() -> None:
    columns = ScopeColumns()
    columns.add([document("a1", "violin", group="a"), document("b1", "tea", group="b")])
    features = features_of(columns, "violin concert evening")
    for name in ("nb_b1", "nb_b-1", "nb_d1", "nb_d-1"):
        assert features[name] == {"a1": 0, "b1": 0}


def test_neighbours_are_the_turns_before_and_after() -> None:
    features = features_of(talk("snow", "violin", "tea", "lamp", "stone"), "violin playing now")
    own = features["b_raw"]
    assert features["nb_b1"]["k2"] == own["k1"]
    assert features["nb_b2"]["k3"] == own["k1"]
    assert features["nb_b-1"]["k0"] == own["k1"]
    assert features["nb_b-2"]["k0"] == own["k2"]
    assert features["nb_b2"]["k0"] == 0


def test_an_answer_inherits_from_the_question_before_it() -> None:
    columns = talk("Do you play the violin?", "Every evening", "The violin is old", "I see")
    features = features_of(columns, "violin playing habits")
    assert features["prev_qm"] == {"k0": 0, "k1": 1, "k2": 0, "k3": 0}
    assert features["qa_b"]["k1"] == features["b_raw"]["k0"] > 0
    assert features["qa_b"]["k3"] == 0


def test_the_speaker_named_in_the_question() -> None:
    columns = ScopeColumns()
    columns.add(
        [
            document("k0", "tea", position=0, speaker="Ann"),
            document("k1", "tea", position=1, speaker="Bob"),
        ]
    )
    assert features_of(columns, "What does Ann drink")["spk"] == {"k0": 1, "k1": -1}
    assert features_of(columns, "What do Ann and Bob drink")["spk"] == {"k0": 0, "k1": 0}
    assert features_of(columns, "What do people drink")["spk"] == {"k0": 0, "k1": 0}


def test_the_assistant_is_asked_about() -> None:
    columns = ScopeColumns()
    columns.add([document("k0", "tea", position=0), document("k1", "tea", position=1, role=2)])
    assert features_of(columns, "What did you recommend for tea")["asked_asst"]["k1"] == 1
    plain = features_of(columns, "Which tea was green")
    assert plain["asked_asst"] == {"k0": 0, "k1": 0}
    assert plain["asst"] == {"k0": 0, "k1": 1}


def test_words_of_time_and_number_count_where_they_are_asked_for() -> None:
    columns = talk("We left last Friday", "We took three bags")
    when = features_of(columns, "When did the trip begin")
    assert when["when_temp"] == {"k0": 1, "k1": 0}
    assert when["many_num"] == {"k0": 0, "k1": 0}
    assert features_of(columns, "How many bags were there")["many_num"] == {"k0": 0, "k1": 1}


@pytest.mark.parametrize(
    ("days", "closeness"),
    [(0, 1.0), (0.5, 1.0), (1, 1.0), (4.5, 0.375), (8, 0.0), (-1.5, 0.375), (-3, 0.0), (400, 0.0)],
)
def test_a_date_in_the_question_draws_turns_near_it(days: float, closeness: float) -> None:
    said_at = microseconds(datetime(2024, 5, 7, tzinfo=UTC) + days * _DAY)
    columns = talk("tea", created_at=said_at)
    found = features_of(columns, "What happened on 7 May 2024")["date"]["k0"]
    assert found == pytest.approx(closeness, abs=1e-5)


def test_a_turn_without_a_vector_has_no_similarity_of_its_own() -> None:
    columns = ScopeColumns()
    columns.add(
        [
            document("k0", "violin tea", position=0),
            document("k1", "", position=1),
            document("k2", "snow", position=2),
        ]
    )
    features = features_of(columns, "violin tea music")
    assert features["d_raw"]["k1"] < features["d_raw"]["k0"]
    assert all(np.isfinite(list(values.values())).all() for values in features.values())


def test_everything_is_finite_without_words_or_vectors() -> None:
    columns = talk("\U0001f600", "\U0001f389", "")
    for values in features_of(columns, "\U0001f600").values():
        assert np.isfinite(list(values.values())).all()


def test_twice_as_long_counts_the_same_among_short_and_long_turns() -> None:
    short = features_of(talk("tea", "tea " * 3), "violin tea")["ln"]
    among_essays = features_of(talk("tea", "tea " * 3, "stone " * 400), "violin tea")["ln"]
    step = np.log1p(3) - np.log1p(1)
    for lengths in (short, among_essays):
        assert lengths["k1"] - lengths["k0"] == pytest.approx(step, abs=1e-5)
        assert sum(lengths.values()) == pytest.approx(0, abs=1e-5)
