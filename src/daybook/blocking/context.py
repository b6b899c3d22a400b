"""`book.context` for code that is not async."""

from __future__ import annotations

from daybook.context.strategy import StrategyLike
from daybook.facets.context import ContextBuilder, Profile
from daybook.loop_thread import LoopThread
from daybook.model.context import Context, Explanation
from daybook.model.digest import Digest, DigestJob
from daybook.model.session import Session

__all__ = ["BlockingContextBuilder"]


class BlockingContextBuilder:
    """Blocking twin of `ContextBuilder`."""

    def __init__(self, facet: ContextBuilder, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def build(  # noqa: PLR0913 - as its twin
        self,
        session_id: str,
        *,
        max_tokens: int | None,
        query: str | None = None,
        strategy: StrategyLike | None = None,
        system: str | None = None,
        profile: Profile | None = None,
        model: str | None = None,
        user_id: str | None = None,
        keep_receipt: bool = True,
    ) -> Context:
        """See `ContextBuilder.build`."""
        return self._run(
            self._facet.build(
                session_id,
                max_tokens=max_tokens,
                query=query,
                strategy=strategy,
                system=system,
                profile=profile,
                model=model,
                user_id=user_id,
                keep_receipt=keep_receipt,
            )
        )

    def prepare(
        self,
        session_id: str,
        *,
        max_tokens: int | None,
        strategy: StrategyLike,
        model: str | None = None,
        user_id: str | None = None,
    ) -> bool:
        """See `ContextBuilder.prepare`."""
        return self._run(
            self._facet.prepare(
                session_id,
                max_tokens=max_tokens,
                strategy=strategy,
                model=model,
                user_id=user_id,
            )
        )

    def pin(self, session_id: str, seq: int, *, user_id: str | None = None) -> Session:
        """See `ContextBuilder.pin`."""
        return self._run(self._facet.pin(session_id, seq, user_id=user_id))

    def unpin(self, session_id: str, seq: int, *, user_id: str | None = None) -> Session:
        """See `ContextBuilder.unpin`."""
        return self._run(self._facet.unpin(session_id, seq, user_id=user_id))

    def digest(
        self, session_id: str, *, kind: str = "summary", user_id: str | None = None
    ) -> Digest | None:
        """See `ContextBuilder.digest`."""
        return self._run(self._facet.digest(session_id, kind=kind, user_id=user_id))

    def jobs(self, *, user_id: str, limit: int = 100) -> list[DigestJob]:
        """See `ContextBuilder.jobs`."""
        return self._run(self._facet.jobs(user_id=user_id, limit=limit))

    def explain(
        self, session_id: str, receipt_id: str | None = None, *, user_id: str | None = None
    ) -> Explanation:
        """See `ContextBuilder.explain`."""
        return self._run(self._facet.explain(session_id, receipt_id, user_id=user_id))
