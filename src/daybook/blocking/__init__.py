"""`Daybook`: the same names and arguments as `AsyncDaybook`, for code that is not async.

Every method runs its async twin on one loop thread and waits; the texts stand there. A parity
test keeps the signatures equal.
"""

from __future__ import annotations

from daybook.blocking.daybook import Daybook

__all__ = ["Daybook"]
