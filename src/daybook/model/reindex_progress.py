"""How far a run is that indexes everything anew."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["ReindexProgress"]


class ReindexProgress(Struct, frozen=True, kw_only=True):
    """Counts of one run, over all processes that work on it and all times it was gone on with.

    Attributes:
        done: Sessions (or records) that are indexed anew.
        total: Sessions (or records) there were when the run began.
        messages_done: Their messages; of records the same as `done`.
        messages_total: Messages there were when the run began.
        failed: Sessions (or batches of records) that could not be indexed so far; the run tries
            them again when it is gone on with.
        holders: Names of those who work on a part at the moment, as ``host:process``.
    """

    done: int
    total: int
    messages_done: int
    messages_total: int
    failed: int = 0
    holders: tuple[str, ...] = ()
