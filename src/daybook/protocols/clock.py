"""Time and fresh ids as things that are handed in, so that tests decide them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from daybook.model.identifiers import new_id

__all__ = ["Clock", "IdFactory", "SystemClock", "new_id"]

IdFactory = Callable[[], str]


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, UTC."""
        return datetime.now(UTC)
