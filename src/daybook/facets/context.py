"""`book.context`: what to send to a model.

Wired as ``ContextBuilder(history, sessions, recall, counter=counter, clock=clock)``. The decisions
are pure functions in `daybook.context`; this facet reads the log, no further back than needed, asks
recall, and writes the receipt.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any, Protocol

from msgspec import Struct

from daybook.context.build import ContextPlan, RecallPlan, plan_context
from daybook.context.window import select_window
from daybook.errors import BudgetError, InvalidInputError, NotFoundError
from daybook.facets.checks import check_limit
from daybook.facets.history import History
from daybook.facets.sessions import Sessions
from daybook.model.context import Context, ContextReceipt, LeftOut, SeqRange
from daybook.model.entry import HistoryEntry
from daybook.model.hit import Hit
from daybook.model.session import Session
from daybook.protocols.clock import Clock
from daybook.protocols.token_counter import TokenCounter

__all__ = ["ContextBuilder", "Searcher"]

_HEAD_CHUNK = 8
_SMALLEST_CHUNK = 16
_LARGEST_CHUNK = 4096


class Searcher(Protocol):
    """What a context needs of recall."""

    async def search(self, query: str, *, user_id: str, limit: int) -> list[Hit]:
        """Return the user's messages that best answer a question, best first."""
        ...


class _Reading(Struct, frozen=True):
    """What was read of a session: leading system messages, and an unbroken newest part."""

    entries: list[HistoryEntry]
    first_seq: int
    truncated: bool


class ContextBuilder:
    """Builds context windows from conversations."""

    def __init__(
        self,
        history: History,
        sessions: Sessions,
        recall: Searcher,
        *,
        counter: TokenCounter,
        clock: Clock,
        nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._history = history
        self._sessions = sessions
        self._recall = recall
        self._counter = counter
        self._clock = clock
        self._nonce = nonce

    async def build(
        self,
        session_id: str,
        *,
        max_tokens: int | None,
        query: str | None = None,
        user_id: str | None = None,
        recall_share: float = 0.25,
        recall_limit: int = 20,
    ) -> Context:
        """Return the messages to send to a model for a session's next answer.

        They are, in this order: system messages, the newest turns that fit, a marked block of
        recalled messages if a `query` is given, and the newest user turn. Tool calls and their
        results are in together or not at all; what no provider accepts is left out.

        Args:
            session_id: The session.
            max_tokens: The budget, in tokens as counted at append; None for no limit.
            query: What to recall from all of the owner's sessions; None or blank for no recall.
            user_id: Only if the session is this user's.
            recall_share: Part of `max_tokens` that recalled messages may take, 0 to 1.
            recall_limit: How many hits to quote at most.

        Raises:
            NotFoundError: There is no such session (of this user).
            BudgetError: System messages and the newest user turn take more than `max_tokens`.
            InvalidInputError: An argument is out of range.

        Of the system messages, those that open the session are always in, and those said later as
        far back as the window reaches; ones from the unread middle are named in the receipt.
        Ordering: log order, but for results that others spoke before; they move up to their call.
        Cost: reads the newest messages that fit and the session's opening, not the rest.
        """
        _check(max_tokens, query, recall_share)
        check_limit(recall_limit, "recall_limit")
        session = await self._sessions.get(session_id, user_id=user_id)
        if session is None:
            raise NotFoundError(
                f"no session {session_id}: it was deleted, has expired, or never was"
            )
        reading = await self._read(session, max_tokens)
        recall = await self._recalled(session, query, recall_share, recall_limit)
        plan = plan_context(
            reading.entries,
            max_tokens=max_tokens,
            counter=self._counter,
            recall=recall,
            truncated=reading.truncated,
        )
        receipt = self._receipt(session, max_tokens, reading, plan, query_given=recall is not None)
        return Context(messages=plan.messages, tokens=plan.tokens, receipt=receipt)

    def _receipt(
        self,
        session: Session,
        max_tokens: int | None,
        reading: _Reading,
        plan: ContextPlan,
        *,
        query_given: bool,
    ) -> ContextReceipt:
        return ContextReceipt(
            session_id=session.id,
            max_tokens=max_tokens,
            tokens=plan.tokens,
            included=_ranges(entry.seq for entry in plan.entries),
            left_out=_left_out(session, reading, plan),
            recalled=plan.recalled,
            left_out_recalled=plan.left_out_recalled,
            sections=plan.sections,
            query_given=query_given,
            built_at=self._clock.now(),
        )

    async def _recalled(
        self, session: Session, query: str | None, share: float, limit: int
    ) -> RecallPlan | None:
        """Ask recall for twice the limit: the best hits are often in verbatim already."""
        if query is None or not query.strip():
            return None
        hits = await self._recall.search(query, user_id=session.user_id, limit=2 * limit)
        return RecallPlan(
            hits=hits, share=share, limit=limit, nonce=self._nonce(), session_id=session.id
        )

    async def _read(self, session: Session, max_tokens: int | None) -> _Reading:
        """Read the newest messages until they overflow the budget, and the opening."""
        first = session.last_seq - session.message_count + 1
        owner = session.user_id
        if max_tokens is None:
            everything = await self._history.entries(session.id, user_id=owner)
            return _Reading(everything, first, truncated=False)
        chunk = _first_chunk(session, max_tokens)
        tail = await self._history.entries(session.id, limit=chunk, user_id=owner)
        while tail and tail[0].seq > first and not _overflows(tail, max_tokens):
            chunk = min(2 * chunk, _LARGEST_CHUNK)
            older = await self._history.entries(
                session.id, limit=chunk, before=tail[0].seq, user_id=owner
            )
            if not older:
                first = tail[0].seq
                break
            tail = older + tail
        if not tail or tail[0].seq <= first:
            return _Reading(tail, first, truncated=False)
        opening = await self._opening(session, first, tail[0].seq)
        return _Reading(opening + tail, first, truncated=True)

    async def _opening(self, session: Session, first: int, end: int) -> list[HistoryEntry]:
        """Return the system messages that open a session, up to place `end`."""
        opening: list[HistoryEntry] = []
        while first < end:
            stop = min(first + _HEAD_CHUNK, end)
            read = await self._history.entries(
                session.id, after=first - 1, before=stop, user_id=session.user_id
            )
            systems = list(takewhile(lambda entry: entry.message.role == "system", read))
            opening += systems
            if not read or len(systems) < len(read):
                break
            first = stop
        return opening


def _first_chunk(session: Session, max_tokens: int) -> int:
    """Guess how many messages fill the budget, from the session's mean, and a quarter more."""
    mean = max(1, session.token_count // max(1, session.message_count))
    return min(max(max_tokens * 5 // (4 * mean), _SMALLEST_CHUNK), _LARGEST_CHUNK)


def _overflows(tail: list[HistoryEntry], max_tokens: int) -> bool:
    """Tell whether nothing older than `tail` can matter: the budget is full, the turn is whole."""
    try:
        window = select_window(tail, max_tokens, truncated=True)
    except BudgetError:
        return True
    return bool(window.newest) and not window.exhausted


def _left_out(session: Session, reading: _Reading, plan: ContextPlan) -> LeftOut:
    """Account for all messages up to the newest one read; some may be newer than `session`."""
    read = reading.entries
    last = max(session.last_seq, read[-1].seq if read else 0)
    newer = sum(entry.tokens for entry in read if entry.seq > session.last_seq)
    seqs = sorted(entry.seq for entry in plan.entries)
    inside = sum(entry.tokens for entry in plan.entries)
    gaps = []
    expected = reading.first_seq
    for seq in [*seqs, last + 1]:
        if seq > expected:
            gaps.append((expected, seq - 1))
        expected = seq + 1
    return LeftOut(
        count=sum(end - start + 1 for start, end in gaps),
        tokens=max(0, session.token_count + newer - inside) if gaps else 0,
        seqs=tuple(gaps),
        broken=_ranges(entry.seq for entry in plan.broken),
    )


def _ranges(seqs: Iterable[int]) -> tuple[SeqRange, ...]:
    """Return sequence numbers as ascending ranges without a gap."""
    ranges: list[SeqRange] = []
    for seq in sorted(seqs):
        if ranges and ranges[-1][1] == seq - 1:
            ranges[-1] = (ranges[-1][0], seq)
        else:
            ranges.append((seq, seq))
    return tuple(ranges)


def _check(max_tokens: Any, query: Any, recall_share: Any) -> None:
    if max_tokens is not None:
        check_limit(max_tokens, "max_tokens")
    if query is not None and not isinstance(query, str):
        raise InvalidInputError(f"query must be a str or None, got {type(query).__name__}")
    if isinstance(recall_share, bool) or not isinstance(recall_share, int | float):
        raise InvalidInputError("recall_share must be a number from 0 to 1")
    if not 0 <= recall_share <= 1:
        raise InvalidInputError(f"recall_share must be from 0 to 1, got {recall_share}")
