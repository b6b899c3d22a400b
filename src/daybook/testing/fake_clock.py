"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["START", "FakeClock"]

START = datetime(2024, 2, 29, 23, 59, 59, 123457, tzinfo=UTC)


class FakeClock:
    """A `Clock` for tests; it may also be moved back, as machines' clocks sometimes are."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the moment it was set to."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move by `step`, which may be negative, and return the new moment."""
        self._now += step
        return self._now
