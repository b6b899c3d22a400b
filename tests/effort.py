"""How much a test does: a sample wherever tests run, all of it in `make torture`."""

from __future__ import annotations

import os

__all__ = ["LONG", "sample"]

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "torture"


def sample(count: int, *, long: int) -> int:
    """Return how many of something a test does: ``count``, and ``long`` in the long leg."""
    return long if LONG else count
