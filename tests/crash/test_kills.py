"""Kill -9 at system calls of append, group commit, removal, migration and import.

A sample of the boundaries; `make torture` goes through every one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tools.crash.kills import Case, import_case, kill_everywhere, migrate_case, plan_case
from tools.crash.strace import Target
from tools.crash.zygote import Zygote

CASES: dict[str, tuple[Callable[[Path], Case], int]] = {
    "new": (lambda _: plan_case("append-short", new=True), 13),
    "append": (lambda _: plan_case("append-short"), 3),
    "group": (lambda _: plan_case("group"), 11),
    "remove": (lambda _: plan_case("remove"), 17),
    "migrate": (lambda folder: migrate_case(folder / "old"), 9),
    "import": (lambda _: import_case(messages=30, sessions=3, batch_size=7), 13),
}


@pytest.mark.parametrize("name", CASES)
def test_nothing_acknowledged_is_lost(name: str, tmp_path: Path, tracer: Zygote) -> None:
    make, stride = CASES[name]
    tally = kill_everywhere(tracer, make(tmp_path), tmp_path, stride=stride)
    assert tally.sound, tally.examples
    assert tally.kills >= 10


def test_acknowledging_before_the_commit_is_convicted(tmp_path: Path, tracer: Zygote) -> None:
    """The control: a writer that answers too early."""
    case = plan_case("append-short", early=True)
    tally = kill_everywhere(tracer, case, tmp_path, stride=6, targets=[Target("pwrite64", "-wal")])
    assert tally.anomalies["lost"]
