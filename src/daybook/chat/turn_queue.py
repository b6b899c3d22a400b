"""Turns of one session queue: first come, first served in a process, a lease between processes.

Between processes there is no order of arrival: who finds the lease free first has it. A process
that died holds its lease until it ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from daybook.chat.ending import completed, ended
from daybook.chat.turn_line import Standing
from daybook.errors import DaybookError
from daybook.facets.turn_leases import TurnLease, TurnLeases
from daybook.model.session import Session

__all__ = ["Place", "TurnQueue"]

_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.25


class Place:
    """The head of a session's queue."""

    def __init__(self, lease: TurnLease, life: timedelta) -> None:
        self._lease = lease
        self._life = life

    async def is_ours(self) -> bool:
        """Tell whether nobody else can have had a turn since this one began.

        Asks the store only where the lease was not renewed in time.

        Raises:
            StoreError: The store failed.
        """
        if self._lease.remaining > self._life / 2:
            return True
        return await self._lease.renew()


class TurnQueue:
    """Lets one turn of a session run at a time."""

    def __init__(self, leases: TurnLeases, *, lease_s: float) -> None:
        """Make a queue.

        Args:
            leases: Those of the book.
            lease_s: So long others wait for a process that died in a turn.
        """
        self._leases = leases
        self._life = timedelta(seconds=lease_s)

    @asynccontextmanager
    async def turn(self, session: Session, standing: Standing) -> AsyncGenerator[Place]:
        """Wait for the turns before this one; hold the place for the length of the block.

        Raises:
            StoreError: The store failed.
        """
        await standing.wait()
        lease = self._leases.of(session, self._life)
        try:
            await self._take(lease)
            renewing = asyncio.create_task(self._renew(lease))
            try:
                yield Place(lease, self._life)
            finally:
                renewing.cancel()
                await ended(renewing)
        finally:
            # A failure here is no failure of the turn: the lease ends by itself.
            with contextlib.suppress(DaybookError):
                await completed(lease.release())

    async def _take(self, lease: TurnLease) -> None:
        pause_s = _FIRST_PAUSE_S
        while not await completed(lease.take()):
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))  # noqa: S311 - spreads callers
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _renew(self, lease: TurnLease) -> None:
        """Renew the lease while the turn lasts; a store that fails is asked again."""
        pause_s = self._life.total_seconds() / 3
        while True:
            await asyncio.sleep(pause_s)
            with contextlib.suppress(DaybookError):
                # Cut off in mid-write, it would not know its own version any more.
                if not await completed(lease.renew()):
                    return
