"""Disks that a power loss could have left: each opens, is sound and holds what was acknowledged."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tools.crash.power_loss import Disk, Event, Images, lose_power, parse
from tools.crash.zygote import Zygote


def test_synced_appends_survive_every_image(quick_folder: Path, tracer: Zygote) -> None:
    tally = lose_power(tracer, "mixed-short", quick_folder, Images(stride=2))
    assert tally.sound, tally.examples
    assert tally.images >= 100


def test_appends_that_were_not_synced_are_convicted(quick_folder: Path, tracer: Zygote) -> None:
    """The control: with synchronous=normal, acknowledged appends are lost, and nothing else is."""
    tally = lose_power(tracer, "mixed-short", quick_folder, Images(stride=5), synchronous="normal")
    assert tally.anomalies["lost"]
    assert not tally.defects, tally.examples


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def test_a_trace_is_read() -> None:
    path = hexed("/disk/book.db")
    lines = [
        f'7  openat(AT_FDCWD<{hexed("/")}>, "{path}", O_RDWR|O_CREAT, 0644) = 5<{path}>\n',
        f'7  pwrite64(5<{path}>, "{hexed("abcd")}", 4, 512 <unfinished ...>\n',
        f'8  write(9<{hexed("pipe:[3]")}>, "{hexed("0")}\\x0a", 2) = 2\n',
        "7  <... pwrite64 resumed>) = 4\n",
        f"7  ftruncate(5<{path}>, 100) = 0\n",
        f"7  fdatasync(5<{path}>) = 0\n",
        f"7  fdatasync(6<{hexed('/disk')}>) = 0\n",
        f'7  unlink("{path}") = -1 ENOENT (No such file or directory)\n',
        f'7  unlink("{hexed("/elsewhere/book.db")}") = 0\n',
    ]
    assert list(parse(lines, Path("/disk"))) == [
        Event("create", "book.db"),
        Event("ack", data=b"0"),
        Event("write", "book.db", 512, b"abcd"),
        Event("truncate", "book.db", 100),
        Event("sync", "book.db"),
        Event("sync", ""),
    ]


@pytest.fixture
def disk() -> Disk:
    """A disk with one synced file and writes to it that were not."""
    disk = Disk()
    disk.apply(Event("create", "a"))
    disk.apply(Event("write", "a", 0, b"x" * 1024))
    disk.apply(Event("sync", "a"))
    disk.apply(Event("sync"))
    disk.apply(Event("write", "a", 0, b"y" * 1024))
    disk.apply(Event("create", "b"))
    return disk


def test_what_was_not_synced_may_be_there_or_not(disk: Disk) -> None:
    assert disk.kept() == {"a": b"y" * 1024, "b": b""}
    assert disk.dropped() == {"a": b"x" * 1024}


def test_sectors_arrive_alone(disk: Disk) -> None:
    rng = random.Random(1)  # noqa: S311 - reproducible on purpose
    seen = {(image["a"][:512], image["a"][512:]) for _ in range(40) if (image := disk.torn(rng))}
    x, y = b"x" * 512, b"y" * 512
    assert seen == {(x, x), (y, x), (y, y)}
    scattered = {disk.scattered(rng)["a"] for _ in range(40)}
    assert scattered == {x + x, x + y, y + x, y + y}
