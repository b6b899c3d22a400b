"""Clients as tasks beside a test that breaks what they work on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from types import TracebackType
from typing import Self

from daybook.client import AsyncDaybook
from tools.crash.append_checker import Append
from tools.crash.engines.session_calls import Call, SessionCalls, collect
from tools.crash.engines.session_client import Mix, SessionClient
from tools.crash.pulse import Pulse

__all__ = ["Crew"]

_POLL_S = 0.005


class Crew:
    """Clients that share one opened daybook and work for the length of an ``async with`` block."""

    def __init__(self, book: AsyncDaybook, mix: Mix) -> None:
        self.calls: list[tuple[str, Call]] = []
        self._pulse = Pulse()
        began, lived = time.monotonic_ns(), self._pulse.seconds
        self._clients = [
            SessionClient(book, number, mix, self._note, began, lived=lived)
            for number in range(mix.clients)
        ]
        self._going_on = True
        self._tasks: list[asyncio.Task[None]] = []

    def _note(self, session: str, call: Call) -> None:
        self.calls.append((session, call))

    @property
    def errors(self) -> Counter[str]:
        """How often clients met which error so far."""
        return sum((client.errors for client in self._clients), Counter())

    @property
    def acknowledged(self) -> int:
        """How many deliveries were acknowledged so far."""
        return sum(getattr(call, "outcome", "") == "ok" for _, call in self.calls)

    @property
    def slowest_s(self) -> float:
        """How long the slowest call took, as the event loop lived it."""
        return max(client.latest_s for client in self._clients)

    def by_session(self) -> dict[str, SessionCalls]:
        """Return what was seen, for the judge."""
        return collect(self.calls)

    def note_first(self, session: str, message_id: str) -> None:
        """Take down what was stored as number 1 before this crew began."""
        self._note(session, Append(-1, (message_id,), 0, 1, "ok", 1, 1))

    async def until_acknowledged(self, more: int, limit_s: float) -> float | None:
        """Return after how many seconds so many more were acknowledged; None if not in time.

        Seconds are those that the event loop lived.
        """
        wanted, began = self.acknowledged + more, self._pulse.seconds()
        while self.acknowledged < wanted:
            if self._pulse.seconds() - began > limit_s:
                return None
            await asyncio.sleep(_POLL_S)
        return self._pulse.seconds() - began

    async def __aenter__(self) -> Self:
        await self._pulse.__aenter__()
        self._tasks = [
            asyncio.create_task(client.work(lambda: self._going_on)) for client in self._clients
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._going_on = False
        try:
            await asyncio.gather(*self._tasks)
        finally:
            await self._pulse.__aexit__(kind, error, trace)
