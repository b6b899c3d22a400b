"""What a child process does until it is killed: workloads that acknowledge through a pipe.

Each acknowledgement is one line, one write, sent after the store acknowledged, never before.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from daybook.client import AsyncDaybook
from daybook.errors import DaybookError
from daybook.importers.run import import_file
from tools.crash.clients import append_and_read, append_unlocked
from tools.crash.engines.deliveries import run_delivery
from tools.crash.engines.session_client import run_client
from tools.crash.plan import PLANS, Clear, Delete, Index, Operation, Put, Reopen, numbered
from tools.crash.reindexing import run_reindex
from tools.crash.store import USER, make_message, open_book

__all__ = ["CHILDREN", "Send", "Spec"]

Spec = Mapping[str, Any]
Send = Callable[[str], None]


async def _perform(book: AsyncDaybook, operation: Operation) -> None:
    if isinstance(operation, Put):
        messages = [make_message(one, operation.size) for one in operation.ids]
        await book.history.append(operation.session, messages, user_id=USER)
    elif isinstance(operation, Clear):
        await book.history.clear(operation.session, user_id=USER)
    elif isinstance(operation, Delete):
        await book.sessions.delete(operation.session, user_id=USER)
    elif isinstance(operation, Index):
        await book.recall.flush()


async def _run_plan(spec: Spec, send: Send) -> None:
    """Run a plan from its step `start`; a failed operation is reported, and the rest goes on.

    With `early`, acknowledge before the work, with `careless`, after a failure too: the controls
    that a judge must convict.
    """
    try:
        await _run_steps(spec, send)
    except DaybookError as exc:  # the file does not open
        send(f"open {type(exc).__name__}")


async def _run_steps(spec: Spec, send: Send) -> None:
    path = Path(spec["path"])
    synchronous = spec.get("synchronous", "full")
    async with AsyncExitStack() as stack:
        book = await stack.enter_async_context(open_book(path, synchronous=synchronous))

        async def one(number: int, operation: Operation) -> None:
            if spec.get("early"):
                send(str(number))
            try:
                await _perform(book, operation)
            except DaybookError as exc:
                if not spec.get("careless"):
                    send(f"{number} {type(exc).__name__}")
                    return
            if not spec.get("early"):
                send(str(number))

        for step, operations in numbered(PLANS[spec["plan"]]):
            if step < spec.get("start", 0):
                continue
            if isinstance(operations[0][1], Reopen):
                await stack.aclose()
                book = await stack.enter_async_context(open_book(path, synchronous=synchronous))
            await asyncio.gather(*(one(number, operation) for number, operation in operations))


async def _run_import(spec: Spec, send: Send) -> None:
    """Import a file; acknowledge how many messages are stored."""
    async with open_book(Path(spec["path"])) as book:
        await import_file(
            book,
            spec["source"],
            user_id=USER,
            batch_size=spec["batch_size"],
            on_progress=lambda progress: send(str(progress.messages)),
        )


async def _hold_lock(spec: Spec, send: Send) -> None:
    """Take the write lock inside a transaction, say so, and stay until killed."""
    async with open_book(Path(spec["path"])) as book:
        await book.history.append("held", make_message("held-0-0"), user_id=USER)

        def stay(_: object) -> None:
            send("holding")
            os.read(spec["release_fd"], 1)

        engine: Any = book._engines[0]  # noqa: SLF001 - a fault from inside
        await engine.log._writer.run(stay, "hold")  # noqa: SLF001
        send("released")


async def _open_only(spec: Spec, send: Send) -> None:
    """Open a file, append one message, say what happened."""
    try:
        async with open_book(Path(spec["path"])) as book:
            message = make_message(f"opener-{spec['client']}-0")
            await book.history.append("openers", message, user_id=USER)
            send("ok")
    except DaybookError as exc:
        send(type(exc).__name__)


CHILDREN: dict[str, Callable[[Spec, Send], Any]] = {
    "plan": _run_plan,
    "import": _run_import,
    "hold": _hold_lock,
    "open": _open_only,
    "client": append_and_read,
    "unlocked": append_unlocked,
    "sessions": run_client,
    "delivery": run_delivery,
    "reindex": run_reindex,
}
