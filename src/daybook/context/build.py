"""Plan a context: system, verbatim turns, recalled block, newest turn, under one token budget.

The layout keeps a provider's prompt cache: what changes with every call, the recalled block,
stands behind all that only grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from daybook.context.recalled_block import Quote, quotes_of, render_block
from daybook.context.tool_groups import Unit
from daybook.context.window import Selection, select_window
from daybook.errors import BudgetError
from daybook.model.context import ContextSections, RecalledMessage
from daybook.model.entry import HistoryEntry
from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.protocols.token_counter import TokenCounter

__all__ = ["ContextPlan", "RecallPlan", "plan_context"]


class RecallPlan(Struct, frozen=True, kw_only=True):
    """What recall found, and how much of it may be quoted.

    Attributes:
        hits: Best first.
        share: Part of the budget that the recalled block may take, 0 to 1.
        limit: Hits to quote at most.
        nonce: Unguessable, drawn for this call.
        session_id: The session that the context is of: its verbatim turns are not quoted again.
    """

    hits: Sequence[Hit]
    share: float
    limit: int
    nonce: str
    session_id: str


class ContextPlan(Struct, frozen=True, kw_only=True):
    """Messages of a context and where they came from.

    Attributes:
        messages: In the order in which they are to be sent.
        entries: Those of them that stand in the log, in the same order.
        broken: Entries left out because no provider accepts them.
        sections: Tokens per part; their sum is at most the budget.
        recalled: What the recalled block quotes, in order.
        left_out_recalled: Hits that found no room.
    """

    messages: tuple[Message, ...]
    entries: tuple[HistoryEntry, ...]
    broken: tuple[HistoryEntry, ...]
    sections: ContextSections
    recalled: tuple[RecalledMessage, ...]
    left_out_recalled: int

    @property
    def tokens(self) -> int:
        """What the messages take."""
        parts = self.sections
        return parts.system + parts.verbatim + parts.recalled + parts.newest


class _Block(Struct, frozen=True):
    """A rendered recalled block; `message` is None if there is nothing to quote."""

    message: Message | None = None
    tokens: int = 0
    sources: tuple[RecalledMessage, ...] = ()
    left_out: int = 0


def plan_context(
    entries: Sequence[HistoryEntry],
    *,
    max_tokens: int | None,
    counter: TokenCounter,
    recall: RecallPlan | None = None,
    truncated: bool = False,
) -> ContextPlan:
    """Fit a conversation, and what recall found, into a token budget.

    What must be kept comes first: every system message given and the newest user turn. Then
    the recalled block takes up to its share of the whole budget. Older turns fill the rest, newest
    first. The share stays free of older turns if there is anything to quote, however little it is:
    the window must not move with what recall happens to find.

    Args:
        entries: The conversation in log order, or its head and its newest part.
        max_tokens: The budget; None for no limit.
        counter: Counts the recalled block; entries bring their own counts.
        recall: What recall found; None if it was not asked.
        truncated: True if messages older than the newest part are missing from `entries`.

    Raises:
        BudgetError: System messages and newest user turn take more than `max_tokens`.

    Laws: those of `select_window`; system messages keep their places; the recalled block is
    one message of role user, directly before the newest user message; no message is both verbatim
    and quoted; no limit and no recall gives a sound conversation back unchanged.

    Cost: O(messages kept + system messages given + hits² for counting). Pure.
    """
    systems = [
        (index, entry) for index, entry in enumerate(entries) if entry.message.role == "system"
    ]
    system_tokens = sum(entry.tokens for _, entry in systems)
    budget = None if max_tokens is None else max_tokens - system_tokens
    window = _window(entries, budget, 0, max_tokens, truncated=truncated)
    block = _Block()
    if recall is not None and recall.hits:
        room = None
        if max_tokens is not None and budget is not None:
            room = min(int(max_tokens * recall.share), budget - window.newest_tokens)
        narrow = _window(entries, budget, room or 0, max_tokens, truncated=truncated)
        block = _fill_block(recall, narrow, room, counter)
        window = narrow if block.message else window
    return _lay_out(systems, window, block, system_tokens)


def _window(
    entries: Sequence[HistoryEntry],
    budget: int | None,
    reserve: int,
    max_tokens: int | None,
    *,
    truncated: bool,
) -> Selection:
    """Select, with errors that speak of the whole budget."""
    try:
        selection = select_window(entries, budget, reserve=reserve, truncated=truncated)
    except BudgetError as exc:
        if max_tokens is None:
            raise
        raise BudgetError(max_tokens - exc.available + exc.needed, max_tokens) from None
    if budget is not None and max_tokens is not None and budget < 0:
        raise BudgetError(max_tokens - budget, max_tokens)
    return selection


def _fill_block(
    recall: RecallPlan, window: Selection, room: int | None, counter: TokenCounter
) -> _Block:
    """Quote hits, best first, as long as the rendered block fits; a big one may make way."""
    taken = {
        (recall.session_id, entry.seq)
        for unit in (*window.older, *window.newest)
        for entry in unit.entries
    }
    quotes: dict[tuple[str, int], Quote] = {}
    block = _Block()
    used = left_out = 0
    for hit in recall.hits:
        if (hit.session_id, hit.seq) in taken or (hit.session_id, hit.seq) in quotes:
            continue
        if used == recall.limit:
            left_out += 1
            continue
        for offered in _offers(hit):
            more = {
                place: quote
                for quote in offered
                if (place := (quote.source.session_id, quote.source.seq)) not in taken
            }
            tried = _render({**more, **quotes}, recall.nonce, counter)
            if room is None or tried.tokens <= room:
                quotes, block, used = {**more, **quotes}, tried, used + 1
                break
        else:
            left_out += 1
    return _Block(block.message, block.tokens, block.sources, left_out)


def _offers(hit: Hit) -> Iterable[tuple[Quote, ...]]:
    """Yield a hit with its neighbours, then alone."""
    quotes = quotes_of(hit)
    yield quotes
    if len(quotes) > 1:
        yield tuple(quote for quote in quotes if quote.source.matched)


def _render(quotes: dict[tuple[str, int], Quote], nonce: str, counter: TokenCounter) -> _Block:
    """Render quotes by session in the order in which the sessions' first quotes were said."""
    first: dict[str, float] = {}
    for quote in quotes.values():
        moment = quote.said_at.timestamp() if quote.said_at else 0.0
        session = quote.source.session_id
        first[session] = min(moment, first.get(session, moment))
    ordered = sorted(
        quotes.values(),
        key=lambda one: (first[one.source.session_id], one.source.session_id, one.source.seq),
    )
    message = render_block(ordered, nonce)
    return _Block(message, counter.count(message), tuple(quote.source for quote in ordered))


def _lay_out(
    systems: Sequence[tuple[int, HistoryEntry]], window: Selection, block: _Block, system: int
) -> ContextPlan:
    before = window.newest[0].index if window.newest else None
    earlier = [one for one in systems if before is None or one[0] < before]
    older = _merged(earlier, window.older)
    later = [one for one in systems if before is not None and one[0] > before]
    newest = _merged(later, window.newest)
    quoted = [] if block.message is None else [block.message]
    return ContextPlan(
        messages=(
            *(entry.message for entry in older),
            *quoted,
            *(entry.message for entry in newest),
        ),
        entries=(*older, *newest),
        broken=tuple(entry for unit in window.broken for entry in unit.entries),
        sections=ContextSections(
            system=system,
            verbatim=window.older_tokens,
            recalled=block.tokens,
            newest=window.newest_tokens,
        ),
        recalled=block.sources,
        left_out_recalled=block.left_out,
    )


def _merged(
    systems: Sequence[tuple[int, HistoryEntry]], units: Sequence[Unit]
) -> list[HistoryEntry]:
    """Return entries of both in log order; a system message never parts a unit."""
    placed: list[tuple[int, tuple[HistoryEntry, ...]]] = [
        (index, (entry,)) for index, entry in systems
    ]
    placed += [(unit.index, unit.entries) for unit in units]
    placed.sort(key=lambda one: one[0])
    return [entry for _, entries in placed for entry in entries]
