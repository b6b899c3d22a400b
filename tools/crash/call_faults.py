"""System calls that fail: no space, a bad disk, no locks, at each call that a workload makes."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tools.crash.plan import PLANS, Outcomes, judge, sessions_of
from tools.crash.store import make_empty, observe
from tools.crash.strace import Strace, Target
from tools.crash.tally import Tally
from tools.crash.zygote import Child, Zygote

__all__ = ["FAULTS", "Fault", "fail_everywhere", "sort_outcomes"]

_PATIENCE_S = 60.0  # longer than any call takes, on a machine that stands still now and then
_FULL = "StoreFullError"
_UNAVAILABLE = "StoreUnavailableError"


@dataclass(frozen=True)
class Fault:
    """What fails, the error it returns, and the errors of ours that may answer for it."""

    target: Target
    error: str
    typed: frozenset[str]

    def __str__(self) -> str:
        """Return it for a report."""
        return f"{self.error} at {self.target}"


_ANY = frozenset({_FULL, _UNAVAILABLE})

FAULTS = (
    Fault(Target("pwrite64"), "ENOSPC", _ANY),
    Fault(Target("pwrite64", "-wal"), "ENOSPC", frozenset({_FULL})),
    Fault(Target("pwrite64", "-wal"), "EIO", frozenset({_UNAVAILABLE})),
    Fault(Target("pwrite64", ""), "ENOSPC", frozenset({_FULL})),
    Fault(Target("pwrite64", "-shm"), "ENOSPC", _ANY),
    Fault(Target("fdatasync", "-wal"), "ENOSPC", _ANY),
    Fault(Target("fdatasync", "-wal"), "EIO", frozenset({_UNAVAILABLE})),
    Fault(Target("fdatasync", ""), "EIO", frozenset({_UNAVAILABLE})),
    Fault(Target("ftruncate", "-shm"), "ENOSPC", _ANY),
    Fault(Target("pread64", ""), "EIO", frozenset({_UNAVAILABLE, "CorruptRecordError"})),
    Fault(Target("flock", "-lock"), "ENOLCK", frozenset({_UNAVAILABLE})),
)


def sort_outcomes(lines: Iterable[str]) -> tuple[Outcomes, list[str]]:
    """Return how a child's operations ended, and the names of the errors it reported.

    Only `StoreFullError` promises that nothing is stored: after a failed sync nobody can know.
    """
    acked, refused, unknown, names = set[int](), set[int](), set[int](), []
    for line in lines:
        number, _, name = line.partition(" ")
        if name:
            names.append(name)
        if number == "open":
            continue
        into = acked if not name else refused if name == _FULL else unknown
        into.add(int(number))
    return Outcomes(frozenset(acked), frozenset(refused), frozenset(unknown)), names


def fail_everywhere(
    zygote: Zygote,
    plan: str,
    folder: Path,
    fault: Fault,
    *,
    lasting: bool = False,
    stride: int = 1,
    careless: bool = False,
) -> Tally:
    """Fail each `stride`-th occurrence of a call, or all from there on; judge what is stored."""
    kind = "from there on" if lasting else "once"
    tally = Tally(f"{fault} {kind}: {plan}")
    started = time.monotonic()
    for number in count(1, stride):
        place = folder / f"{fault}-{kind}-{number}".replace("/", "-").replace(" ", "-")
        place.mkdir()
        asyncio.run(make_empty(place / "book.db"))
        when = f"{number}+" if lasting else str(number)
        status, lines, struck = _run(zygote, plan, place, fault, when, careless=careless)
        if not struck:
            shutil.rmtree(place)
            break
        _judge_run(tally, plan, place, fault, lines, where=f"{fault} {when}", status=status)
        shutil.rmtree(place)
        tally.faults += 1
        tally.boundaries[str(fault.target)] += 1
    tally.seconds = time.monotonic() - started
    return tally


def _judge_run(
    tally: Tally,
    plan: str,
    place: Path,
    fault: Fault,
    lines: Sequence[str],
    *,
    where: str,
    status: int | None,
) -> None:
    outcomes, names = sort_outcomes(lines)
    tally.operations += len(outcomes.acked)
    defects = [f"answered with {name}" for name in sorted({*names} - fault.typed)]
    if status is None:
        defects.append("a call never returned")
    elif status:
        defects.append(f"an error without a type; status {status}")
    observed = asyncio.run(observe(place / "book.db", sessions_of(PLANS[plan])))
    tally.add(where, judge(PLANS[plan], outcomes, observed.stored), defects + observed.faults)


def _run(
    zygote: Zygote, plan: str, place: Path, fault: Fault, when: str, *, careless: bool
) -> tuple[int | None, list[str], bool]:
    """Return the child's status (None: it hung), its lines, and whether the fault struck."""
    path = place / "book.db"
    child = zygote.spawn("plan", plan=plan, path=path, careless=careless, quiet=True)
    log = place / "strace.log"
    options = [*fault.target.options(path, f"error={fault.error}", when), "-o", str(log)]
    with Strace(child, options):
        child.go()
        status, lines = _finish(child)
    struck = "(INJECTED)" in log.read_text()
    return status, lines, struck


def _finish(child: Child) -> tuple[int | None, list[str]]:
    lines = []
    try:
        while (line := child.read_line(_PATIENCE_S)) is not None:
            lines.append(line)
    except TimeoutError:
        child.kill()
        return None, lines
    return child.wait(), lines
