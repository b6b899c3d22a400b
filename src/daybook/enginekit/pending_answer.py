"""What a thread owes to callers on event loops: an answer for each, one wake-up for each loop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

__all__ = ["PendingAnswer", "deliver_all"]


class PendingAnswer:
    """One call of the running event loop's, to be answered from a thread.

    Attributes:
        operation: What was called, for errors.
        future: What the caller waits for.
        result: The answer, once there is one.
        error: What is raised instead.
    """

    __slots__ = ("error", "future", "loop", "operation", "result")

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def deliver(self) -> None:
        """Answer; on the caller's loop."""
        if self.future.done():  # the caller was cancelled; what it asked for is done all the same
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def deliver_all(answers: Iterable[PendingAnswer]) -> None:
    """Wake each caller's event loop once for all its calls; from any thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[PendingAnswer]] = {}
    for answer in answers:
        by_loop.setdefault(answer.loop, []).append(answer)
    for loop, owed in by_loop.items():
        try:
            loop.call_soon_threadsafe(_deliver, owed)
        except RuntimeError:
            if not loop.is_closed():  # a closed loop has nobody left to tell
                raise


def _deliver(answers: list[PendingAnswer]) -> None:
    for answer in answers:
        answer.deliver()
