"""The writer thread: whatever waits becomes one transaction, and one fsync answers everyone.

Durable commits cost one fsync each; callers that wait at the same time share it (group commit).
Each job still succeeds or fails alone: it runs in a savepoint of its own, or, where jobs of one
kind wait together, in one that is undone if any of them needs a closer look.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from daybook.enginekit.pending_answer import PendingAnswer, deliver_all
from daybook.engines.sqlite.connection import Synchronous, configure_writer, connect_writer
from daybook.engines.sqlite.driver_errors import ENGINE, map_errors, translate
from daybook.engines.sqlite.schema import check_file, migrate
from daybook.engines.sqlite.write_lock import WriteLock
from daybook.errors import DaybookError, StoreClosedError, StoreUnavailableError

__all__ = ["GroupedJob", "Writer"]

R = TypeVar("R")
T = TypeVar("T")
_Job = Callable[[sqlite3.Connection], Any]


@dataclass(frozen=True, slots=True)
class GroupedJob(Generic[R, T]):
    """A kind of job of which many, waiting together, are cheaper done as one.

    Attributes:
        alone: Does one request.
        together: Does many, in order, and returns their results; or None, having perhaps written,
            if one of them needs a closer look: then its writes are undone and each runs alone.
    """

    alone: Callable[[sqlite3.Connection, R], T]
    together: Callable[[sqlite3.Connection, Sequence[R]], Sequence[T] | None]


_LONGEST_GATHER_S = 0.002
_MOST_JOBS = 512  # in one transaction: bounds how long the first waits for the last


class _Ticket(PendingAnswer):
    """A job, and the kind and request of one that may be done together with others."""

    __slots__ = ("grouped", "job", "request")

    def __init__(
        self,
        job: _Job,
        operation: str,
        grouped: GroupedJob[Any, Any] | None = None,
        request: Any = None,
    ) -> None:
        super().__init__(operation)
        self.job = job
        self.grouped = grouped
        self.request = request


class Writer:
    """Runs jobs on the one connection that writes, in the order they came."""

    def __init__(self, path: Path, *, synchronous: Synchronous, lock_timeout_s: float) -> None:
        """Open the file, create or migrate its tables, start the thread.

        Raises:
            StoreError: The file cannot be opened, or is of a newer version.
        """
        self._lock = WriteLock(path.with_name(path.name + "-lock"), lock_timeout_s)
        self._queue: SimpleQueue[_Ticket | None] = SimpleQueue()
        self._closed = False
        self._gate = threading.Lock()
        try:
            with self._lock, map_errors("open"):
                self._connection = _open(path, synchronous)
        except BaseException:
            self._lock.close()
            raise
        self._thread = threading.Thread(target=self._work, name="daybook-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[sqlite3.Connection], T], operation: str) -> T:
        """Run `job` in the next transaction and return its result after the commit.

        Raises:
            DaybookError: What the job raised, or the commit; then nothing of the job is stored.
        """
        ticket = _Ticket(job, operation)
        self._put(ticket)
        result: T = await ticket.future
        return result

    async def run_grouped(self, grouped: GroupedJob[R, T], request: R, operation: str) -> T:
        """Run a request, together with others of its kind that wait; otherwise as `run`."""
        ticket = _Ticket(
            lambda connection: grouped.alone(connection, request), operation, grouped, request
        )
        self._put(ticket)
        result: T = await ticket.future
        return result

    def _put(self, ticket: _Ticket) -> None:
        with self._gate:
            if self._closed:
                raise StoreClosedError(
                    "the store was closed", engine=ENGINE, operation=ticket.operation
                )
            self._queue.put(ticket)

    def close(self) -> None:
        """Finish the queued jobs, then close. Blocks until done. Repeatable."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        try:
            with self._lock:  # closing the last connection checkpoints
                self._connection.close()
        except StoreUnavailableError:
            # Whoever keeps the lock has the file open: this is not the last connection.
            self._connection.close()
        finally:
            self._lock.close()

    def _work(self) -> None:
        company = 1  # how many were answered together last time: so many may come back
        patience_s = 0.0
        while True:
            first = self._queue.get()
            if first is None:
                return
            batch, stop = self._gather(first, company, patience_s)
            started = time.perf_counter()
            try:
                self._commit(batch)
            except BaseException as exc:  # noqa: BLE001 - handed to the callers; the thread goes on
                for ticket in batch:
                    ticket.error = exc
            patience_s = min(time.perf_counter() - started, _LONGEST_GATHER_S)
            company = len(batch)
            deliver_all(batch)
            if stop:
                return

    def _gather(
        self, first: _Ticket, company: int, patience_s: float
    ) -> tuple[list[_Ticket], bool]:
        """Take what waits; wait a little for callers who shared the last commit.

        Without that, callers fall into two halves that wait for each other's fsync. One caller
        alone never waits.
        """
        batch = [first]
        deadline = time.perf_counter() + patience_s if company > 1 else 0.0
        with suppress(Empty):
            while len(batch) < _MOST_JOBS:
                ticket = self._take(len(batch) < company, deadline)
                if ticket is None:
                    return batch, True
                batch.append(ticket)
        return batch, False

    def _take(self, more_expected: bool, deadline: float) -> _Ticket | None:
        left = deadline - time.perf_counter() if more_expected and deadline else 0.0
        return self._queue.get(timeout=left) if left > 0 else self._queue.get_nowait()

    def _commit(self, batch: list[_Ticket]) -> None:
        """Run a batch as one transaction; if that fails as a whole, each job in its own."""
        try:
            with self._lock:
                failure = self._try_commit(batch)
                if failure is not None and len(batch) > 1:
                    for ticket in batch:
                        ticket.error = self._try_commit([ticket]) or ticket.error
                elif failure is not None:
                    batch[0].error = failure
        except DaybookError as exc:  # the lock could not be had
            for ticket in batch:
                ticket.error = exc

    def _try_commit(self, batch: list[_Ticket]) -> DaybookError | None:
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                if len(batch) == 1:
                    _run_alone(connection, batch[0])
                else:
                    for grouped, run in groupby(batch, key=_kind):
                        _run_all(connection, grouped, list(run))
                    connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        except sqlite3.Error as exc:
            return translate(exc, batch[0].operation)
        return None


def _open(path: Path, synchronous: Synchronous) -> sqlite3.Connection:
    """Return the writer's connection to a file of ours, at the present schema version."""
    connection = connect_writer(path)
    try:
        version = check_file(connection, path)
        configure_writer(connection, synchronous)
        migrate(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _run_alone(connection: sqlite3.Connection, ticket: _Ticket) -> None:
    """Run the only job of a transaction; the caller rolls back what is left open."""
    ticket.error = None
    try:
        ticket.result = ticket.job(connection)
    except sqlite3.Error:
        raise
    except BaseException as exc:  # noqa: BLE001 - handed to the caller who asked
        ticket.error = exc
        return
    connection.execute("COMMIT")


def _kind(ticket: _Ticket) -> GroupedJob[Any, Any] | None:
    return ticket.grouped


def _run_all(
    connection: sqlite3.Connection, grouped: GroupedJob[Any, Any] | None, run: list[_Ticket]
) -> None:
    """Run neighbours of one kind, together if they can be."""
    if grouped is not None and len(run) > 1:
        connection.execute("SAVEPOINT run")
        results = grouped.together(connection, [ticket.request for ticket in run])
        if results is None:
            connection.execute("ROLLBACK TO run")
        connection.execute("RELEASE run")
        if results is not None:
            for ticket, result in zip(run, results, strict=True):
                ticket.result, ticket.error = result, None
            return
    for ticket in run:
        _run_in_savepoint(connection, ticket)


def _run_in_savepoint(connection: sqlite3.Connection, ticket: _Ticket) -> None:
    """Run one job; undo it alone if it fails for a reason of its own.

    A driver error ends the whole transaction: SQLite may have rolled it back already.
    """
    ticket.error = None
    connection.execute("SAVEPOINT job")
    try:
        ticket.result = ticket.job(connection)
    except sqlite3.Error:
        raise
    except BaseException as exc:  # noqa: BLE001 - handed to the caller who asked
        ticket.error = exc
        connection.execute("ROLLBACK TO job")
    connection.execute("RELEASE job")
