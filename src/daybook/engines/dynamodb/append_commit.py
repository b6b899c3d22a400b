"""One group of appends: looked up, worked out, committed; again if another process was first."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from daybook.engines.dynamodb.append_group import AppendJob, Plan, make_plan
from daybook.engines.dynamodb.blobs import Blob, new_blob, write_blob
from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.drops import drop, move_tail
from daybook.engines.dynamodb.heads import Head, Loaded, commit, load, next_mark
from daybook.engines.dynamodb.hints import list_session, register_tenant
from daybook.engines.dynamodb.keys import id_key, new_nonce, new_stream
from daybook.engines.dynamodb.marks import announce
from daybook.engines.dynamodb.streams import Known, flush, known_ids, pack_tail
from daybook.engines.dynamodb.trash import Holder, discard_blobs, forget_blobs, note_blobs
from daybook.model.session import Session
from daybook.protocols.message_log import PendingSession

__all__ = ["GroupCommit"]

_LONG_BODY = 64_000  # a longer body is a blob, so that heads stay small
_LONG_TAIL = 200_000  # a longer tail is a blob: a head has room for it and the session's facts


class GroupCommit:
    """Appends to one session on their way into one commit."""

    def __init__(
        self, calls: Calls, name: str, jobs: Sequence[AppendJob], tenants: set[str]
    ) -> None:
        """Remember what is to be done.

        Args:
            calls: The requests of this group.
            name: The session's name.
            jobs: The appends, all of one session.
            tenants: Those that are registered already.
        """
        self._calls = calls
        self._name = name
        self._jobs = jobs
        self._tenants = tenants
        self._tenant = jobs[0].scope.tenant
        self._now = max(job.now for job in jobs)
        self._noted_for = ""

    def run(self, cached: Loaded | None) -> tuple[Plan, Loaded]:
        """Commit the group; return the plan that came true and the head it left.

        Args:
            cached: The head as this process left it, if it is known: its condition tells whether
                it still stands, and nothing is answered from it that needs no commit.
        """
        done = None if cached is None else self._attempt(cached, certain=False)
        for _ in self._calls.rounds():
            done = done or self._attempt(load(self._calls, self._name), certain=True)
            if done is not None:
                break
        assert done is not None  # noqa: S101 - the rounds end like this or with an error
        self._tidy(done[0])
        return done

    def _attempt(self, loaded: Loaded, *, certain: bool) -> tuple[Plan, Loaded] | None:
        """Try it on a head; None if that head no longer stands."""
        if self._is_late(loaded):
            nothing = Plan(None, {}, answers=[None] * len(self._jobs))
            return (nothing, loaded) if certain else None
        before = self._ready(loaded)
        if before is None:
            return None
        head = before.head
        stream = new_stream(self._name) if head is None or head.session is None else head.stream
        known = self._look_up(before)
        if before.session is not None or any(job.create is not None for job in self._jobs):
            self._write_bodies(known, stream)
        plan = make_plan(before, known, self._jobs, stream)
        if not plan.changed:
            return (plan, before) if certain else None
        return self._commit(before, plan)

    def _is_late(self, before: Loaded) -> bool:
        """Tell whether the session has expired and nobody begins a new one: a sweep removes it."""
        if before.session is None or before.live(self._now):
            return False
        return all(job.create is None for job in self._jobs)

    def _ready(self, before: Loaded) -> Loaded | None:
        """Return a head that is not expired and whose tail is at hand."""
        if before.session is not None and not before.live(self._now):
            return drop(self._calls, before, self._tenant)
        if before.head is not None and before.head.staged is not None:
            return move_tail(self._calls, before)
        return before

    def _look_up(self, before: Loaded) -> Known:
        """Return the ids that are known, and prepare the commit: all in one round trip."""
        head, session = before.head, before.session
        if head is None or session is None:
            return {}
        entries = [entry for job in self._jobs for entry in job.entries]
        steps = [
            lambda: known_ids(self._calls, head, session, entries),
            lambda: flush(self._calls, head, session),
        ]
        if any(job.scope.reaches(session.user_id) for job in self._jobs):
            steps.append(lambda: self._announce(before, session))
        known: Known = {}
        for found in self._calls.together(steps):
            known.update(found)
        return known

    def _announce(self, before: Loaded, session: Session) -> Known:
        mark = PendingSession(self._tenant, session.user_id, session.id, next_mark(before))
        announce(self._calls, mark, 0 if before.head is None else before.head.mark)
        return {}

    def _write_bodies(self, known: Known, stream: str) -> None:
        """Write long bodies, once for all attempts."""
        fresh: list[tuple[Blob, bytes]] = []
        noted: list[tuple[Blob, Holder]] = []
        for job in self._jobs:
            for index, entry in enumerate(job.entries):
                if len(entry.body) <= _LONG_BODY or entry.id in known:
                    continue
                if index not in job.blobs:
                    job.blobs[index] = new_blob(entry.body)
                    fresh.append((job.blobs[index], entry.body))
                elif self._noted_for == stream:
                    continue
                noted.append((job.blobs[index], Holder("body", *id_key(stream, entry.id))))
        if noted:
            note_blobs(self._calls, noted)
            self._noted_for = stream
        for blob, body in fresh:
            write_blob(self._calls, blob, body)

    def _commit(self, before: Loaded, plan: Plan) -> tuple[Plan, Loaded] | None:
        head = plan.head
        assert head is not None and head.session is not None  # noqa: S101, PT018 - it changed
        after = replace(head, nonce=new_nonce(), mark=next_mark(before), tail=tuple(plan.fresh))
        if plan.created:
            register_tenant(self._calls, self._tenant, self._tenants)
            list_session(self._calls, self._tenant, after, head.session)
            self._announce(before, head.session)
        packed = pack_tail(plan.fresh)
        if len(packed) > _LONG_TAIL:
            after = self._staged(after, packed)
        committed = commit(self._calls, before, after)
        if committed is not None:
            return plan, committed
        if after.staged is not None:
            discard_blobs(self._calls, [after.staged])
        return None

    def _staged(self, head: Head, packed: bytes) -> Head:
        """Write a long tail beside the head."""
        blob = new_blob(packed)
        note_blobs(self._calls, [(blob, Holder("tail", self._name))])
        write_blob(self._calls, blob, packed)
        return replace(head, tail=(), staged=blob, staged_count=len(head.tail))

    def _tidy(self, plan: Plan) -> None:
        """Take away the notes of long bodies that are stored, and the bodies that were not."""
        answered = self._jobs[: len(plan.answers)]
        written = [blob for job in answered for blob in job.blobs.values()]
        if written:
            used = {entry.blob for entry in plan.fresh}
            forget_blobs(self._calls, [blob for blob in written if blob in used])
            discard_blobs(self._calls, [blob for blob in written if blob not in used])
