"""`book.history` for code that is not async."""

from __future__ import annotations

from collections.abc import Sequence

from daybook.facets.history import History
from daybook.loop_thread import LoopThread
from daybook.model.entry import HistoryEntry, Receipt
from daybook.model.message import Message

__all__ = ["BlockingHistory"]

# `list` is a method below, so the types that need the builtin are named here.
_Messages = list[Message]
_Entries = list[HistoryEntry]


class BlockingHistory:
    """Blocking twin of `History`."""

    def __init__(self, facet: History, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def append(
        self,
        session_id: str,
        messages: Message | Sequence[Message],
        *,
        user_id: str | None = None,
    ) -> Receipt:
        """See `History.append`."""
        return self._run(self._facet.append(session_id, messages, user_id=user_id))

    def list(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        after: int = 0,
        before: int | None = None,
        user_id: str | None = None,
        hidden: bool = False,
    ) -> _Messages:
        """See `History.list`."""
        return self._run(
            self._facet.list(
                session_id, limit=limit, after=after, before=before, user_id=user_id, hidden=hidden
            )
        )

    def entries(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        after: int = 0,
        before: int | None = None,
        user_id: str | None = None,
        hidden: bool = False,
    ) -> _Entries:
        """See `History.entries`."""
        return self._run(
            self._facet.entries(
                session_id, limit=limit, after=after, before=before, user_id=user_id, hidden=hidden
            )
        )

    def clear(self, session_id: str, *, user_id: str | None = None) -> int:
        """See `History.clear`."""
        return self._run(self._facet.clear(session_id, user_id=user_id))
