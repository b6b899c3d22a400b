"""Every boundary: kills, power loss, failing calls. `make torture` runs these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torture.conftest import Judged
from tools.crash.call_faults import FAULTS, Fault, fail_everywhere
from tools.crash.kills import Case, import_case, kill_everywhere, migrate_case, plan_case
from tools.crash.power_loss import Images, lose_power
from tools.crash.strace import Target
from tools.crash.zygote import Zygote

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]

CASES: dict[str, Callable[[Path], Case]] = {
    "new": lambda _: plan_case("append-short", new=True),
    "append": lambda _: plan_case("append"),
    "group": lambda _: plan_case("group"),
    "remove": lambda _: plan_case("remove"),
    "migrate": lambda folder: migrate_case(folder / "old"),
    "import": lambda _: import_case(messages=60, sessions=4, batch_size=13),
}
RUNS = {
    "mixed": Images(draws=2),
    "mixed-short": Images(draws=4, seed=1),
    "group": Images(draws=3),
    "remove": Images(draws=3),
    "large": Images(stride=41),
}


@pytest.mark.parametrize("name", CASES)
def test_kills_at_every_boundary(name: str, tmp_path: Path, tracer: Zygote, judged: Judged) -> None:
    judged(kill_everywhere(tracer, CASES[name](tmp_path), tmp_path))


def test_acknowledging_early_is_convicted(tmp_path: Path, tracer: Zygote, judged: Judged) -> None:
    case = plan_case("append", early=True)
    targets = [Target("pwrite64", "-wal")]
    tally = kill_everywhere(tracer, case, tmp_path, stride=5, targets=targets)
    tally.check = "kill: acknowledged before the commit"
    judged(tally)


@pytest.mark.parametrize("plan", RUNS)
def test_power_loss_at_every_operation(
    plan: str, quick_folder: Path, tracer: Zygote, judged: Judged
) -> None:
    judged(lose_power(tracer, plan, quick_folder, RUNS[plan]))


def test_power_loss_without_syncs_is_convicted(
    quick_folder: Path, tracer: Zygote, judged: Judged
) -> None:
    judged(lose_power(tracer, "mixed", quick_folder, Images(), synchronous="normal"))


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_every_call_fails(
    fault: Fault, lasting: bool, tmp_path: Path, tracer: Zygote, judged: Judged
) -> None:
    judged(fail_everywhere(tracer, "group", tmp_path, fault, lasting=lasting))


def test_taking_refusals_for_receipts_is_convicted(
    tmp_path: Path, tracer: Zygote, judged: Judged
) -> None:
    tally = fail_everywhere(
        tracer, "append-short", tmp_path, FAULTS[0], lasting=True, stride=7, careless=True
    )
    tally.check = "ENOSPC, acknowledged all the same"
    judged(tally)
