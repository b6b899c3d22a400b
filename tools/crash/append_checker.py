"""Judges a history of appends and reads on one session; one sort aside, in linear time.

Clients write down when they invoked and completed each call. A session is a list, so the final
list shows the order that the store chose, and everything a client saw must agree with it: that is
the idea of Elle's list-append, without the search for cycles, which one list does not need.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

__all__ = ["Anomaly", "Append", "History", "Kind", "Read", "check", "load", "write_line"]

Kind = Literal[
    "lost", "duplicated", "reordered", "torn", "phantom", "gap", "stale", "diverged", "receipt"
]
Outcome = Literal["ok", "failed", "unknown"]
Batch = tuple[str, ...]

_NEVER = 1 << 63


@dataclass(frozen=True)
class Append:
    """One delivery of a batch; a retry is another delivery of the same ids.

    Attributes:
        client: Who sent it.
        ids: The messages, in order; an id belongs to one batch only.
        invoked: When the call began, in nanoseconds of a clock that all clients share.
        completed: When it returned; None if it never did.
        outcome: ``ok`` (acknowledged), ``failed`` (refused: nothing may be stored) or ``unknown``.
        first_seq: What the receipt said; 0 if it was not written down.
        last_seq: What the receipt said.
    """

    client: int
    ids: Batch
    invoked: int
    completed: int | None
    outcome: Outcome
    first_seq: int = 0
    last_seq: int = 0


@dataclass(frozen=True)
class Read:
    """One read of the newest messages: what came back as (sequence number, id)."""

    client: int
    entries: tuple[tuple[int, str], ...]
    invoked: int
    completed: int


@dataclass
class History:
    """All calls of all clients, and what the session holds in the end.

    Attributes:
        appends: Every delivery of every batch.
        reads: Every read.
        final: What the session holds in the end, as (sequence number, id).
        start: The number of its first message.
    """

    appends: list[Append] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    final: list[tuple[int, str]] = field(default_factory=list)
    start: int = 1


@dataclass(frozen=True)
class Anomaly:
    """Something that a correct store cannot have done."""

    kind: Kind
    detail: str


@dataclass
class _Sent:
    """What is known about a batch over all its deliveries."""

    ids: Batch
    invoked: int = _NEVER
    acked: int = _NEVER
    possible: bool = False  # some delivery was acknowledged or has no known outcome
    receipts: list[Append] = field(default_factory=list)


def check(history: History) -> list[Anomaly]:
    """Return every anomaly of a history; empty if the store behaved."""
    sent = _merge(history.appends)
    places: dict[str, list[int]] = {}
    for place, (_, message_id) in enumerate(history.final):
        places.setdefault(message_id, []).append(place)
    return [
        *_check_numbers(history.final, history.start),
        *_check_phantoms(places, sent),
        *_check_batches(sent.values(), places),
        *_check_receipts(sent.values(), history.final),
        *_check_order(sent.values(), places),
        *_check_reads(history, sent.values()),
    ]


def _merge(appends: Iterable[Append]) -> dict[Batch, _Sent]:
    sent: dict[Batch, _Sent] = {}
    for append in appends:
        batch = sent.setdefault(append.ids, _Sent(append.ids))
        batch.invoked = min(batch.invoked, append.invoked)
        if append.outcome != "failed":
            batch.possible = True
        if append.outcome == "ok" and append.completed is not None:
            batch.acked = min(batch.acked, append.completed)
            if append.first_seq:
                batch.receipts.append(append)
    return sent


def _check_numbers(final: Sequence[tuple[int, str]], start: int) -> Iterator[Anomaly]:
    """Sequence numbers count up from the first without a gap."""
    for expected, (seq, _) in enumerate(final, start=start):
        if seq != expected:
            yield Anomaly("gap", f"number {seq} stands where {expected} should")
            return


def _check_phantoms(places: dict[str, list[int]], sent: dict[Batch, _Sent]) -> Iterator[Anomaly]:
    possible = {one for batch in sent.values() if batch.possible for one in batch.ids}
    for message_id in places:
        if message_id not in possible:
            yield Anomaly("phantom", f"{message_id} was never sent, or was refused")


def _check_batches(sent: Iterable[_Sent], places: dict[str, list[int]]) -> Iterator[Anomaly]:
    """An acknowledged batch is there, once; any batch is whole, contiguous and in its order."""
    for batch in sent:
        where = [places.get(one, []) for one in batch.ids]
        yield from (
            Anomaly("duplicated", f"{one} stands {len(at)} times")
            for one, at in zip(batch.ids, where, strict=True)
            if len(at) > 1
        )
        missing = [one for one, at in zip(batch.ids, where, strict=True) if not at]
        if missing and batch.acked != _NEVER:
            yield Anomaly("lost", f"{missing[0]} was acknowledged and is not there")
        if missing and len(missing) < len(batch.ids):
            yield Anomaly("torn", f"{missing[0]} is missing and others of its batch are there")
        if not missing:
            yield from _check_contiguous(batch.ids, [at[0] for at in where])


def _check_contiguous(ids: Batch, places: list[int]) -> Iterator[Anomaly]:
    start = places[0]
    if sorted(places) != list(range(min(places), min(places) + len(places))):
        yield Anomaly("torn", f"the batch of {ids[0]} does not stand together")
    elif places != list(range(start, start + len(places))):
        yield Anomaly("reordered", f"the batch of {ids[0]} is not in its own order")


def _check_receipts(sent: Iterable[_Sent], final: Sequence[tuple[int, str]]) -> Iterator[Anomaly]:
    """Every receipt, of a retry too, names the numbers under which the batch stands."""
    at = dict(final)
    for batch in sent:
        for receipt in batch.receipts:
            if receipt.last_seq - receipt.first_seq != len(batch.ids) - 1 or any(
                at.get(receipt.first_seq + offset) != one for offset, one in enumerate(batch.ids)
            ):
                yield Anomaly(
                    "receipt", f"{batch.ids[0]}: {receipt.first_seq} to {receipt.last_seq} is wrong"
                )


def _check_order(sent: Iterable[_Sent], places: dict[str, list[int]]) -> Iterator[Anomaly]:
    """A batch acknowledged before another was sent comes first.

    Seen from the end of the list: nothing that follows may have been acknowledged before this one
    was invoked.
    """
    stored = sorted(
        ((places[batch.ids[0]][0], batch) for batch in sent if batch.ids[0] in places),
        key=lambda pair: pair[0],
    )
    earliest, whose = _NEVER, ""
    for _, batch in reversed(stored):
        if earliest < batch.invoked:
            yield Anomaly(
                "reordered", f"{whose} was acknowledged first, {batch.ids[0]} stands first"
            )
        if batch.acked < earliest:
            earliest, whose = batch.acked, batch.ids[0]


def _check_reads(history: History, sent: Iterable[_Sent]) -> Iterator[Anomaly]:
    """A read shows a slice of the final list, as new as all acknowledged or read before."""
    by_seq = dict(history.final)
    first_sent = {one: batch.invoked for batch in sent for one in batch.ids}
    for read in history.reads:
        for offset, (seq, message_id) in enumerate(read.entries):
            if by_seq.get(seq) != message_id or seq != read.entries[0][0] + offset:
                yield Anomaly("diverged", f"a read showed {message_id} as number {seq}")
                break
            if first_sent.get(message_id, 0) > read.completed:
                yield Anomaly("phantom", f"a read showed {message_id} before it was sent")
                break
    yield from _check_freshness(history)


def _check_freshness(history: History) -> Iterator[Anomaly]:
    known = [
        (append.completed, append.last_seq)
        for append in history.appends
        if append.outcome == "ok" and append.completed is not None
    ]
    known += [(read.completed, _newest(read)) for read in history.reads]
    known.sort()
    newest, next_known = 0, 0
    for read in sorted(history.reads, key=lambda one: one.invoked):
        while next_known < len(known) and known[next_known][0] < read.invoked:
            newest = max(newest, known[next_known][1])
            next_known += 1
        if _newest(read) < newest:
            yield Anomaly(
                "stale", f"a read ended at {_newest(read)}; {newest} had been acknowledged or read"
            )


def _newest(read: Read) -> int:
    return read.entries[-1][0] if read.entries else 0


def write_line(call: Append | Read) -> bytes:
    """Return a call as one line of a history file."""
    kind = "append" if isinstance(call, Append) else "read"
    return json.dumps({"kind": kind, **asdict(call)}).encode() + b"\n"


def load(paths: Iterable[Path]) -> History:
    """Read the history files of all clients; the final list is the caller's to fill in."""
    history = History()
    for path in paths:
        for line in path.read_bytes().splitlines():
            call: dict[str, Any] = json.loads(line)
            if call.pop("kind") == "append":
                history.appends.append(Append(**{**call, "ids": tuple(call["ids"])}))
            else:
                entries = tuple((seq, one) for seq, one in call["entries"])
                history.reads.append(Read(**{**call, "entries": entries}))
    return history
