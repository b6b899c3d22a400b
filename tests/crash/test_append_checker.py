"""The append checker lets sound histories pass and convicts every bug it claims to see."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tools.crash.append_checker import Append, History, Read, check, load, write_line
from tools.crash.buggy_histories import BUGS, sound_history

SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sound_history_passes(seed: int) -> None:
    assert check(sound_history(seed)) == []


@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_is_convicted_under_every_seed(bug: str) -> None:
    spoil, kinds = BUGS[bug]
    for seed in SEEDS:
        history = sound_history(seed)
        spoil(history, random.Random(seed))  # noqa: S311 - reproducible on purpose
        assert kinds & {anomaly.kind for anomaly in check(history)}, seed


def test_a_history_survives_its_file(tmp_path: Path) -> None:
    history = sound_history(1)
    calls: list[Append | Read] = [*history.appends, *history.reads]
    (tmp_path / "a.jsonl").write_bytes(b"".join(write_line(call) for call in calls))
    loaded = load([tmp_path / "a.jsonl"])
    assert loaded == History(history.appends, history.reads)


def test_an_empty_history_passes() -> None:
    assert check(History()) == []
