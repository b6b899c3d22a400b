from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from daybook.errors import ConfigError
from daybook.recall.ranking import weights
from daybook.recall.ranking.features import compute_features
from daybook.recall.ranking.query import plan_query
from daybook.recall.ranking.weights import load_weights, weights_for
from daybook.recall.search.scope_columns import ScopeColumns
from tests.recall.made_documents import ANALYZER, document

_NAMES = ["static", "minilm", "lexical"]


@pytest.mark.parametrize("name", _NAMES)
def test_every_weight_has_its_feature(name: str) -> None:
    columns = ScopeColumns()
    columns.add([document("k", "tea")])
    query = plan_query("tea", analyzer=ANALYZER, now=datetime(2024, 1, 1, tzinfo=UTC))
    features = set(compute_features(query, columns.candidates(query.candidate_query(None, ""))))
    loaded = load_weights(name)
    assert set(loaded.first) <= features
    assert set(loaded.final) <= features | {"li"}


@pytest.mark.parametrize("name", _NAMES)
def test_weights_say_where_they_come_from(name: str) -> None:
    loaded = load_weights(name)
    assert loaded.name == name
    assert {"command", "data", "recall_at_10_cross_validated"} <= set(loaded.provenance)


@pytest.mark.parametrize(
    ("embedder", "name"),
    [
        ("static-1-256", "static"),
        ("minilm-l6-v2-384", "minilm"),
        ("mine", "minilm"),
        ("", "lexical"),
    ],
)
def test_a_family_for_every_embedder(embedder: str, name: str) -> None:
    assert weights_for(embedder).name == name


def test_damaged_or_absent_weights_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(weights, "_FOLDER", tmp_path)
    (tmp_path / "odd.json").write_text("{}", encoding="utf-8")
    for name in ("odd", "absent"):
        with pytest.raises(ConfigError, match=name):
            load_weights(name)
