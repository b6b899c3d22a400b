"""Trees that a power loss could have left: each opens and holds what was acknowledged."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tools.crash.folder_power_loss import Step, Tree, lose_folder_power, read_trace
from tools.crash.power_loss import Images
from tools.crash.zygote import Zygote


@pytest.mark.parametrize(("plan", "stride"), [("append-short", 2), ("remove", 9)])
def test_synced_changes_survive_every_image(
    plan: str, stride: int, quick_folder: Path, tracer: Zygote
) -> None:
    tally = lose_folder_power(tracer, plan, quick_folder, Images(stride=stride))
    assert tally.sound, tally.examples
    assert tally.images >= 40


def test_appends_that_were_not_synced_are_convicted(quick_folder: Path, tracer: Zygote) -> None:
    """The control: with fsync=false, acknowledged appends are lost, and nothing else is."""
    tally = lose_folder_power(
        tracer, "append-short", quick_folder, Images(stride=3), synchronous="normal"
    )
    assert tally.anomalies["lost"]
    assert not tally.defects, tally.examples


def hexed(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def test_a_trace_is_read() -> None:
    store, inner = hexed("/disk/s"), hexed("/disk/s/tmp")
    lines = [
        f'7  mkdir("{store}", 0700) = 0\n',
        f'7  mkdirat(5<{store}>, "{hexed("tmp")}", 0700) = 0\n',
        f'7  openat(6<{inner}>, "{hexed("x")}", O_RDWR|O_CREAT|O_EXCL, 0600) = 8<{inner}>\n',
        f'7  openat(6<{inner}>, "{hexed("x")}", O_RDONLY) = 8<{inner}>\n',
        f'7  pwrite64(8<{hexed("/disk/s/tmp/x")}>, "{hexed("ab")}", 2, 3 <unfinished ...>\n',
        f'8  write(9<{hexed("pipe:[3]")}>, "{hexed("0")}\\x0a", 2) = 2\n',
        "7  <... pwrite64 resumed>) = 2\n",
        f"7  fdatasync(8<{hexed('/disk/s/tmp/x')}>) = 0\n",
        f'7  linkat(6<{inner}>, "{hexed("x")}", 5<{store}>, "{hexed("y")}", 0) = 0\n',
        f'7  renameat(6<{inner}>, "{hexed("x")}", 5<{store}>, "{hexed("z")}") = 0\n',
        f'7  unlinkat(5<{store}>, "{hexed("y")}", 0) = 0\n',
        f"7  fsync(5<{store}>) = 0\n",
        f'7  unlinkat(5<{store}>, "{hexed("none")}", 0) = -1 ENOENT (No such file)\n',
        f'7  unlinkat(5<{hexed("/elsewhere")}>, "{hexed("y")}", 0) = 0\n',
    ]
    assert list(read_trace(lines, Path("/disk/s"))) == [
        Step("mkdir", ""),
        Step("mkdir", "tmp"),
        Step("create", "tmp/x"),
        Step("ack", data=b"0"),
        Step("write", "tmp/x", offset=3, data=b"ab"),
        Step("sync", "tmp/x"),
        Step("link", "tmp/x", "y"),
        Step("rename", "tmp/x", "z"),
        Step("remove", "y"),
        Step("sync", ""),
    ]


def test_names_are_safe_once_their_folder_was_synced() -> None:
    tree = Tree()
    for step in (
        Step("mkdir", "a"),
        Step("create", "a/x"),
        Step("write", "a/x", data=b"body"),
        Step("sync", "a/x"),
    ):
        tree.apply(step)
    assert tree.dropped() == {}
    tree.apply(Step("sync", "a"))
    assert tree.dropped() == {}  # the folder's own name is not safe yet
    tree.apply(Step("sync", ""))
    assert tree.dropped() == {"a/": b"", "a/x": b"body"}
    tree.apply(Step("link", "a/x", "y"))
    tree.apply(Step("remove", "a/x"))
    assert tree.kept() == {"a/": b"", "y": b"body"}
    assert tree.dropped() == {"a/": b"", "a/x": b"body"}
    rng = random.Random(3)  # noqa: S311 - reproducible on purpose
    seen = {tuple(sorted(tree.scattered(rng))) for _ in range(60)}
    assert seen == {("a/",), ("a/", "a/x"), ("a/", "y"), ("a/", "a/x", "y")}
