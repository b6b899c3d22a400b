"""Kill -9 at system calls of the file engine: appends, groups, removals, a new folder.

A sample of the boundaries; `make torture` goes through every one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.crash.kills import FOLDER_TARGETS, kill_everywhere, plan_case
from tools.crash.strace import Target
from tools.crash.zygote import Zygote

STRIDES = {"append-short": 3, "group": 9, "remove": 13}


@pytest.mark.parametrize("plan", STRIDES)
def test_nothing_acknowledged_is_lost(plan: str, tmp_path: Path, tracer: Zygote) -> None:
    case = plan_case(plan, store="book.store")
    tally = kill_everywhere(tracer, case, tmp_path, stride=STRIDES[plan], targets=FOLDER_TARGETS)
    assert tally.sound, tally.examples
    assert tally.kills >= 10


def test_a_folder_half_made_is_made_whole(tmp_path: Path, tracer: Zygote) -> None:
    case = plan_case("append-short", new=True, store="book.store")
    tally = kill_everywhere(tracer, case, tmp_path, stride=7, targets=FOLDER_TARGETS)
    assert tally.sound, tally.examples
    assert tally.kills >= 10


def test_acknowledging_before_the_commit_is_convicted(tmp_path: Path, tracer: Zygote) -> None:
    """The control: a writer that answers too early."""
    case = plan_case("append-short", store="book.store", early=True)
    tally = kill_everywhere(tracer, case, tmp_path, targets=[Target("flock")])
    assert tally.anomalies["lost"]
