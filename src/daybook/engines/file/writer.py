"""The thread that writes: callers that wait together share a round of syncs.

Locks between processes are only ever tried. What meets a lock that another process holds is put
aside and tried again, so one busy session never holds up the others.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from daybook.enginekit.pending_answer import PendingAnswer, deliver_all
from daybook.engines.file.driver_errors import ENGINE, translate
from daybook.engines.file.file_lock import BusyError
from daybook.errors import StoreClosedError, StoreUnavailableError

__all__ = ["Outcome", "Writer"]

Q = TypeVar("Q")
A = TypeVar("A")
T = TypeVar("T")

_LONGEST_GATHER_S = 0.002
_MOST_JOBS = 512  # in one round: bounds how long the first waits for the last
_FIRST_PAUSE_S = 0.0002
_LONGEST_PAUSE_S = 0.005

Outcome = tuple[A | None, BaseException | None]


class _Ticket(PendingAnswer):
    """A job, or a request that may be done together with others."""

    __slots__ = ("deadline", "job", "request")

    def __init__(self, operation: str, job: Callable[[], Any] | None, request: Any) -> None:
        super().__init__(operation)
        self.job = job
        self.request = request
        self.deadline = 0.0


class Writer(Generic[Q, A]):
    """Runs what changes files, in the order it came."""

    def __init__(
        self, name: str, together: Callable[[Sequence[Q]], list[Outcome[A]]], lock_timeout_s: float
    ) -> None:
        """Start the thread.

        Args:
            name: Of the thread.
            together: Does many requests at once; an outcome's error may be `BusyError`.
            lock_timeout_s: How long a call waits for another process.
        """
        self._together = together
        self._lock_timeout_s = lock_timeout_s
        self._queue: SimpleQueue[_Ticket | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._closed = False
        self._pause_s = _FIRST_PAUSE_S
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[], T], operation: str) -> T:
        """Run a job alone and return its result.

        Raises:
            DaybookError: What the job raised, or the system; mapped.
        """
        ticket = _Ticket(operation, job, None)
        self._put(ticket)
        result: T = await ticket.future
        return result

    async def run_together(self, request: Q, operation: str) -> A:
        """Do a request along with others that wait, and return its answer."""
        ticket = _Ticket(operation, None, request)
        self._put(ticket)
        answer: A = await ticket.future
        return answer

    def _put(self, ticket: _Ticket) -> None:
        with self._gate:
            if self._closed:
                raise StoreClosedError(
                    "the store was closed", engine=ENGINE, operation=ticket.operation
                )
            self._queue.put(ticket)

    def close(self) -> None:
        """Finish what waits, then end the thread. Blocks until done. Repeatable."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        company, patience_s = 1, 0.0
        aside: list[_Ticket] = []
        stop = False
        while not stop or aside:
            batch, stop = self._gather(aside, company, patience_s, stop)
            started = time.perf_counter()
            for _, run in groupby(batch, key=lambda ticket: ticket.job is None):
                self._do(list(run))
            patience_s = min(time.perf_counter() - started, _LONGEST_GATHER_S)
            aside = self._put_aside(batch)
            answered = [ticket for ticket in batch if not isinstance(ticket.error, BusyError)]
            company = len(answered)
            deliver_all(answered)

    def _gather(
        self, aside: list[_Ticket], company: int, patience_s: float, stop: bool
    ) -> tuple[list[_Ticket], bool]:
        """Take what waits, and for a moment those who shared the last round.

        Without that, callers fall into two halves that wait for each other's sync. One caller
        alone never waits.
        """
        batch = list(aside)
        if stop:
            time.sleep(self._pause_s)
            return batch, True
        wait = self._pause_s if aside else None
        deadline = 0.0
        with suppress(Empty):
            while len(batch) < _MOST_JOBS:
                ticket = self._queue.get(block=wait is None or wait > 0, timeout=wait)
                if ticket is None:
                    return batch, True
                batch.append(ticket)
                now = time.perf_counter()
                deadline = deadline or (now + patience_s if company > 1 else now)
                wait = max(0.0, deadline - now) if len(batch) < company else 0.0
        return batch, False

    def _do(self, run: list[_Ticket]) -> None:
        """Do neighbours of one kind."""
        if run[0].job is None:
            self._do_together(run)
            return
        for ticket in run:
            ticket.error = None
            try:
                if ticket.job is not None:
                    ticket.result = ticket.job()
            except BaseException as exc:  # noqa: BLE001 - handed to the caller who asked
                ticket.error = _mapped(exc, ticket.operation)

    def _do_together(self, run: list[_Ticket]) -> None:
        try:
            outcomes = self._together([ticket.request for ticket in run])
        except BaseException as exc:  # noqa: BLE001 - handed to the callers; the thread goes on
            outcomes = [(None, exc)] * len(run)
        for ticket, (result, error) in zip(run, outcomes, strict=True):
            ticket.result, ticket.error = result, _mapped(error, ticket.operation)

    def _put_aside(self, batch: list[_Ticket]) -> list[_Ticket]:
        """Return the calls that met a lock and still have time."""
        now = time.monotonic()
        busy = [ticket for ticket in batch if isinstance(ticket.error, BusyError)]
        for ticket in busy:
            ticket.deadline = ticket.deadline or now + self._lock_timeout_s
            if ticket.deadline <= now:
                ticket.error = StoreUnavailableError(
                    f"another process held a lock for {self._lock_timeout_s:g} s; retry, or end "
                    "the process that hangs",
                    engine=ENGINE,
                    operation=ticket.operation,
                )
        if len(busy) < len(batch):
            self._pause_s = _FIRST_PAUSE_S
        else:
            jitter = random.uniform(0.5, 1.5)  # noqa: S311 - no secret
            self._pause_s = min(self._pause_s * 2, _LONGEST_PAUSE_S) * jitter
        return [ticket for ticket in busy if isinstance(ticket.error, BusyError)]


def _mapped(error: BaseException | None, operation: str) -> BaseException | None:
    """Return an error as callers see it; each gets one of its own."""
    if not isinstance(error, OSError):
        return error
    mapped = translate(error, operation)
    mapped.__cause__ = error
    return mapped
