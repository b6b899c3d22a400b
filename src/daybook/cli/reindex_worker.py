"""One worker process of ``daybook reindex``: ``python -m daybook.cli.reindex_worker``.

It reads its order from standard input, so that no password stands in the list of processes, and
stops cleanly when that is closed: when whoever started it is gone. What it did is one line of JSON.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from dataclasses import asdict

import msgspec

from daybook.cli.settings import Settings
from daybook.errors import DaybookError

__all__ = ["KINDS", "WorkerOrder", "WorkerReport", "order_for"]

KINDS = ("sessions", "records")


class WorkerOrder(msgspec.Struct, frozen=True):
    """What a worker is to do.

    Attributes:
        settings: The command's settings, by name.
        kind: ``sessions`` or ``records``.
        run: Id of the run.
    """

    settings: dict[str, str | bool | None]
    kind: str
    run: str


class WorkerReport(msgspec.Struct, frozen=True):
    """What a worker did.

    Attributes:
        done: Sessions or records it indexed.
        messages: Their messages.
        failed: How many it could not index.
        error: Why, the first time; empty if all went well.
    """

    done: int = 0
    messages: int = 0
    failed: int = 0
    error: str = ""


def order_for(settings: Settings, kind: str, run: str) -> bytes:
    """Return an order as the line that a worker reads."""
    return msgspec.json.encode(WorkerOrder(asdict(settings), kind, run)) + b"\n"


async def _work(order: WorkerOrder) -> WorkerReport:
    settings = Settings(**order.settings)  # type: ignore[arg-type] # as `order_for` wrote them
    async with settings.open().without_rebuilding() as book:
        work = book.reindexing
        if work is None:
            return WorkerReport(error="there is no search index here")
        worker = work.turns() if order.kind == "sessions" else work.records()
        if not await worker.join(order.run):
            return WorkerReport()
        task = asyncio.create_task(worker.work())
        _cancel_when_left(asyncio.get_running_loop(), task)
        try:
            outcome = await task
        except asyncio.CancelledError:
            return WorkerReport()
        error = "" if outcome.error is None else str(outcome.error)
        return WorkerReport(outcome.done, outcome.weight, outcome.failed, error)


def _cancel_when_left(loop: asyncio.AbstractEventLoop, task: asyncio.Task[object]) -> None:
    """Stop at the next pause once nobody holds the other end of standard input."""

    def wait() -> None:
        # Not through sys.stdin: a thread that waits in there would hold its lock at exit.
        while os.read(0, 1):
            pass
        loop.call_soon_threadsafe(task.cancel)

    threading.Thread(target=wait, name="daybook-reindex-stdin", daemon=True).start()


def main() -> int:
    """Work as the line on standard input says; return the exit code."""
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=WorkerOrder)
    try:
        report = asyncio.run(_work(order))
    except DaybookError as exc:
        report = WorkerReport(error=str(exc))
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    return 1 if report.error else 0


if __name__ == "__main__":
    sys.exit(main())
