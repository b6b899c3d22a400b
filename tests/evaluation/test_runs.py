"""Systems asked, scored, compared, written and read back."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from math import isnan, nan
from pathlib import Path
from random import Random
from typing import Any

import pytest

from daybook.demo.example_files import write_example
from daybook.errors import ConfigError, InvalidInputError
from daybook.evaluation.conversations import Conversation, Question
from daybook.evaluation.daybook_system import DaybookSystem
from daybook.evaluation.load import load_conversations
from daybook.evaluation.metrics import Unit
from daybook.evaluation.report import make_report
from daybook.evaluation.run_files import read_run, write_run
from daybook.evaluation.runs import Answer, Ask, Run, put_questions
from daybook.evaluation.scoring import (
    ALL,
    ANSWERABLE,
    Resampling,
    Row,
    compare_runs,
    score_run,
    summarise,
)
from tests.evaluation.data_sets import LOCOMO, LONGMEMEVAL, write_json, write_lines

PLAIN = Resampling()


@pytest.fixture
def talks(tmp_path: Path) -> list[Conversation]:
    """Return the bundled conversations, one for each of three users, with six questions."""
    write_example(tmp_path / "talks")
    return load_conversations([tmp_path / "talks"])


@pytest.fixture
def locomo(tmp_path: Path) -> list[Conversation]:
    return load_conversations([write_json(tmp_path / "locomo10.json", LOCOMO)])


class Fixed:
    """A system that ranks turns by a rule."""

    def __init__(self, name: str) -> None:
        self.name = name

    @asynccontextmanager
    async def opened(self, conversation: Conversation) -> AsyncIterator[Ask]:
        async def ask(question: Question) -> Sequence[Unit]:
            turns = [turn.id for turn in conversation.turns]
            if self.name == "perfect":
                return sorted(turns, key=lambda turn: turn not in question.evidence)
            Random(question.id).shuffle(turns)  # noqa: S311 - no secret
            return turns

        yield ask


def headline(rows: Sequence[Row]) -> Row:
    return next(row for row in rows if row.category == ANSWERABLE)


async def test_daybook_finds_what_chance_does_not(talks: list[Conversation]) -> None:
    """The control: a shuffled ranking scores lower, and the comparison says so."""
    progress: list[tuple[int, int]] = []
    ours = await put_questions(
        DaybookSystem("static"),
        talks,
        on_progress=lambda done, total: progress.append((done, total)),
    )
    shuffled = await put_questions(Fixed("shuffled"), talks)
    perfect = await put_questions(Fixed("perfect"), talks)
    assert progress[-1] == (6, 6)
    assert ours.turns == sum(len(one.turns) for one in talks)
    scores = {run.name: score_run(talks, run) for run in (ours, shuffled, perfect)}
    means = {
        name: headline(summarise(scored, PLAIN)).metrics["R@10"].value
        for name, scored in scores.items()
    }
    assert means["shuffled"] < 0.5 < means["static"] < means["perfect"] == 1.0
    better = headline(compare_runs(scores["static"], scores["shuffled"], PLAIN)).metrics["R@10"]
    assert better.low > 0
    same = headline(compare_runs(scores["static"], scores["static"], PLAIN)).metrics
    assert {(one.value, one.low, one.high) for one in same.values()} == {(0.0, 0.0, 0.0)}


@pytest.mark.parametrize(("embedder", "store"), [("none", "inmemory"), ("hash", "sqlite")])
async def test_embedders_and_stores(talks: list[Conversation], embedder: str, store: str) -> None:
    run = await put_questions(DaybookSystem(embedder, store=store, limit=5), talks[:1])
    assert run.name == embedder
    assert {len(answer.ranked) for answer in run.answers.values()} == {5}
    assert all(answer.seconds > 0 for answer in run.answers.values())


async def test_a_question_is_asked_when_it_was_asked(tmp_path: Path) -> None:
    """«Last month» is another month when it is asked in May than in August."""
    lines: list[Any] = [
        {"session": f"{month}", "id": f"{month}", "text": "We went to the sea and swam.",
         "at": f"2024-{month}-10T10:00:00Z"}
        for month in ("04", "05", "06", "07")
    ]  # fmt: skip
    asked = {"question": "Where did we swim last month?", "evidence": ["04"]}
    lines += [
        asked | {"asked_at": "2024-05-20T10:00:00Z", "id": "may"},
        asked | {"asked_at": "2024-08-20T10:00:00Z", "id": "august"},
        asked | {"id": "in the end"},
    ]
    talks = load_conversations([write_lines(tmp_path / "all.jsonl", lines)])
    run = await put_questions(DaybookSystem("hash"), talks)
    best = {question: answer.ranked[0] for (_, question), answer in run.answers.items()}
    assert best == {"may": "04", "august": "07", "in the end": "06"}


def test_a_wrong_store_is_refused() -> None:
    with pytest.raises(ConfigError, match="inmemory, sqlite"):
        DaybookSystem("none", store="paper")


def run_of(conversations: Sequence[Conversation], ranked: Sequence[Unit], name: str = "r") -> Run:
    return Run(
        name,
        {
            (one.id, question.id): Answer(tuple(ranked), 0.25)
            for one in conversations
            for question in one.questions
        },
        10,
        2.0,
    )


def test_rows_by_category_and_what_has_no_answer_apart(locomo: list[Conversation]) -> None:
    rows = summarise(score_run(locomo, run_of(locomo, ["D1:1", "D2:1"])), PLAIN)
    found = {row.category: (row.questions, row.metrics["R@5"].value) for row in rows}
    assert found == {
        ANSWERABLE: (2, 0.75),
        ALL: (3, 0.5),
        "adversarial": (1, 0.0),
        "multi-hop": (1, 0.5),
        "single-hop": (1, 1.0),
    }
    assert rows[0].metrics["session R@10"].value == 0.75


def test_a_report_tells_how_much_and_how_fast(locomo: list[Conversation]) -> None:
    runs = [run_of(locomo, ["D1:1"], "one"), run_of(locomo, ["D2:1"], "two")]
    report = make_report(locomo, runs, Resampling("conversations", 5))
    (data,) = report.data
    assert (data.conversations, data.turns, data.questions, data.without_evidence) == (1, 4, 4, 1)
    assert report.runs[0].query_p50_ms == 250.0
    assert report.runs[0].turns_per_s == 5.0
    assert report.runs[0].differences == []
    assert headline(report.runs[1].differences).metrics["R@5"].value == pytest.approx(0.25)


def test_a_run_of_sessions_has_session_figures_only(locomo: list[Conversation]) -> None:
    (row, *_) = summarise(score_run(locomo, run_of(locomo, ["S1", "S10"])), PLAIN)
    assert row.metrics["session R@5"].value == 0.75
    assert "R@5" not in row.metrics


def test_a_run_file_is_read_back(talks: list[Conversation]) -> None:
    ranked: list[Unit] = ["mara-01-new-flat-01", ("mara-02-viewing-05", "mara-02-viewing-06")]
    run = run_of(talks, ranked)
    file = io.StringIO()
    write_run(file, talks, run)
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert lines[0]["ranks"] == [None, 2, 2]
    assert "Kasteellaan" not in file.getvalue(), "no text unless it is asked for"


def test_reading_gives_what_was_written(talks: list[Conversation], tmp_path: Path) -> None:
    run = run_of(talks, ["mara-01-new-flat-01", ("mara-02-viewing-05", "mara-02-viewing-06")])
    path = tmp_path / "mine.jsonl"
    with path.open("w") as file:
        write_run(file, talks, run, with_text=True)
    read = read_run(path, talks)
    assert read.answers == run.answers
    assert read.name == "mine"
    assert isnan(read.ingest_s)
    first = json.loads(path.read_text().splitlines()[0])
    assert first["question"].startswith("Why did I")
    assert first["found"][0].startswith("Hi! I have to be out")


def test_the_shortest_run_file_will_do(locomo: list[Conversation], tmp_path: Path) -> None:
    lines = [{"question_id": "conv-1_q0", "ranked": ["D1:1"]}, {"question_id": "x", "ranked": []}]
    run = read_run(write_lines(tmp_path / "a.jsonl", lines), locomo, name="theirs")
    assert list(run.answers) == [("conv-1", "conv-1_q0")]
    assert isnan(run.answers["conv-1", "conv-1_q0"].seconds)
    report = make_report(locomo, [run], PLAIN)
    assert report.runs[0].query_p50_ms is report.runs[0].turns_per_s is None


def test_mempalace_on_longmemeval_is_read(tmp_path: Path) -> None:
    """Its turns are numbered among the user's of a session, from 0."""
    talks = load_conversations([write_json(tmp_path / "longmemeval_s.json", LONGMEMEVAL)])
    items = [{"corpus_id": one, "text": "…"} for one in ("s-a_turn_1", "s-b_turn_0", "s-a_turn_0")]
    line = {"question_id": "q-77", "retrieval_results": {"query": "…", "ranked_items": items}}
    run = read_run(write_lines(tmp_path / "turns.jsonl", [line]), talks)
    assert run.answers["q-77", "q-77"].ranked == ("s-a:3", "s-b:1", "s-a:1")
    line["retrieval_results"] = {"ranked_items": [{"corpus_id": "s-b"}, {"corpus_id": "s-a"}]}
    run = read_run(write_lines(tmp_path / "sessions.jsonl", [line]), talks)
    (scored,) = score_run(talks, run)
    assert scored.scores["session any@5"] == 1.0
    assert "R@5" not in scored.scores


def test_mempalace_on_locomo_is_read(locomo: list[Conversation], tmp_path: Path) -> None:
    """It has no question ids, and calls sessions otherwise."""
    values = [
        {"sample_id": "conv-1", "question": "Which dog does Ann have?", "retrieved_ids": ["D1:1"]},
        {"sample_id": "conv-1", "question": "What did they do?", "retrieved_ids": ["session_10"]},
        {"sample_id": "conv-9", "question": "Another?", "retrieved_ids": []},
    ]
    run = read_run(write_json(tmp_path / "results_locomo.json", values), locomo)
    assert {key[1]: answer.ranked for key, answer in run.answers.items()} == {
        "conv-1_q0": ("D1:1",),
        "conv-1_q1": ("S10",),
    }


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([{"question_id": "conv-1_q0"}], "line 1: ranked must be a list of ids"),
        ([{"question_id": "conv-1_q0", "ranked": [1]}], "line 1: ranked must be a list of ids"),
        ([{"ranked": ["D1:1"]}], "line 1: question_id must be text"),
        ([{"question_id": "other", "ranked": []}], "it answers none of these questions"),
        ([{"question_id": "conv-1_q0", "ranked": []}, 5], "line 2: must be an object"),
    ],
)
def test_what_is_no_run_file_is_refused(
    locomo: list[Conversation], tmp_path: Path, lines: list[Any], says: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read_run(write_lines(tmp_path / "a.jsonl", lines), locomo)
    assert says in str(caught.value)


def test_questions_that_one_run_lacks_are_not_compared(locomo: list[Conversation]) -> None:
    whole = run_of(locomo, ["D1:1"])
    part = replace(whole, answers=dict([next(iter(whole.answers.items()))]))
    (row, *_) = compare_runs(score_run(locomo, whole), score_run(locomo, part), PLAIN)
    assert row.questions == 1
    assert not compare_runs(
        score_run(locomo, whole), score_run(locomo, replace(whole, answers={})), PLAIN
    )


def test_times_that_are_not_known_are_written_as_null(locomo: list[Conversation]) -> None:
    file = io.StringIO()
    key = (locomo[0].id, locomo[0].questions[0].id)
    write_run(file, locomo, Run("r", {key: Answer(("D1:1",), nan)}, 0, nan))
    (line,) = file.getvalue().splitlines()
    assert json.loads(line)["seconds"] is None
