"""Thirty simulated days of sessions and records that end: a store stays as large as what lives.

The users stay the same: a few rows for each user that there ever was may stay. Two things are given
back later than by a sweep: what an index must be told is, once an index was told; and a session in
the list of someone it was shared with, once they look at the list.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

from daybook.client import AsyncDaybook
from daybook.testing.fake_clock import FakeClock
from tools.crash.store import make_message
from tools.crash.tally import Tally

__all__ = ["live_through"]

Measure = Callable[[], Awaitable[int]]

_DAY = timedelta(days=1)
_LIVES = timedelta(hours=60)  # of a session: it is gone at the end of its third day
_RECORD_LIVES = timedelta(hours=30)
_STEADY = 4  # days until as much ends as begins
_TOLERANCE = 1.05
_MESSAGES = 3
_FRIEND = "friend"


async def live_through(
    engine: str,
    book: AsyncDaybook,
    clock: FakeClock,
    measure: Measure,
    *,
    days: int,
    per_day: int,
    left_over: int = 0,
) -> Tally:
    """Let sessions, forks and records begin every day and end by themselves; sweep daily.

    Args:
        engine: For the report.
        book: Opened with `clock` on an empty place.
        clock: Is moved.
        measure: Returns how large the store is: rows, keys, files, items.
        days: How many days.
        per_day: Sessions that begin on each.
        left_over: By how much a store in which nothing lives may be larger than before the
            first day.
    """
    tally = Tally(f"{days} days of growth", engine=engine)
    started = time.monotonic()
    await _begin(book, "before", 4)
    await _pass(tally, book, clock, 4 * _DAY)
    empty = await measure()
    sizes = []
    for day in range(days):
        tally.operations += await _begin(book, f"day{day}", per_day)
        await _pass(tally, book, clock, _DAY)
        sizes.append(await measure())
    steady, most = max(sizes[_STEADY - 1 : _STEADY + 3]), max(sizes[_STEADY:])
    if most > steady * _TOLERANCE:
        tally.add("growth", (), [f"grew from {steady} to {most} in {days} days"])
    await _pass(tally, book, clock, 4 * _DAY)
    final = await measure()
    if final > empty + left_over:
        tally.add("growth", (), [f"{final - empty} are left when nothing lives"])
    tally.measures.update({"empty": empty, "steady": steady, "most": most, "at the end": final})
    tally.seconds = time.monotonic() - started
    return tally


async def _begin(book: AsyncDaybook, name: str, count: int) -> int:
    """Begin so many sessions of two users; return how many appends that were."""
    for number in range(count):
        user, session = f"user{number % 2}", f"{name}-{number}"
        await book.sessions.create(user_id=user, session_id=session, ttl=_LIVES)
        messages = [make_message(f"{session}-{one}") for one in range(_MESSAGES)]
        await book.history.append(session, messages, user_id=user)
        if number % 2:
            fork = f"{session}-fork"
            await book.sessions.fork(session, user_id=user, new_session_id=fork, ttl=_LIVES)
            await book.history.append(fork, make_message(f"{fork}-1"), user_id=user)
        if number % 4 == 1:
            await book.sessions.share(session, _FRIEND, user_id=user)
        for version in range(2):
            value = {"text": f"version {version} of a note"}
            await book.records.put((user, "notes"), session, value, ttl=_RECORD_LIVES)
    return count + count // 2


async def _pass(tally: Tally, book: AsyncDaybook, clock: FakeClock, span: timedelta) -> None:
    """Let time pass; look whether what ended is unreadable at once, then sweep."""
    await book.recall.flush()
    before = {one.id: one for one in (await book.sessions.list(limit=1000)).items}
    now = clock.advance(span)
    shown = {one.id for one in (await book.sessions.list(limit=1000)).items}
    for session, one in before.items():
        ended = one.expires_at is not None and one.expires_at <= now
        entries = await book.history.entries(session)
        if ended is (session in shown) or ended is bool(entries):
            tally.add("reading", (), [f"an ended session is shown, or a living one not: {session}"])
    if await book.records.list(limit=1000) and span > _RECORD_LIVES:
        tally.add("reading", (), ["an ended record is shown"])
    await book.sessions.expire_idle()
    await book.records.expire()
    await book.recall.flush()
    await book.sessions.shared_with(_FRIEND)
