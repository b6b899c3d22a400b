from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Daybook


@pytest.fixture
def talks(daybook: Daybook, folder: Path) -> Path:
    result = daybook("bench", "example", "talks")
    assert result.exit_code == 0, result.output
    return folder / "talks"


def test_the_example_is_measured(daybook: Daybook, talks: Path, folder: Path) -> None:
    result = daybook("bench", "recall", "talks", "--out", "run.jsonl", "--plot", "run.svg")
    assert result.exit_code == 0, result.output
    first, *lines = result.stdout.splitlines()
    assert first == "own: 3 conversations, 203 messages, 6 questions"
    assert "hash, in percent" in lines
    (row,) = [line for line in lines if line.strip().startswith("(answerable)")]
    assert row.split()[1] == "6"
    assert any("a question takes" in line and "messages/s" in line for line in lines)
    assert lines[-1] == "[…]: 95 % intervals, 2,000 resamples of questions, seed 1"
    assert (folder / "run.svg").read_text().startswith("<svg")
    ranked = [json.loads(line) for line in (folder / "run.jsonl").read_text().splitlines()]
    assert len(ranked) == 6
    assert max(map(len, result.stdout.splitlines())) <= 110
    assert sorted(path.name for path in folder.iterdir()) == ["run.jsonl", "run.svg", "talks"]
    assert talks.is_dir()


def test_a_run_is_compared_with_another_embedder_and_with_itself(
    daybook: Daybook, talks: Path
) -> None:
    assert daybook("bench", "recall", str(talks), "--out", "before.jsonl").exit_code == 0
    arguments = ["--against", "none", "--against", "before.jsonl", "--resample", "conversations"]
    result = daybook("--json", "bench", "recall", str(talks), *arguments, "--seed", "3")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["intervals"] == {"resamples": 2000, "of": "conversations", "seed": 3}
    hash_, none, before = found["runs"]
    assert [run["name"] for run in found["runs"]] == ["hash", "none", "before"]
    assert hash_["first_less_this"] == []
    assert none["first_less_this"][0]["metrics"]["R@10"]["value"] != 0
    same = before["first_less_this"][0]["metrics"]
    assert {tuple(one.values()) for one in same.values()} == {(0.0, 0.0, 0.0, 6)}
    assert before["messages_per_s"] is None


def test_a_sample_is_measured(daybook: Daybook, talks: Path) -> None:
    result = daybook("bench", "recall", str(talks), "--sample", "2", "--store", "sqlite")
    assert result.exit_code == 0, result.output
    assert " 2 questions" in result.stdout.splitlines()[0]


def test_text_is_written_only_where_it_is_asked_for(
    daybook: Daybook, talks: Path, folder: Path
) -> None:
    assert daybook("bench", "recall", str(talks), "--out", "a.jsonl").exit_code == 0
    assert daybook("bench", "recall", str(talks), "--out", "b.jsonl", "--with-text").exit_code == 0
    assert "painkiller" not in (folder / "a.jsonl").read_text()
    assert "painkiller" in (folder / "b.jsonl").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["absent.jsonl"], "daybook: absent.jsonl: there is no such file"),
        (["talks", "--against", "gone.jsonl"], "daybook: gone.jsonl: there is no such file"),
        (["talks", "--against", "paper"], "daybook: "),
        (["talks", "--against", "hash"], "daybook: --against hash: there is a run of that name"),
        (["talks", "--plot", "a.gif"], "daybook: a.gif: a plot's name must end in .svg or .png"),
        (["talks", "--out", "no/a.jsonl"], "daybook: the folder of no/a.jsonl does not exist"),
        (["talks", "--format", "locomo"], "daybook: talks: there is no conversation in it"),
        (["broken.jsonl"], "daybook: broken.jsonl: line 2: not valid JSON"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    daybook: Daybook, talks: Path, folder: Path, arguments: list[str], says: str
) -> None:
    (folder / "broken.jsonl").write_text('{"text": "a"}\n{"text": "b\n')
    result = daybook("bench", "recall", *arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert says in result.stderr
    assert result.stderr.count("\n") == 1
    assert talks.is_dir()


@pytest.mark.parametrize(
    "arguments",
    [[], ["talks", "--url", "sqlite:///a.db"], ["talks", "--sample", "0"]],
    ids=" ".join,
)
def test_wrong_use(daybook: Daybook, talks: Path, arguments: list[str]) -> None:
    result = daybook("bench", "recall", *arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
    assert talks.is_dir()


def test_an_example_is_not_written_over_what_is_there(daybook: Daybook, talks: Path) -> None:
    result = daybook("bench", "example", str(talks))
    assert result.exit_code == 1
    assert "is there already" in result.stderr
