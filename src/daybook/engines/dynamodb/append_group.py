"""Appends to one session that wait together: worked out in memory, committed by one write.

Pure but for the ids it was given: what is known is looked up before, what is new is written after.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from daybook.engines.dynamodb.blobs import Blob
from daybook.engines.dynamodb.heads import Entry, Head, Loaded, new_head
from daybook.engines.dynamodb.keys import new_nonce
from daybook.engines.dynamodb.streams import Known
from daybook.errors import ConflictError, DaybookError
from daybook.model.entry import AppendResult, NewEntry
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.model.session_rules import active_session, fresh_session, is_expired

__all__ = ["AppendJob", "Plan", "make_plan"]


@dataclass(slots=True, eq=False)
class AppendJob:
    """One caller's append.

    Attributes:
        scope: Whose session.
        session_id: Which.
        entries: What to add.
        create: The session to make if it is missing.
        now: When, by the engine's clock.
        future: Where the answer goes.
        blobs: The long bodies that are written already, by index.
    """

    scope: Scope
    session_id: str
    entries: Sequence[NewEntry]
    create: Session | None
    now: datetime
    future: Future[AppendResult | None] = field(default_factory=Future)
    blobs: dict[int, Blob] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes of its bodies."""
        return sum(len(entry.body) for entry in self.entries)


@dataclass(slots=True)
class Plan:
    """What a group of appends makes of a session.

    Attributes:
        head: The session's head as it would be; None if there is no session.
        known: Its ids, the new ones included.
        created: It was made by this group.
        fresh: The messages that are new, in order.
        answers: For each job its result or error.
    """

    head: Head | None
    known: Known
    created: bool = False
    fresh: list[Entry] = field(default_factory=list)
    answers: list[AppendResult | DaybookError | None] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit."""
        return self.created or bool(self.fresh)


class _LaterError(Exception):
    """The session ended within the group: this job needs another commit."""


def make_plan(before: Loaded, known: Known, jobs: Sequence[AppendJob], stream: str) -> Plan:
    """Work out a group of appends, in order; one that fails changes nothing for the others.

    Args:
        before: The session's head. An expired session must have been removed before.
        known: Ids of the jobs' messages that the session holds.
        jobs: The appends. Those without an answer in the plan must wait for the next one.
        stream: Where the messages of a new session will go.
    """
    plan = Plan(before.head if before.session is not None else None, dict(known))
    for job in jobs:
        try:
            plan.answers.append(_append(plan, before, job, stream))
        except DaybookError as exc:
            plan.answers.append(exc)
        except _LaterError:
            break
    return plan


def _append(plan: Plan, before: Loaded, job: AppendJob, stream: str) -> AppendResult | None:
    head = plan.head
    session = None if head is None else head.session
    if job.create is not None:
        fresh = fresh_session(job.scope, job.create)
        if session is not None and session.user_id != fresh.user_id:
            raise ConflictError(f"session {fresh.id!r} is not free: choose another id")
        if session is None:
            head, session = new_head(before, fresh, stream), fresh
    if head is None or session is None or not job.scope.reaches(session.user_id):
        return None
    if plan.changed and is_expired(session, job.now):
        raise _LaterError
    new = _unknown(plan.known, job)
    plan.created = plan.created or plan.head is None
    plan.head = _with_entries(plan, head, session, new, job.now)
    places = [plan.known[entry.id][1] for entry in job.entries]
    duplicates = len(job.entries) - len(new)
    return AppendResult(min(places), max(places), duplicates, session.user_id)


def _unknown(known: Known, job: AppendJob) -> list[Entry]:
    """Return what is not stored yet, each id once.

    Raises:
        ConflictError: An id is stored, or stands earlier in the batch, with another body.
    """
    fresh: dict[str, Entry] = {}
    for index, entry in enumerate(job.entries):
        if entry.id in known:
            mark = known[entry.id][0]
        else:
            blob = job.blobs.get(index)
            body = entry.body if blob is None else b""
            made = Entry(entry.id, entry.fingerprint, entry.role, entry.tokens, body, blob)
            mark = fresh.setdefault(entry.id, made).fingerprint
        if mark != entry.fingerprint:
            raise ConflictError(
                f"message {entry.id!r} of session {job.session_id!r} is already there with "
                "another body: a message never changes, give the new one its own id"
            )
    return list(fresh.values())


def _with_entries(
    plan: Plan, head: Head, session: Session, new: Sequence[Entry], now: datetime
) -> Head:
    if not new:
        return replace(head, session=session)
    for seq, entry in enumerate(new, session.last_seq + 1):
        plan.known[entry.id] = (entry.fingerprint, seq)
    plan.fresh += new
    roles = Counter(head.roles)
    roles.update(entry.role for entry in new)
    tokens = sum(entry.tokens for entry in new)
    return replace(
        head,
        nonce=new_nonce(),
        session=active_session(session, len(new), tokens, now),
        roles=dict(roles),
    )
