"""The file engine at every boundary: kills and power loss. `make torture` runs these."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.conftest import Judged
from tools.crash.folder_power_loss import lose_folder_power
from tools.crash.kills import FOLDER_TARGETS, kill_everywhere, plan_case
from tools.crash.power_loss import Images
from tools.crash.strace import Target
from tools.crash.zygote import Zygote

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]

STORE = "book.store"
RUNS = {
    "mixed": Images(draws=2),
    "mixed-short": Images(draws=4, seed=1),
    "group": Images(draws=3),
    "remove": Images(draws=3),
}


@pytest.mark.parametrize("plan", ["append", "group", "remove"])
def test_kills_at_every_boundary(plan: str, tmp_path: Path, tracer: Zygote, judged: Judged) -> None:
    case = plan_case(plan, store=STORE)
    judged(kill_everywhere(tracer, case, tmp_path, targets=FOLDER_TARGETS))


def test_kills_while_a_folder_is_made(tmp_path: Path, tracer: Zygote, judged: Judged) -> None:
    case = plan_case("append-short", new=True, store=STORE)
    judged(kill_everywhere(tracer, case, tmp_path, targets=FOLDER_TARGETS))


def test_acknowledging_early_is_convicted(tmp_path: Path, tracer: Zygote, judged: Judged) -> None:
    case = plan_case("append", early=True, store=STORE)
    tally = kill_everywhere(tracer, case, tmp_path, stride=5, targets=[Target("flock")])
    tally.check = "kill: acknowledged before the commit, in a folder"
    judged(tally)


@pytest.mark.parametrize("plan", RUNS)
def test_power_loss_at_every_operation(
    plan: str, quick_folder: Path, tracer: Zygote, judged: Judged
) -> None:
    judged(lose_folder_power(tracer, plan, quick_folder, RUNS[plan]))


def test_power_loss_without_syncs_is_convicted(
    quick_folder: Path, tracer: Zygote, judged: Judged
) -> None:
    judged(lose_folder_power(tracer, "mixed", quick_folder, Images(), synchronous="normal"))
