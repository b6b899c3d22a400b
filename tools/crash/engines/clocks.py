"""Clocks that jump and differ between two clients: order stays, lives end when they should."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from daybook.client import AsyncDaybook
from daybook.errors import ConflictError
from daybook.testing.fake_clock import START, FakeClock
from tools.crash.store import USER, make_message
from tools.crash.tally import Tally

__all__ = ["JUMPS", "LateClock", "jump_clocks"]

_HOUR, _LONG, _MINUTE = timedelta(hours=1), timedelta(days=400), timedelta(minutes=1)
JUMPS = (
    *(_HOUR, -_HOUR, _LONG, -_LONG),
    *(30 * _MINUTE, 45 * _MINUTE, -_HOUR),  # a life goes on from each activity
    *(-_LONG, _LONG, _LONG, -_LONG),
)
"""How far the clock jumps, one after the other."""

_APART = 5 * _MINUTE
_KEPT, _BRIEF = "kept", "brief"


class LateClock:
    """The clock of a second machine, five minutes behind the first one's."""

    def __init__(self, first: FakeClock) -> None:
        self._first = first

    def now(self) -> datetime:
        """Return the moment it is there."""
        return self._first.now() - _APART


class _Lives:
    """What two clients do, and what must come of it."""

    def __init__(
        self, books: Sequence[AsyncDaybook], clocks: Sequence[FakeClock | LateClock]
    ) -> None:
        self.defects: list[str] = []
        self.appended = 0
        self._books = books
        self._clocks = clocks
        self._kept: list[str] = []
        self._brief: list[str] = []
        self._ends = START

    async def write(self, which: int) -> None:
        """Append to both sessions as one of the clients."""
        book, now = self._books[which], self._clocks[which].now()
        if self._ends <= now:
            self._brief = []
            try:
                await book.sessions.create(user_id=USER, session_id=_BRIEF, ttl=_HOUR)
            except ConflictError:
                self.defects.append(f"{_BRIEF} is there, though its life is over")
                return
        self._ends = now + _HOUR
        for session, held in ((_KEPT, self._kept), (_BRIEF, self._brief)):
            self.appended += 1
            message = make_message(f"m-{self.appended}")
            receipt = await book.history.append(session, message, user_id=USER)
            held.append(message.id)
            if receipt.first_seq != len(held):
                self.defects.append(f"{session}: number {receipt.first_seq}, not {len(held)}")

    async def look(self, when: str) -> None:
        """Compare what each client sees with what it must see by its own clock."""
        for book, clock in zip(self._books, self._clocks, strict=True):
            alive = self._ends > clock.now()
            for session, held in ((_KEPT, self._kept), (_BRIEF, self._brief if alive else [])):
                entries = await book.history.entries(session, user_id=USER)
                seen = [one.message.id for one in entries]
                if seen != held:
                    kind = "in another order" if sorted(seen) == sorted(held) else "not as stored"
                    self.defects.append(f"{when}: {session} is {kind}: {len(seen)} of {len(held)}")
                found = await book.sessions.get(session, user_id=USER)
                if (found is not None) is not bool(held):
                    self.defects.append(f"{when}: {session} is {'' if found else 'not '}there")


async def jump_clocks(engine: str, books: Sequence[AsyncDaybook], clock: FakeClock) -> Tally:
    """Let the clocks of one or two clients jump to and fro while they write.

    Args:
        engine: For the report.
        books: Opened on one empty place; the first with `clock`, the second with a `LateClock`.
        clock: The first one's.
    """
    tally = Tally("clock jumps", engine=engine)
    started = time.monotonic()
    clocks: list[FakeClock | LateClock] = [clock, LateClock(clock)]
    lives = _Lives(books, clocks[: len(books)])
    for number, jump in enumerate(JUMPS):
        await lives.write(number % len(books))
        await lives.write((number + 1) % len(books))
        await lives.look(f"before jump {number}")
        clock.advance(jump)
        tally.faults += 1
        await lives.look(f"after jump {number}")
    await lives.write(0)
    clock.advance(_HOUR + 2 * _APART)
    await lives.look("at the end")
    await books[0].sessions.expire_idle()
    left = [one.id for one in (await books[-1].sessions.list(user_id=USER)).items]
    if left != [_KEPT]:
        lives.defects.append(f"{left} are left at the end")
    tally.operations = lives.appended
    tally.add("jumps", (), lives.defects)
    tally.seconds = time.monotonic() - started
    return tally
