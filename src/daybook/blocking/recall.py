"""`book.recall` for code that is not async."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from daybook.facets.recall import Recall, RecallState
from daybook.loop_thread import LoopThread
from daybook.model.hit import Hit

if TYPE_CHECKING:
    from daybook.model.passage import Recollection

__all__ = ["BlockingRecall"]

# `list` is a method below, so the types that need the builtin are named here.
_Hits = list[Hit]


class BlockingRecall:
    """Blocking twin of `Recall`."""

    def __init__(self, facet: Recall, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def search(  # noqa: PLR0913 - as `Recall.search`
        self,
        query: str,
        *,
        user_id: str,
        session_id: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        neighbours: int | None = None,
        max_tokens: int | None = None,
        explain: bool = False,
        read_your_writes: bool = True,
    ) -> _Hits:
        """See `Recall.search`."""
        return self._run(
            self._facet.search(
                query,
                user_id=user_id,
                session_id=session_id,
                since=since,
                until=until,
                limit=limit,
                neighbours=neighbours,
                max_tokens=max_tokens,
                explain=explain,
                read_your_writes=read_your_writes,
            )
        )

    def passages(
        self,
        query: str,
        *,
        user_id: str,
        session_id: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
        max_tokens: int = 500,
        read_your_writes: bool = True,
    ) -> Recollection:
        """See `Recall.passages`."""
        return self._run(
            self._facet.passages(
                query,
                user_id=user_id,
                session_id=session_id,
                since=since,
                until=until,
                limit=limit,
                max_tokens=max_tokens,
                read_your_writes=read_your_writes,
            )
        )

    def index(self, session_id: str, *, user_id: str | None = None) -> int:
        """See `Recall.index`."""
        return self._run(self._facet.index(session_id, user_id=user_id))

    def reindex(
        self,
        *,
        user_id: str | None = None,
        fresh: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """See `Recall.reindex`."""
        return self._run(self._facet.reindex(user_id=user_id, fresh=fresh, on_progress=on_progress))

    def is_lost(self) -> bool:
        """See `Recall.is_lost`."""
        return self._run(self._facet.is_lost())

    def flush(self, *, user_id: str | None = None) -> None:
        """See `Recall.flush`."""
        self._run(self._facet.flush(user_id=user_id))

    def state(self, *, user_id: str | None = None) -> RecallState:
        """See `Recall.state`."""
        return self._run(self._facet.state(user_id=user_id))
