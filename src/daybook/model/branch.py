"""Forks of a session seen from outside: a tree, and how two branches differ."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from daybook.model.entry import HistoryEntry
from daybook.model.session import Session

__all__ = ["Branch", "BranchDiff"]


class Branch(Struct, frozen=True):
    """A session in the tree of its forks.

    Attributes:
        session_id: Its id.
        session: The session; None if it is gone while forks of it live.
        forked_at: Up to which number it shares its parent's messages; None for the root.
        children: Its forks, in the order they were made.
    """

    session_id: str
    session: Session | None
    forked_at: int | None
    children: tuple[Branch, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Branch]]:
        """Yield this branch and all below it with their depth, parents first."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


class BranchDiff(Struct, frozen=True):
    """What two branches of one tree do not share.

    Attributes:
        shared_seq: Messages up to this number are the same in both.
        ours: What only the first one holds, in order.
        theirs: What only the second one holds, in order.
    """

    shared_seq: int
    ours: tuple[HistoryEntry, ...]
    theirs: tuple[HistoryEntry, ...]
