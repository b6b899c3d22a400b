"""Worker processes of ``daybook reindex``: started, watched, stopped."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from daybook.cli.reindex_worker import WorkerReport
from daybook.config import worker_environment

__all__ = ["CrewReport", "run_crew"]

_LOOK_S = 0.5
_STOP_S = 10.0


class CrewReport(msgspec.Struct, frozen=True):
    """What all workers did together.

    Attributes:
        messages: Messages indexed.
        failed: Sessions or records that could not be.
        errors: What went wrong, worker by worker.
    """

    messages: int
    failed: int
    errors: tuple[str, ...]


async def run_crew(
    order: bytes, count: int, look: Callable[[], Awaitable[None]], *, threads: int
) -> CrewReport:
    """Let so many processes work, and look after them until all have ended.

    A worker that dies is not replaced: the others take over what it had. Leaving early, by an error
    or a cancellation, stops them; what they had written down stays.

    Args:
        order: The line each gets.
        count: How many.
        look: Called now and then meanwhile.
        threads: How many each may use to run a local model.
    """
    workers: list[Process] = []
    try:
        for _ in range(count):
            workers.append(await _start(order, threads))  # noqa: PERF401 - those there are stopped
        reading = [asyncio.create_task(_report(number, one)) for number, one in enumerate(workers)]
        while (await asyncio.wait(reading, timeout=_LOOK_S))[1]:
            await look()
        reports = [task.result() for task in reading]
    finally:
        await asyncio.gather(*(asyncio.shield(_stop(one)) for one in workers))
    return CrewReport(
        sum(one.messages for one in reports),
        sum(one.failed for one in reports),
        tuple(one.error for one in reports if one.error),
    )


async def _start(order: bytes, threads: int) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "daybook.cli.reindex_worker",
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env=worker_environment(threads),
        # Ctrl-C is for the command, which stops its workers.
        start_new_session=True,
    )
    if process.stdin is not None:
        process.stdin.write(order)
        with suppress(ConnectionError):  # it died at once: its end says so
            await process.stdin.drain()
    return process


async def _report(number: int, process: Process) -> WorkerReport:
    """Return what a worker says at its end; if it says nothing, how it ended."""
    said = b"" if process.stdout is None else await process.stdout.read()
    code = await process.wait()
    try:
        return msgspec.json.decode(said, type=WorkerReport)
    except msgspec.DecodeError:
        error = f"worker {number + 1} ended by itself (exit code {code})"
        return WorkerReport(error=error)


async def _stop(process: Process) -> None:
    """Let a worker stop where it is; end it if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
