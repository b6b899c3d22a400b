"""How many calls may be repeated, so that an outage is not multiplied by those who wait for it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

from daybook.errors import ConfigError

__all__ = ["RetryBudget"]

_SLOTS = 10


class RetryBudget:
    """Allows a share of the calls of a sliding window to be repeated.

    Share one among models of one provider, from any thread.

    Example:
        >>> budget = RetryBudget(share=0.2, window_s=60, at_least=1)
        >>> for _ in range(10):
        ...     budget.called()
        >>> [budget.take() for _ in range(3)]
        [True, True, False]
    """

    def __init__(
        self,
        *,
        share: float = 0.2,
        window_s: float = 60.0,
        at_least: int = 10,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with an empty window.

        Args:
            share: Most retries for each call of the window, 0 to 1.
            window_s: How far back calls and retries count, to a tenth of it.
            at_least: Retries in a window that are allowed however few calls there were: a share
                of one call is none.
            monotonic: Seconds that never go back.

        Raises:
            ConfigError: A number is out of its range.
        """
        if not 0 <= share <= 1 or not window_s > 0 or at_least < 0:
            raise ConfigError(
                "retry budget: share must be 0 to 1, window_s above 0, at_least 0 or more"
            )
        self._share = share
        self._slot_s = window_s / _SLOTS
        self._at_least = at_least
        self._monotonic = monotonic
        self._lock = Lock()
        self._slots: deque[list[int]] = deque()  # number of the slot, calls, retries

    def called(self) -> None:
        """Count a call (not a retry)."""
        with self._lock:
            self._slot()[1] += 1

    def take(self) -> bool:
        """Count a retry if one is left; tell whether it was."""
        with self._lock:
            now = self._slot()
            calls = sum(slot[1] for slot in self._slots)
            retries = sum(slot[2] for slot in self._slots)
            if retries + 1 > max(self._at_least, int(self._share * calls)):
                return False
            now[2] += 1
            return True

    def _slot(self) -> list[int]:
        """Return the present slot; what has left the window is forgotten."""
        number = int(self._monotonic() / self._slot_s)
        while self._slots and self._slots[0][0] <= number - _SLOTS:
            self._slots.popleft()
        if not self._slots or self._slots[-1][0] != number:
            self._slots.append([number, 0, 0])
        return self._slots[-1]
