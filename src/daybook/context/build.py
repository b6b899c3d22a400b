"""Lay a context out: system, profile, early turns, digest, verbatim turns, recalled, newest turn.

The layout keeps a provider's prompt cache: what changes with every call, the recalled block,
stands behind all that only grows, and what changes seldom stands before what grows.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

from msgspec import Struct
from msgspec.structs import replace

from daybook.context.cut import Cut, choose_cut
from daybook.context.recalled_block import quote_of, render_block
from daybook.context.sources import Kept, Sources, early_turns, pinned_places
from daybook.context.strategy import Strategy, StrategyLike, as_strategy
from daybook.context.tool_groups import Unit
from daybook.model.context import ContextSections, RecalledMessage
from daybook.model.entry import HistoryEntry
from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.protocols.token_counter import TokenCounter
from daybook.recall.evidence.budget import Chosen, Place, fill_budget

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
    """Quote what is worth most in the room there is; without a limit, all with what is around."""
    verbatim = (*cut.window.older, *cut.window.newest, *cut.early.units, *cut.pinned.units)
    taken = {(recall.session_id, entry.seq) for unit in verbatim for entry in unit.entries}
    free = [_without(hit, taken) for hit in recall.hits if (hit.session_id, hit.seq) not in taken]
    hits = free[: recall.limit]
    quoting = _Quoting(hits, recall.nonce, counter)
    room = cut.recall_room
    filled = fill_budget(
        hits,
        sys.maxsize if room is None else room - quoting.frame,
        quoting.cost,
        whole_surroundings=room is None,
    )
    chosen, left_out = list(filled.chosen), filled.left_out + len(free) - len(hits)
    while chosen:
        message, sources = quoting.render(chosen)
        tokens = counter.count(message)
        if room is None or tokens <= room:
            return _Quoted(message, tokens, sources, left_out)
        # The whole may take more than its parts did.
        last = chosen.pop()
        if last.context:
            chosen.append(replace(last, context=()))
        else:
            left_out += 1
    return _Quoted(left_out=left_out)


class _Quoting:
    """The quotes that hits would be given as, and their costs; `frame` is what none costs."""

    def __init__(self, hits: Sequence[Hit], nonce: str, counter: TokenCounter) -> None:
        self._nonce = nonce
        self._counter = counter
        self._hits = {(hit.session_id, hit.seq): hit for hit in hits}
        self._of_session = {hit.session_id: hit for hit in hits}
        self.frame = counter.count(render_block([], nonce))

    def cost(self, place: Place, message: Message, taken: Collection[Place]) -> int:  # noqa: ARG002
        """Return what a quote adds to the block."""
        hit = self._hits.get(place) or self._of_session[place[0]]
        quoted = quote_of(hit, message, place[1])
        return max(1, self._counter.count(render_block([quoted], self._nonce)) - self.frame)

    def render(self, chosen: Sequence[Chosen]) -> tuple[Message, tuple[RecalledMessage, ...]]:
        """Return the block, by session in the order in which the sessions' first quotes were said.

        And what it quotes, in that order.
        """
        quotes = [
            quote_of(one.hit, message, seq)
            for one in chosen
            for seq, message in (*one.context, (one.hit.seq, one.hit.message))
        ]
        first: dict[str, float] = {}
        for each in quotes:
            moment = each.said_at.timestamp() if each.said_at else 0.0
            session = each.source.session_id
            first[session] = min(moment, first.get(session, moment))
        quotes.sort(
            key=lambda one: (first[one.source.session_id], one.source.session_id, one.source.seq)
        )
        return render_block(quotes, self._nonce), tuple(each.source for each in quotes)


def _without(hit: Hit, taken: Collection[Place]) -> Hit:
    """Return a hit with its neighbours up to the first on each side that is `taken`."""
    own = next((at for at, one in enumerate(hit.messages) if one.id == hit.message.id), None)
    if own is None:
        return hit
    first, last = own, own
    while first and (hit.session_id, hit.seq - own + first - 1) not in taken:
        first -= 1
    while last + 1 < len(hit.messages) and (hit.session_id, hit.seq - own + last + 1) not in taken:
        last += 1
    return replace(hit, messages=hit.messages[first : last + 1])


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
