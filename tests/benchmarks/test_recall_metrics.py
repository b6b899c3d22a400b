"""The figures that recall is judged by: right on rankings whose figures are known by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recall_quality.conversations import Conversation, Question, Turn
from benchmarks.recall_quality.metrics import METRICS, TurnFacts, interval, score
from benchmarks.recall_quality.report import read_run, table, write_run

_SAID = datetime(2026, 1, 1, tzinfo=UTC)
# Twelve sessions of two turns; each turn has 99 words and, as its speaker's name counts, takes 100.
_TURNS = [
    Turn(f"t{i}", f"s{i // 2}", "Ada", "user", " ".join(["word"] * 99), _SAID) for i in range(24)
]
_QUESTION = Question("q0", "Who?", "single-hop", ("t3", "t22"))
_TALK = Conversation("talk", "made", _TURNS, [_QUESTION])
_IN_ORDER = [turn.id for turn in _TURNS]


def scored(ranked: list[str], question: Question = _QUESTION) -> dict[str, float]:
    """Return the metrics of a ranking by name."""
    return dict(zip(METRICS, score(question, ranked, TurnFacts.of(_TALK)).tolist(), strict=True))


def test_the_share_found_is_counted_by_place_by_words_and_by_session() -> None:
    assert scored(_IN_ORDER) == {
        "R@5": 0.5,
        "R@10": 0.5,
        "R@20": 0.5,
        "RB@500": 0.5,
        "session R@10": 0.5,
    }


def test_words_end_before_the_turn_that_exceeds_them() -> None:
    fifth = ["t0", "t1", "t4", "t5", "t3"]
    sixth = ["t0", "t1", "t4", "t5", "t6", "t3"]
    assert scored(fifth)["RB@500"] == 0.5
    assert scored(sixth)["RB@500"] == 0.0
    assert scored(sixth)["R@10"] == 0.5


def test_a_session_is_found_by_any_of_its_turns() -> None:
    neighbours = scored(["t2", "t23"])
    assert neighbours["R@10"] == 0.0
    assert neighbours["session R@10"] == 1.0


def test_an_interval_holds_the_mean_and_narrows_with_more_questions() -> None:
    few = np.array([[0.0], [1.0]] * 8)
    many = np.array([[0.0], [1.0]] * 800)
    spans = []
    for values in (few, many):
        low, high = interval(values)
        assert low[0] < 0.5 < high[0]
        spans.append(high[0] - low[0])
    assert spans[1] < spans[0] / 5


def test_the_table_has_a_row_for_each_category_and_the_difference_to_another_run(
    tmp_path: Path,
) -> None:
    trick = replace(_QUESTION, id="q1", category="adversarial")
    results = [(_TALK, _QUESTION, ["t3", "t22"]), (_TALK, trick, ["t0"])]
    write_run(tmp_path / "run.jsonl", [(_TALK, _QUESTION, ["t3"]), (_TALK, trick, ["t0"])])
    lines = list(table(results, read_run(tmp_path / "run.jsonl")))
    rows = {line[:34].strip(): line[34:] for line in lines[1::2]}
    assert set(rows) == {
        "made (all)",
        "made (answerable)",
        "made adversarial",
        "made single-hop",
    }
    assert "100.0 [100.0, 100.0]" in rows["made (answerable)"]
    assert "50.0 [0.0, 100.0]" in rows["made (all)"]
    after = lines[lines.index(next(line for line in lines if "(answerable)" in line)) + 1]
    assert "+50.0 [50.0, 50.0]" in after


def test_a_run_without_a_question_counts_as_having_found_nothing() -> None:
    lines = list(table([(_TALK, _QUESTION, ["t3", "t22"])], {}))
    assert "+100.0 [100.0, 100.0]" in lines[2]


def test_a_turn_of_another_conversation_is_refused() -> None:
    with pytest.raises(KeyError, match="elsewhere"):
        scored(["elsewhere"])


def test_run_files_are_what_the_usual_scorers_read(tmp_path: Path) -> None:
    write_run(tmp_path / "run.jsonl", [(_TALK, _QUESTION, ["t3"])])
    line = json.loads((tmp_path / "run.jsonl").read_text(encoding="utf-8"))
    assert line == {"question_id": "q0", "conv_id": "talk", "ranked": ["t3"]}
