"""Copy a whole store to another engine, prove it, and keep up with a source that is in use."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from daybook.copying.checksums import combined, of_session
from daybook.copying.records import RecordCopier
from daybook.copying.report import CopyProblem, CopyProgress, CopyReport
from daybook.copying.sessions import SessionCopier
from daybook.errors import ConflictError, NotFoundError, StoreError
from daybook.facets.session_forks import all_sessions
from daybook.model.namespace import encode_namespace
from daybook.model.scope import Scope, is_internal
from daybook.model.session import Session
from daybook.registry import Engine

__all__ = ["copy_store"]

_MOST_PASSES = 20


async def copy_store(
    source: Engine,
    target: Engine,
    *,
    on_progress: Callable[[CopyProgress], None] | None = None,
) -> CopyReport:
    """Copy every tenant's sessions and records from one engine to another.

    What the destination holds already is compared and left, so a copy that was broken off goes on
    where it was, and a repeated one writes only what is new. Sequence numbers, ids, times, grants,
    forks and the versions of records stay as they are; a fork shares its parent's messages at the
    destination too. What only the destination holds is not touched. The search index is not
    copied: the destination builds its own when it is opened.

    The source may be in use: it is looked through again until nothing changed meanwhile (at most
    20 times). Each session and record is read back and compared by checksum once it is written.

    Args:
        source: Where everything is.
        target: Where it goes.
        on_progress: Called now and then.

    Raises:
        StoreError: An engine failed; run the copy again.
    """
    started = time.perf_counter()
    run = _Run(source, target, on_progress)
    passes = await run.all_passes()
    return run.report(passes, time.perf_counter() - started)


class _Run:
    """One copy and what it has seen."""

    def __init__(
        self, source: Engine, target: Engine, on_progress: Callable[[CopyProgress], None] | None
    ) -> None:
        self._source = source
        self._target = target
        self._on_progress = on_progress
        # What stands at the destination as at the source: facts, proof and messages by name.
        self._sessions: dict[tuple[str, str], tuple[bytes, bytes, int]] = {}
        self._begun: set[tuple[str, str]] = set()  # whose copying this run began
        self._records: dict[tuple[str, str, str], bytes] = {}
        self._problems: dict[tuple[str, str, str], CopyProblem] = {}
        self._written = self._shared = self._written_records = self._removed = 0
        self._total = 0

    async def all_passes(self) -> int:
        """Look through the source until it stands still; return how often that was."""
        for number in range(1, _MOST_PASSES + 1):
            tenants = await self._tenants()
            changed = False
            for tenant in tenants:
                changed |= await self._copy_sessions(tenant)
            for tenant in tenants:
                changed |= await self._copy_records(tenant)
            if not changed:
                return number
        return _MOST_PASSES

    async def _tenants(self) -> list[str]:
        found = {*await self._source.log.tenants(), *await self._source.records.tenants()}
        self._total = 0
        for tenant in found:
            stats = await self._source.log.stats(Scope(tenant))
            self._total += stats.session_count if stats else 0
        return sorted(found)

    async def _copy_sessions(self, tenant: str) -> bool:
        """Copy what changed of a tenant's sessions; tell whether anything had."""
        copier = SessionCopier(self._source.log, self._target.log, tenant)
        listed: set[str] = set()
        changed = False
        async for session in all_sessions(self._source.log, Scope(tenant)):
            listed.add(session.id)
            changed |= await self._bring(copier, tenant, session)
            self._tell("sessions", len(self._sessions), self._total)
        for place in [one for one in self._begun if one[0] == tenant]:
            # One that became active while the pages were read may have been missed by them.
            if place[1] in listed or await self._source.log.get_session(Scope(tenant), place[1]):
                continue
            await self._target.log.delete_session(Scope(tenant), place[1])
            self._sessions.pop(place, None)
            self._begun.discard(place)
            self._removed += 1
            changed = True
        return changed

    async def _bring(self, copier: SessionCopier, tenant: str, session: Session) -> bool:
        """Copy one session, its parents first; tell whether it had changed since the last look."""
        place = (tenant, session.id)
        state = of_session(session)
        if place in self._sessions and self._sessions[place][0] == state:
            return False
        for ancestor in session.ancestors:
            if (tenant, ancestor.session_id) not in self._sessions:
                parent = await self._source.log.get_session(Scope(tenant), ancestor.session_id)
                if parent is not None and parent.ancestors != session.ancestors:
                    await self._bring(copier, tenant, parent)
        try:
            await copier.check_origin(session)
            self._begun.add(place)
            done = await copier.copy(session)
            ours, theirs = await copier.proofs(session)
        except NotFoundError:
            return True  # it ended or was cleared meanwhile: the next look tells
        except (ConflictError, msgspec.MsgspecError) as exc:
            reason = str(exc) if isinstance(exc, ConflictError) else "a message does not decode"
            self._problems["session", tenant, session.id] = CopyProblem(
                tenant, "session", session.id, reason
            )
            return False
        if ours != theirs:
            raise StoreError(
                f"session {session.id} reads back with another checksum: run the copy again",
                engine=self._target.capabilities.engine,
                operation="copy",
            )
        self._problems.pop(("session", tenant, session.id), None)
        self._sessions[place] = (state, ours, session.message_count)
        self._written += done.written
        self._shared += done.shared
        return True

    async def _copy_records(self, tenant: str) -> bool:
        """Copy what changed of a tenant's records; tell whether anything had."""
        copier = RecordCopier(self._source.records, self._target.records, tenant)
        listed: set[tuple[str, str, str]] = set()
        changed = False
        async for namespace, key in copier.keys():
            done = await copier.copy(namespace, key)
            if done is None:
                continue
            written, checksum = done
            place = (tenant, encode_namespace(namespace), key)
            listed.add(place)
            changed |= self._records.get(place) != checksum
            if written and not await copier.matches(namespace, key, checksum):
                raise StoreError(
                    f"record {key} reads back with another checksum: run the copy again",
                    engine=self._target.capabilities.engine,
                    operation="copy",
                )
            self._records[place] = checksum
            self._written_records += written
            self._tell("records", len(self._records), len(self._records))
        for place in [one for one in self._records if one[0] == tenant and one not in listed]:
            await copier.remove(place[1], place[2])
            del self._records[place]
            changed = True
        return changed

    def _tell(self, stage: str, done: int, total: int) -> None:
        if self._on_progress is not None:
            self._on_progress(
                CopyProgress(stage=stage, done=done, total=total, messages=self._written)
            )

    def report(self, passes: int, elapsed_s: float) -> CopyReport:
        """Return what was done."""
        proofs = [
            (f"session {tenant!r} {name!r}", proof)
            for (tenant, name), (_, proof, _) in self._sessions.items()
        ]
        proofs += [
            (f"record {tenant!r} {namespace!r} {key!r}", proof)
            for (tenant, namespace, key), proof in self._records.items()
        ]
        tenants = {tenant for tenant, _ in self._sessions}
        tenants |= {tenant for tenant, _, _ in self._records}
        return CopyReport(
            tenants=tuple(sorted(one for one in tenants if not is_internal(one))),
            sessions=len(self._sessions),
            messages=sum(count for _, _, count in self._sessions.values()),
            written_messages=self._written,
            shared_messages=self._shared,
            records=len(self._records),
            written_records=self._written_records,
            removed_sessions=self._removed,
            passes=passes,
            verified=not self._problems,
            checksum=combined(proofs),
            problems=tuple(self._problems.values()),
            elapsed_s=elapsed_s,
        )
