"""Try a contract against an engine and list what failed: how the kit itself is tested.

A kit that convicts nobody proves nothing, so every broken double must be convicted and the sound
engine must not be.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from daybook.errors import DaybookError
from daybook.protocols.clock import Clock
from daybook.registry import Engine

__all__ = ["Opener", "failures"]

Opener = Callable[[Clock], Awaitable[Engine]]

# ValueError and LookupError: a test that unpacks or looks up what is not there; RuntimeError: what
# asyncio says to an object of another event loop.
_VERDICTS = (
    AssertionError,
    DaybookError,
    ValueError,
    LookupError,
    RuntimeError,
    pytest.fail.Exception,
)


def failures(contract: Any, opener: Opener, *, only: str | None = None) -> dict[str, str]:
    """Run the tests of a contract; return the first line of each failure by the test's name.

    Args:
        contract: What is promised: a subclass of `Contract`, still without `open`.
        opener: Opens a fresh engine that keeps nothing.
        only: The one test to run; None for all.

    The random histories are left out: shrinking one for every double would take minutes.
    """

    async def open_engine(_self: object, clock: Clock) -> Engine:
        return await opener(clock)

    tried = type("Tried", (contract,), {"open": open_engine, "persists": False})
    found: dict[str, str] = {}
    for name in sorted(dir(tried)) if only is None else [only]:
        if name.startswith("test_") and not name.startswith("test_random"):
            try:
                getattr(tried(), name)()
            except _VERDICTS as exc:
                found[name] = str(exc).partition("\n")[0]
    return found
