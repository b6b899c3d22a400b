"""Eight processes append to one session: nothing lost, doubled, torn or out of order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.crash.contention import Crowd, contend, contend_unlocked
from tools.crash.zygote import Zygote


def test_eight_processes_append_to_one_session(tmp_path: Path, zygote: Zygote) -> None:
    tally = contend(zygote, Crowd(processes=8, batches=100), tmp_path)
    assert tally.sound, tally.examples
    assert tally.operations >= 800


def test_sixteen_processes_never_see_a_locked_database(tmp_path: Path, zygote: Zygote) -> None:
    tally = contend(zygote, Crowd(processes=16, batches=60, reads=0.02), tmp_path)
    assert tally.sound, tally.examples


def test_writing_without_a_lock_is_convicted(tmp_path: Path, zygote: Zygote) -> None:
    """The control: read, change, write back. On a lucky day no two meet: then they go on."""
    for attempt in range(10):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        tally = contend_unlocked(zygote, Crowd(processes=4, batches=100), folder)
        if tally.anomalies["lost"]:
            return
    pytest.fail("four processes without a lock lost nothing in ten rounds")
