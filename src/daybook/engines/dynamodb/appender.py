"""Appends: those that wait for one session share its next commit.

The first one's thread leads: it commits what waits, group after group, until nothing does. Other
processes are met at the head's condition: whoever loses reads the head anew and tries again.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from threading import Lock

from daybook.engines.dynamodb.append_commit import GroupCommit
from daybook.engines.dynamodb.append_group import AppendJob
from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.drops import move_tail
from daybook.engines.dynamodb.heads import Loaded
from daybook.engines.dynamodb.keys import session_name
from daybook.engines.dynamodb.worker import Worker
from daybook.errors import DaybookError
from daybook.model.entry import AppendResult

__all__ = ["Appender"]

_GROUP_BYTES = 150_000  # what one commit takes of those that wait
_SOON_MOVED = 16_000  # a longer tail leaves the head at once: each commit pays for its bytes
_HEADS_KEPT = 512


class Appender:
    """Queues by session, and the heads that the last commits left."""

    def __init__(self, worker: Worker, tenants: set[str]) -> None:
        """Begin with no queues.

        Args:
            worker: Runs the leaders.
            tenants: Those that are registered already, shared with the other stores.
        """
        self._worker = worker
        self._tenants = tenants
        self._lock = Lock()
        self._waiting: dict[str, deque[AppendJob]] = {}
        self._heads: OrderedDict[str, Loaded] = OrderedDict()

    async def append(self, job: AppendJob) -> AppendResult | None:
        """Append one batch; see `MessageLog.append`."""
        name = session_name(job.scope.tenant, job.session_id)
        with self._lock:
            queue = self._waiting.get(name)
            if queue is None:
                self._worker.submit(lambda: self._lead(name), "append")
                queue = self._waiting[name] = deque()
            queue.append(job)
        return await self._worker.wait(job.future, "append")

    def _lead(self, name: str) -> None:
        while jobs := self._take(name):
            ready = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            while ready:
                ready = self._serve(name, ready)

    def _take(self, name: str) -> list[AppendJob]:
        """Return what waits, as far as one commit holds it; with nothing left the leader ends."""
        with self._lock:
            queue = self._waiting[name]
            jobs: list[AppendJob] = []
            size = 0
            while queue and (not jobs or size + queue[0].size <= _GROUP_BYTES):
                jobs.append(queue.popleft())
                size += jobs[-1].size
            if not jobs:
                del self._waiting[name]
            return jobs

    def _serve(self, name: str, jobs: list[AppendJob]) -> list[AppendJob]:
        """Commit a group and answer it; return those that need a commit of their own."""
        calls = self._worker.calls("append")
        try:
            plan, after = GroupCommit(calls, name, jobs, self._tenants).run(self._kept(name))
        except BaseException as exc:  # noqa: BLE001 - it is raised again, by every waiting caller
            for job in jobs:
                job.future.set_exception(exc)
            return []
        for job, answer in zip(jobs, plan.answers, strict=False):
            if isinstance(answer, DaybookError):
                job.future.set_exception(answer)
            else:
                job.future.set_result(answer)
        self._keep(self._worker.calls("append"), after)
        return jobs[len(plan.answers) :]

    def _kept(self, name: str) -> Loaded | None:
        with self._lock:
            return self._heads.pop(name, None)

    def _keep(self, calls: Calls, after: Loaded) -> None:
        """Remember a head for the next append; a long tail is moved out of it first."""
        head = after.head
        if head is None:
            return
        if head.staged is not None or sum(len(one.body) for one in head.tail) > _SOON_MOVED:
            try:
                moved = move_tail(calls, after)
            except DaybookError as exc:  # the messages are stored; the next append moves them
                calls.postpone(exc)
                return
            if moved is None:
                return
            after = moved
        with self._lock:
            self._heads[after.name] = after
            while len(self._heads) > _HEADS_KEPT:
                self._heads.popitem(last=False)
