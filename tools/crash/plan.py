"""What a workload does, as data: the child runs it, the judge knows from it what may be stored.

A plan is a list of steps; the operations of one step run side by side, steps one after another.
Operations are numbered through the plan, and a child acknowledges each by its number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.crash.append_checker import Anomaly, Append, History, check

__all__ = [
    "PLANS",
    "Clear",
    "Delete",
    "Index",
    "Operation",
    "Outcomes",
    "Plan",
    "Put",
    "Reopen",
    "judge",
    "numbered",
    "sessions_of",
]

Stored = Sequence[tuple[int, str]]


@dataclass(frozen=True)
class Put:
    """Append a batch."""

    session: str
    ids: tuple[str, ...]
    size: int = 40  # characters of each message


@dataclass(frozen=True)
class Clear:
    """Remove all messages of a session."""

    session: str


@dataclass(frozen=True)
class Delete:
    """Remove a session."""

    session: str


@dataclass(frozen=True)
class Index:
    """Bring the search index up to the log."""


@dataclass(frozen=True)
class Reopen:
    """Close the file and open it again: closing checkpoints."""


Operation = Put | Clear | Delete | Index | Reopen
Plan = tuple[tuple[Operation, ...], ...]


def _batch(session: str, number: int, length: int) -> Put:
    return Put(session, tuple(f"{session}-{number}-{part}" for part in range(length)))


def _appends(count: int) -> Plan:
    return tuple((_batch("one", number, 1 + number % 4),) for number in range(count))


def _grouped(steps: int) -> Plan:
    """Batches of several callers at once: group commit."""
    return tuple(
        tuple(_batch(f"s{caller % 2}", step * 10 + caller, 1 + caller % 3) for caller in range(4))
        for step in range(steps)
    )


def _removals() -> Plan:
    first: Plan = ((_batch("one", 0, 4),), (_batch("two", 0, 4),), (Index(),))
    then: Plan = ((Clear("one"),), (_batch("one", 1, 2),), (Delete("two"),), (Index(),))
    return first + then + ((_batch("two", 1, 2),), (Clear("two"),))


def _large(count: int) -> Plan:
    """Messages of many pages: the write-ahead log is checkpointed and begun again on the way."""
    return tuple(
        (Put("big", (f"big-{number}-0", f"big-{number}-1"), size=200_000),)
        for number in range(count)
    )


def _mixed(count: int) -> Plan:
    steps: list[tuple[Operation, ...]] = []
    for number in range(count):
        steps.append((_batch("one", number, 1 + number % 4),))
        if (number + 1) % 4 == 0:
            steps.extend([(Index(),), (Reopen(),)])
    return tuple(steps)


PLANS: dict[str, Plan] = {
    "append": _appends(8),
    "append-short": _appends(3),
    "group": _grouped(4),
    "remove": _removals(),
    "migrate": (*_appends(4), (Index(),), (_batch("new", 0, 2),)),
    "mixed": _mixed(12),
    "mixed-short": _mixed(4),
    "large": _large(16),
}
"""Workloads by name. The first four steps of ``migrate`` are in the old file already."""


def numbered(plan: Plan) -> Iterator[tuple[int, list[tuple[int, Operation]]]]:
    """Return each step's number with its operations, each with its number in the plan."""
    number = 0
    for step, operations in enumerate(plan):
        yield step, list(enumerate(operations, start=number))
        number += len(operations)


def sessions_of(plan: Plan) -> list[str]:
    """Return every session that a plan writes, in order of appearance."""
    return list(dict.fromkeys(op.session for step in plan for op in step if isinstance(op, Put)))


@dataclass(frozen=True)
class Outcomes:
    """How the operations of a run ended, by number; what is in none of these never returned.

    Attributes:
        acked: Acknowledged.
        refused: Failed with the promise that nothing is stored.
        unknown: Failed without it.
    """

    acked: frozenset[int]
    refused: frozenset[int] = frozenset()
    unknown: frozenset[int] = frozenset()

    def ended(self, number: int) -> bool:
        """Tell whether an operation returned, in whatever way."""
        return number in self.acked or number in self.refused or number in self.unknown


def judge(plan: Plan, outcomes: Outcomes, stored: Mapping[str, Stored]) -> list[Anomaly]:
    """Return what a store may not hold after a run that ended so.

    Steps before the first with an operation that never returned are done; that one may have been
    under way; later ones had not begun.
    """
    return [
        anomaly
        for session in sessions_of(plan)
        for anomaly in _judge_session(plan, outcomes, session, stored.get(session, ()))
    ]


def _judge_session(plan: Plan, outcomes: Outcomes, session: str, stored: Stored) -> list[Anomaly]:
    history = History(final=_from_one(stored))
    for step, operations in numbered(plan):
        for number, operation in operations:
            if isinstance(operation, Clear | Delete) and operation.session == session:
                if number in outcomes.acked:
                    history.appends.clear()
                elif number not in outcomes.refused and not stored:  # it may have taken effect
                    return []
            elif isinstance(operation, Put) and operation.session == session:
                history.appends.append(_as_append(operation, step, number, outcomes))
        if not all(outcomes.ended(number) for number, _ in operations):
            break
    return check(history)


def _from_one(stored: Stored) -> list[tuple[int, str]]:
    """Return numbers as if nothing had been cleared: they go on after a clear."""
    offset = stored[0][0] - 1 if stored else 0
    return [(seq - offset, message_id) for seq, message_id in stored]


def _as_append(put: Put, step: int, number: int, outcomes: Outcomes) -> Append:
    """Positions are left out: a child acknowledges by number alone."""
    invoked, completed = 2 * step, 2 * step + 1
    if number in outcomes.acked:
        return Append(0, put.ids, invoked, completed, "ok")
    if number in outcomes.refused:
        return Append(0, put.ids, invoked, completed, "failed")
    return Append(0, put.ids, invoked, None, "unknown")
