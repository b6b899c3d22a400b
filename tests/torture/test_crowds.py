"""Many processes, event loops and openers at once, for long. `make torture` runs these."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.conftest import Judged
from tools.crash.cancellation import misdeliver, storm
from tools.crash.contention import Crowd, contend, contend_unlocked
from tools.crash.disk_full import can_mount, fill_up, small_disk
from tools.crash.old_files import make_version_1
from tools.crash.openings import open_at_once
from tools.crash.zygote import Zygote

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]


def test_eight_processes(tmp_path: Path, zygote: Zygote, judged: Judged) -> None:
    judged(contend(zygote, Crowd(processes=8, batches=5_000, reads=0.1), tmp_path))


def test_sixteen_processes(tmp_path: Path, zygote: Zygote, judged: Judged) -> None:
    judged(contend(zygote, Crowd(processes=16, batches=5_000, reads=0.01, seed=2), tmp_path))


def test_writing_without_a_lock_is_convicted(
    tmp_path: Path, zygote: Zygote, judged: Judged
) -> None:
    judged(contend_unlocked(zygote, Crowd(processes=8, batches=200), tmp_path))


@pytest.mark.parametrize("processes", [2, 8])
def test_opening_a_new_file(processes: int, tmp_path: Path, zygote: Zygote, judged: Judged) -> None:
    judged(open_at_once(zygote, tmp_path, processes=processes, rounds=60))


def test_opening_an_old_file(tmp_path: Path, zygote: Zygote, judged: Judged) -> None:
    make_version_1(tmp_path / "old", "migrate")
    judged(open_at_once(zygote, tmp_path, processes=8, rounds=40, old=tmp_path / "old"))


async def test_cancellations(tmp_path: Path, judged: Judged) -> None:
    judged(await storm(tmp_path / "book.db", loops=4, callers=16, calls=400))


async def test_answering_the_wrong_caller_is_convicted(tmp_path: Path, judged: Judged) -> None:
    tally = await storm(tmp_path / "book.db", loops=1, callers=8, calls=40, deliver=misdeliver())
    tally.check = "cancellation storm, receipts of others"
    judged(tally)


@pytest.mark.parametrize("size", [100, 1_000, 3_000, 10_000, 30_000])
async def test_full_disks(size: int, tmp_path: Path, judged: Judged) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("this user may not mount a file system")
    with small_disk(disk, kilobytes=4096):
        judged(await fill_up(disk, size=size))
