"""Lay a context out: system, profile, early turns, digest, verbatim turns, recalled, newest turn.

The layout keeps a provider's prompt cache: what changes with every call, the recalled block,
stands behind all that only grows, and what changes seldom stands before what grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from daybook.context.cut import Cut, choose_cut
from daybook.context.recalled_block import Quote, quotes_of, render_block
from daybook.context.sources import Kept, Sources, early_turns, pinned_places
from daybook.context.strategy import Strategy, StrategyLike, as_strategy
from daybook.context.tool_groups import Unit
from daybook.model.context import ContextSections, RecalledMessage
from daybook.model.entry import HistoryEntry
from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.protocols.token_counter import TokenCounter

__all__ = ["Block", "ContextPlan", "RecallPlan", "lay_out", "plan_context"]


class RecallPlan(Struct, frozen=True, kw_only=True):
    """What recall found, and how much of it may be quoted.

    Attributes:
        hits: Best first.
        limit: Hits to quote at most.
        nonce: Unguessable, drawn for this call.
        session_id: The session that the context is of: its verbatim turns are not quoted again.
    """

    hits: Sequence[Hit]
    limit: int
    nonce: str
    session_id: str


class ContextPlan(Struct, frozen=True, kw_only=True):
    """Messages of a context and where they came from.

    Attributes:
        messages: In the order in which they are to be sent.
        entries: Those of them that stand in the log, in the same order.
        early: Opening turns that are older than the window.
        pinned: Pinned messages, and what they answer, that are older than the window.
        broken: Entries left out because no provider accepts them.
        sections: Tokens per part; their sum is at most the budget.
        recalled: What the recalled block quotes, in order.
        left_out_recalled: Hits that found no room.
        cache_after: Places up to which the next context will most likely be the same.
    """

    messages: tuple[Message, ...]
    entries: tuple[HistoryEntry, ...]
    early: tuple[HistoryEntry, ...]
    pinned: tuple[HistoryEntry, ...]
    broken: tuple[HistoryEntry, ...]
    sections: ContextSections
    recalled: tuple[RecalledMessage, ...]
    left_out_recalled: int
    cache_after: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """What the messages take."""
        return self.sections.total


class Block(Struct, frozen=True):
    """A message that stands in no log: a system prompt, a profile, a digest; and its tokens."""

    message: Message
    tokens: int


class _Quoted(Struct, frozen=True):
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
    strategy: StrategyLike | None = None,
    pins: Sequence[int] = (),
    recall: RecallPlan | None = None,
) -> ContextPlan:
    """Fit a whole conversation, and what recall found, into a token budget.

    Args:
        entries: The conversation in log order.
        max_tokens: The budget; None for no limit.
        counter: Counts the recalled block; entries bring their own counts.
        strategy: Which parts there are; `TokenWindow()` unless given. A digest is not made here.
        pins: Sequence numbers of messages that stay.
        recall: What recall found; None if it was not asked.

    Raises:
        BudgetError: System messages, pinned messages and newest user turn take more than
            `max_tokens`.

    Laws: those of `select_window`; system messages and pinned ones keep their places; the recalled
    block is one message of role user, directly before the newest user message; no message is both
    verbatim and quoted; no limit and no recall gives a sound conversation back unchanged.

    Cost: O(messages kept + system messages given + hits² for counting). Pure.
    """
    chosen = Strategy() if strategy is None else as_strategy(strategy)
    kept = pinned_places(entries, pins) if pins else ()
    sources = Sources(
        entries=entries,
        early=early_turns(entries, chosen.early.turns)[0] if chosen.early else (),
        pinned=[entry for entry in entries if entry.seq in kept] if kept else (),
    )
    cut = choose_cut(sources, chosen, max_tokens=max_tokens, recalls=bool(recall and recall.hits))
    return lay_out(cut, counter=counter, recall=recall)


def lay_out(
    cut: Cut,
    *,
    counter: TokenCounter,
    system: Block | None = None,
    profile: Block | None = None,
    digest: Block | None = None,
    recall: RecallPlan | None = None,
) -> ContextPlan:
    """Put the parts of a context in order.

    Args:
        cut: What stays word for word, and the room for the rest.
        counter: Counts the recalled block.
        system: The caller's system prompt; the cut was told of its tokens.
        profile: What is known about the user; the cut was told of its tokens.
        digest: What stands for the messages left out, within the cut's room.
        recall: What recall found, in the order of its worth.
    """
    quoted = _Quoted()
    if recall is not None and recall.hits:
        quoted = _fill_block(recall, cut, counter)
    window = cut.window
    start = window.older[0].index if window.older else None
    before = window.newest[0].index if window.newest else None
    if start is None:
        start = before
    opening = [one for one in cut.systems if start is None or one[0] < start]
    inner = [one for one in cut.systems[len(opening) :] if before is None or one[0] < before]
    later = [one for one in cut.systems if before is not None and one[0] > before]
    front, lead = _front(opening, cut)
    older, newest = _merged(inner, window.older), _merged(later, window.newest)
    head: list[Message] = [system.message] if system else []
    head += [entry.message for entry in front[:lead]]
    head += [profile.message] if profile else []
    head += [entry.message for entry in front[lead:]]
    head += [digest.message] if digest else []
    body = [*head, *(entry.message for entry in older)]
    block = [quoted.message] if quoted.message else []
    messages = (*body, *block, *(entry.message for entry in newest))
    return ContextPlan(
        messages=messages,
        entries=(*front, *older, *newest),
        early=_entries(cut.early),
        pinned=_entries(cut.pinned),
        broken=tuple(entry for unit in window.broken for entry in unit.entries),
        sections=ContextSections(
            system=cut.system_tokens - (profile.tokens if profile else 0),
            profile=profile.tokens if profile else 0,
            early=cut.early.tokens + cut.pinned.tokens,
            digest=digest.tokens if digest else 0,
            verbatim=window.older_tokens,
            recalled=quoted.tokens,
            newest=window.newest_tokens,
        ),
        recalled=quoted.sources,
        left_out_recalled=quoted.left_out,
        cache_after=_cache_after(len(head), len(body), len(messages), quoted=bool(block)),
    )


def _front(opening: Sequence[tuple[int, HistoryEntry]], cut: Cut) -> tuple[list[HistoryEntry], int]:
    """Return what stands before the digest, in log order, and how many system messages lead it."""
    entries = [entry for _, entry in opening]
    units: list[tuple[int, tuple[HistoryEntry, ...]]] = [(one.seq, (one,)) for one in entries]
    units += [(unit.entries[0].seq, unit.entries) for unit in (*cut.early.units, *cut.pinned.units)]
    units.sort(key=lambda one: one[0])
    front = [entry for _, members in units for entry in members]
    lead = 0
    while lead < len(front) and front[lead].message.role == "system":
        lead += 1
    return front, lead


def _entries(kept: Kept) -> tuple[HistoryEntry, ...]:
    return tuple(entry for unit in kept.units for entry in unit.entries)


def _cache_after(head: int, body: int, end: int, *, quoted: bool) -> tuple[int, ...]:
    """Return the last places of what seldom changes, of what grows, and, unquoted, of all."""
    places = [head - 1, body - 1] if quoted else [head - 1, body - 1, end - 1]
    return tuple(sorted({place for place in places if place >= 0}))


def _fill_block(recall: RecallPlan, cut: Cut, counter: TokenCounter) -> _Quoted:
    """Quote hits, best first, as long as the rendered block fits; a big one may make way."""
    verbatim = (*cut.window.older, *cut.window.newest, *cut.early.units, *cut.pinned.units)
    taken = {(recall.session_id, entry.seq) for unit in verbatim for entry in unit.entries}
    filled = _Filled(recall, cut.recall_room, counter)
    for hit in recall.hits:
        place = (hit.session_id, hit.seq)
        if place not in taken and place not in filled.quotes:
            filled.add(hit, taken)
    return filled.rendered()


_Place = tuple[str, int]


class _Filled:
    """Quotes that fit a room. Each is counted once, alone; the whole block once, at the end."""

    def __init__(self, recall: RecallPlan, room: int | None, counter: TokenCounter) -> None:
        self.quotes: dict[_Place, Quote] = {}
        self._recall = recall
        self._counter = counter
        self._room = room
        self._frame = _render({}, recall.nonce, counter).tokens
        self._left = None if room is None else room - self._frame
        self._used: list[list[_Place]] = []
        self._left_out = 0
        self._least = 0

    def add(self, hit: Hit, taken: set[_Place]) -> None:
        """Take a hit in with its neighbours, or alone, or not at all."""
        if len(self._used) == self._recall.limit or self._is_full(hit):
            self._left_out += 1
            return
        for offered in _offers(hit):
            more = {
                place: quote
                for quote in offered
                if (place := (quote.source.session_id, quote.source.seq)) not in taken
                and place not in self.quotes
            }
            size = _render(more, self._recall.nonce, self._counter).tokens - self._frame
            if self._left is None or size <= self._left:
                self._left = None if self._left is None else self._left - size
                self.quotes.update(more)
                self._used.append([*more])
                return
        self._left_out += 1

    def _is_full(self, hit: Hit) -> bool:
        """Tell whether not even a heading fits, so that most hits need not be rendered at all."""
        if self._left is None:
            return False
        if not self._least:
            *_, alone = _offers(hit)
            empty = Quote(alone[0].source, None, alone[0].text.split("\n", 1)[0] + "\n| ")
            block = render_block([empty], self._recall.nonce)
            # Names and ids of other hits may be shorter.
            self._least = (self._counter.count(block) - self._frame) * 3 // 4
        return self._left < max(1, self._least)

    def rendered(self) -> _Quoted:
        """Return the block, less its last hits if the whole takes more than the parts did."""
        while self.quotes:
            block = _render(self.quotes, self._recall.nonce, self._counter)
            if self._room is None or block.tokens <= self._room:
                return _Quoted(block.message, block.tokens, block.sources, self._left_out)
            for place in self._used.pop():
                del self.quotes[place]
            self._left_out += 1
        return _Quoted(left_out=self._left_out)


def _offers(hit: Hit) -> Iterable[tuple[Quote, ...]]:
    """Yield a hit with its neighbours, then alone."""
    quotes = quotes_of(hit)
    yield quotes
    if len(quotes) > 1:
        yield tuple(quote for quote in quotes if quote.source.matched)


def _render(quotes: dict[tuple[str, int], Quote], nonce: str, counter: TokenCounter) -> _Quoted:
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
    return _Quoted(message, counter.count(message), tuple(quote.source for quote in ordered))


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
