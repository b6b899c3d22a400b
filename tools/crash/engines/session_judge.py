"""Judges what many clients saw of many sessions: the append checker, taught forks and removals.

A fork is a list of its own that begins with a part of another one; making it is a read of the
other. A removal parts a session's time in three: what was acknowledged before it is gone, what was
sent after it must be there, what ran beside it may be either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tools.crash.append_checker import Anomaly, Append, History, Read, check
from tools.crash.engines.session_calls import Removal, SessionCalls

__all__ = ["INHERITED_SHOWN", "judge"]

INHERITED_SHOWN = 30
"""How many of the newest inherited messages of a fork are read for the judge."""

_NEVER = 1 << 63
_Entries = Sequence[tuple[int, str]]


def judge(calls: Mapping[str, SessionCalls], finals: Mapping[str, _Entries]) -> list[Anomaly]:
    """Return every anomaly.

    Args:
        calls: What clients saw, by session.
        finals: What each session holds in the end; of a fork, of what it inherited the last
            `INHERITED_SHOWN` messages.
    """
    return [
        Anomaly(found.kind, f"{session}: {found.detail}")
        for session, seen in calls.items()
        for found in _judge_one(seen, calls, finals, finals.get(session, ()))
    ]


def _judge_one(
    seen: SessionCalls,
    calls: Mapping[str, SessionCalls],
    finals: Mapping[str, _Entries],
    final: _Entries,
) -> Iterator[Anomaly]:
    if seen.removals:
        yield from _judge_removed(seen, seen.removals[0], final)
        return
    at = 0
    if seen.fork is not None:
        at = seen.fork.at
        whole = not calls.get(seen.fork.parent, SessionCalls()).removals
        parent = finals.get(seen.fork.parent, ()) if whole else None
        first = seen.fork.first if parent is None else 1
        yield from _judge_inherited(first, at, [one for one in final if one[0] <= at], parent)
    own = [one for one in final if one[0] > at]
    yield from check(History(seen.appends, seen.reads, own, start=at + 1))


def _judge_inherited(
    first: int, at: int, inherited: _Entries, parent: _Entries | None
) -> Iterator[Anomaly]:
    """A fork shows its parent's messages up to its place; it keeps them when the parent goes."""
    shown = min(at - first + 1, INHERITED_SHOWN)
    if [seq for seq, _ in inherited] != list(range(at - shown + 1, at + 1)):
        yield Anomaly("lost", f"{len(inherited)} of {shown} inherited messages are there")
    if parent is None:
        return
    by_seq = dict(parent)
    for seq, message_id in inherited:
        if by_seq.get(seq) != message_id:
            yield Anomaly("diverged", f"its number {seq} is not its parent's")
            return


def _judge_removed(seen: SessionCalls, removal: Removal, final: _Entries) -> Iterator[Anomaly]:
    if removal.completed is None and _is_unremoved(seen, removal, final):
        yield from check(History(seen.appends, seen.reads, list(final)))
        return
    done = _NEVER if removal.completed is None else removal.completed
    start = 1
    if final and (removal.clear or removal.completed is None):
        start = final[0][0]
    after = History(
        [_as_after(append, removal.invoked, done) for append in seen.appends],
        [read for read in seen.reads if read.invoked > done],
        list(final),
        start,
    )
    yield from check(after)
    before = [one for one in seen.appends if (one.completed or _NEVER) < removal.invoked]
    yield from _check_agreement(before, [r for r in seen.reads if r.completed < removal.invoked])
    newest = max((append.last_seq for append in before), default=0)
    if final and removal.clear and removal.completed is not None and start <= newest:
        yield Anomaly("reordered", f"number {start} was given again after a clear")


def _is_unremoved(seen: SessionCalls, removal: Removal, final: _Entries) -> bool:
    """Tell whether a removal that was never acknowledged did nothing: older messages are there."""
    older = {
        one
        for append in seen.appends
        if append.outcome == "ok" and (append.completed or _NEVER) < removal.invoked
        for one in append.ids
    }
    return any(message_id in older for _, message_id in final)


def _as_after(append: Append, removed_from: int, removed_by: int) -> Append:
    """Return what an append means for what is stored after a removal."""
    if append.invoked > removed_by:
        return append
    if append.outcome == "ok" and append.completed is not None and append.completed < removed_from:
        return replace(append, outcome="failed", first_seq=0, last_seq=0)
    if append.outcome == "failed":
        return append
    return replace(append, outcome="unknown", first_seq=0, last_seq=0)


def _check_agreement(appends: Sequence[Append], reads: Sequence[Read]) -> Iterator[Anomaly]:
    """Before a removal, receipts and reads name one message for each number."""
    by_seq: dict[int, str] = {}
    for append in appends:
        if append.outcome == "ok" and append.first_seq:
            by_seq.update(enumerate(append.ids, start=append.first_seq))
    for read in reads:
        for seq, message_id in read.entries:
            if by_seq.setdefault(seq, message_id) != message_id:
                yield Anomaly("diverged", f"number {seq} was two messages before the removal")
                return
