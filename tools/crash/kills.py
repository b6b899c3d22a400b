"""Kill -9 at every system call that a workload makes, one run for each, until a run survives."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from daybook.importers.run import import_file
from tools.crash.append_checker import Anomaly
from tools.crash.old_files import make_version_1
from tools.crash.plan import PLANS, Outcomes, judge, sessions_of
from tools.crash.store import USER, Observed, integrity, is_folder, make_empty, observe, open_book
from tools.crash.strace import Strace, Target
from tools.crash.tally import Tally
from tools.crash.zygote import Zygote

__all__ = [
    "FOLDER_TARGETS",
    "TARGETS",
    "Case",
    "import_case",
    "kill_everywhere",
    "migrate_case",
    "plan_case",
]

TARGETS = (
    *(Target("pwrite64", file) for file in ("-wal", "", "-journal", "-shm")),
    *(Target("fdatasync", file) for file in ("-wal", "", "-journal", "/")),
    *(Target("ftruncate", file) for file in ("", "-wal", "-shm")),
    *(Target("unlink", file) for file in ("-wal", "-journal", "-shm")),
    Target("flock", "-lock"),
    Target("write"),  # the acknowledgement itself
)

FOLDER_TARGETS = tuple(
    Target(call)
    for call in (
        "pwrite64",
        "fdatasync",
        "fsync",
        "linkat",
        "renameat",
        "unlinkat",
        "mkdirat",
        "flock",
        "write",
    )
)
"""Calls of the file engine, whose files have names that nobody knows beforehand."""

Verdict = tuple[list[Anomaly], list[str]]


@dataclass(frozen=True)
class Case:
    """One workload and its judge.

    Attributes:
        name: For the report.
        kind: Which child.
        prepare: Puts into an empty folder what the child finds there.
        judge: Says what is wrong with a folder after a crash, given the lines the child sent.
        spec: More for the child.
        store: The name of its store.
    """

    name: str
    kind: str
    prepare: Callable[[Path], None]
    judge: Callable[[Path, Sequence[str]], Verdict]
    spec: dict[str, Any] = field(default_factory=dict)
    store: str = "book.db"

    @property
    def in_folder(self) -> bool:
        """Whether its store is one of the file engine."""
        return is_folder(Path(self.store))


def kill_everywhere(
    zygote: Zygote,
    case: Case,
    folder: Path,
    *,
    stride: int = 1,
    targets: Sequence[Target] = TARGETS,
) -> Tally:
    """Kill the workload at each `stride`-th occurrence of each call and judge what it left."""
    tally = Tally(f"kill: {case.name}", engine="file" if case.in_folder else "sqlite")
    started = time.monotonic()
    for target in targets:
        for number in count(1, stride):
            place = folder / f"{target}-{number}".replace("/", "-").replace(" ", "-")
            place.mkdir()
            case.prepare(place)
            status, lines = _killed_at(zygote, case, place, target, number)
            tally.operations += len(lines)
            where = f"{target} {number}"
            if status not in {0, -9}:
                tally.add(where, (), [f"the child ended with status {status}"])
            tally.add(where, *case.judge(place, lines))
            shutil.rmtree(place)
            if status == 0:
                break
            tally.kills += 1
            tally.boundaries[str(target)] += 1
    tally.seconds = time.monotonic() - started
    return tally


def _killed_at(
    zygote: Zygote, case: Case, place: Path, target: Target, number: int
) -> tuple[int, list[str]]:
    path = place / case.store
    child = zygote.spawn(case.kind, **case.spec, source=place / "source.jsonl", path=path)
    with Strace(child, target.options(path, "signal=SIGKILL", str(number))):
        child.go()
        lines = child.lines()
        status = child.wait()
    return status, lines


def _nothing(_: Path) -> None:
    """Prepare nothing: the child makes the file."""


def plan_case(plan: str, *, new: bool = False, store: str = "book.db", **spec: Any) -> Case:
    """Return the case of a plan on an empty store, or where the store is made first."""

    def empty(place: Path) -> None:
        asyncio.run(make_empty(place / store))

    def verdict(place: Path, lines: Sequence[str]) -> Verdict:
        observed = asyncio.run(observe(place / store, sessions_of(PLANS[plan])))
        return judge(
            PLANS[plan], Outcomes(frozenset(map(int, lines))), observed.stored
        ), observed.faults

    name, prepare = (f"new file, {plan}", _nothing) if new else (plan, empty)
    if is_folder(Path(store)):
        name = f"{name}, in a folder"
    return Case(name, "plan", prepare, verdict, {"plan": plan, **spec}, store)


def migrate_case(template: Path) -> Case:
    """Return the case of a file of schema version 1, opened by the present code and gone on with.

    What the old file holds was acknowledged long ago, whatever the child gets to.
    """
    steps = make_version_1(template, "migrate")

    def prepare(place: Path) -> None:
        shutil.copytree(template, place, dirs_exist_ok=True)

    def verdict(place: Path, lines: Sequence[str]) -> Verdict:
        plan = PLANS["migrate"]
        observed = asyncio.run(observe(place / "book.db", sessions_of(plan)))
        acked = frozenset({*range(steps), *map(int, lines)})
        return judge(plan, Outcomes(acked), observed.stored), observed.faults

    return Case("migrate", "plan", prepare, verdict, {"plan": "migrate", "start": steps})


def import_case(*, messages: int, sessions: int, batch_size: int) -> Case:
    """Return the case of an import, and of the same import run again after the crash."""
    ids = [(f"chat{number % sessions}", f"m-{number}") for number in range(messages)]
    names = [f"chat{number}" for number in range(sessions)]

    def prepare(place: Path) -> None:
        lines = [
            json.dumps({"session_id": session, "id": one, "role": "user", "content": one})
            for session, one in ids
        ]
        (place / "source.jsonl").write_text("\n".join(lines))
        asyncio.run(make_empty(place / "book.db"))

    def verdict(place: Path, lines: Sequence[str]) -> Verdict:
        return asyncio.run(_judge_import(place, ids, names, int(lines[-1]) if lines else 0))

    return Case("import", "import", prepare, verdict, {"batch_size": batch_size})


async def _judge_import(
    place: Path, ids: Sequence[tuple[str, str]], names: Sequence[str], acked: int
) -> Verdict:
    """What is stored is the beginning of each conversation; a second run adds the rest, once."""
    path = place / "book.db"
    anomalies: list[Anomaly] = []
    crashed = await observe(path, names)
    for name in names:
        wanted = [one for session, one in ids if session == name]
        least = sum(session == name for session, _ in ids[:acked])
        anomalies += _compare(crashed, name, wanted, least)
    async with open_book(path) as book:
        await import_file(book, place / "source.jsonl", user_id=USER)
    whole = await observe(path, names, probe=False)
    for name in names:
        wanted = [one for session, one in ids if session == name]
        anomalies += _compare(whole, name, wanted, len(wanted))
    return anomalies, [*crashed.faults, *integrity(path)]


def _compare(observed: Observed, session: str, wanted: Sequence[str], least: int) -> list[Anomaly]:
    found = [one for _, one in observed.stored[session]]
    if len(found) < least:
        return [Anomaly("lost", f"{session}: {len(found)} messages of {least} acknowledged")]
    if len(set(found)) < len(found):
        return [Anomaly("duplicated", f"{session}: a message stands twice")]
    if found != list(wanted[: len(found)]):
        return [Anomaly("reordered", f"{session} is not in the order of the file")]
    return []
