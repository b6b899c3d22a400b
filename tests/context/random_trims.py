"""Many random trims, judged: every strategy over conversations as agents really leave them.

`transcripts` shrinks what it finds and is slow; this draws from a seed, thousands a second, and
judges the whole laid-out context: what was kept, what it takes, and the shape that providers see.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from daybook.context.build import Block, ContextPlan, RecallPlan, lay_out
from daybook.context.cut import choose_cut
from daybook.context.digest_block import render_digest, render_profile
from daybook.context.sources import Sources, early_turns, pinned_places
from daybook.context.strategy import (
    ADAPTIVE,
    Buffer,
    Early,
    Observations,
    Relevant,
    StrategyLike,
    Summary,
    TokenWindow,
    Window,
    as_strategy,
)
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.context.window import select_window
from daybook.errors import BudgetError
from daybook.model.digest import Digest, Note
from daybook.model.entry import HistoryEntry
from daybook.model.hit import Hit
from daybook.model.message import ContentPart, Message, ToolCall
from tests.context.laws import newest_turn, sound_entries
from tests.context.provider_shapes import anthropic_faults, gemini_faults, openai_faults

__all__ = ["STRATEGIES", "Case", "Tally", "draw", "judge", "naive", "run"]

_COUNTER = ApproximateTokenCounter()
_NOW = datetime(2026, 5, 1, tzinfo=UTC)
_SYSTEM = Message.system("You are a helpful assistant.", id="system")
_PROFILE = render_profile("name: Ann\ncity: Oslo", "0f")
_NOTES = tuple(Note(f"Fact number {number} of Ann.", number, 1 + number % 3) for number in range(9))
_USER = Message.user("user")
_SAY = Message.assistant("say")
_RULE = Message.system("rule")
_PARTS = Message.user(
    (ContentPart("text", "look"), ContentPart("image", data={"url": "https://example.org/p.png"}))
)

STRATEGIES: dict[str, Callable[[random.Random], StrategyLike]] = {
    "Buffer": lambda _: Buffer(),
    "Window": lambda rng: Window(turns=rng.randint(1, 6)),
    "TokenWindow": lambda rng: TokenWindow(step=rng.choice((0.0, 0.1, 0.25, 0.5, 1.0))),
    "Early + Window": lambda rng: Early(turns=rng.randint(1, 3)) + Window(turns=rng.randint(1, 4)),
    "Early + TokenWindow": lambda rng: Early(turns=rng.randint(1, 3)) + TokenWindow(),
    "Summary + TokenWindow": lambda rng: Summary(max_tokens=rng.choice((None, 60, 200))),
    "Summary + Window": lambda rng: Summary() + Window(turns=rng.randint(1, 4)),
    "Observations + TokenWindow": lambda _: Observations() + TokenWindow(),
    "Relevant + TokenWindow": lambda rng: Relevant(share=rng.choice((0.0, 0.25, 0.9))),
    "adaptive": lambda _: ADAPTIVE,
    "Early + Summary + Relevant": lambda _: Early() + Summary() + Relevant(),
}


class Case(Struct, frozen=True):
    """A conversation, what of it the laws call sound and newest, and what is asked of it."""

    entries: list[HistoryEntry]
    sound: list[HistoryEntry]
    newest: list[HistoryEntry]
    name: str
    strategy: StrategyLike
    budget: int | None
    pins: tuple[int, ...]
    sources: Sources
    fixed: tuple[Block, ...]
    hits: tuple[Hit, ...]


class Tally(Struct):
    """What came of many trims."""

    trims: Counter[str]
    refused: Counter[str]
    broken: Counter[tuple[str, str]]

    @classmethod
    def empty(cls) -> Tally:
        return cls(Counter(), Counter(), Counter())

    def add(self, other: Tally) -> None:
        self.trims += other.trims
        self.refused += other.refused
        self.broken += other.broken


class _Writer:
    """Writes a conversation with calls that are answered late, in part, twice or never."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._open: list[str] = []
        self._answered: list[str] = []
        self._calls = 0
        self.messages: list[Message] = []

    def conversation(self, length: int) -> list[HistoryEntry]:
        rng = self._rng
        steady = rng.random()
        draw = rng.random
        while len(self.messages) < length:
            kind = draw()
            if self._open and draw() < steady:
                self._result()
            elif kind < 0.3:
                self.messages.append(_USER)
            elif kind < 0.5:
                self.messages.append(_SAY)
            elif kind < 0.72:
                self._call()
            elif kind < 0.85:
                self._result()
            elif kind < 0.9:
                self.messages.append(_PARTS)
            elif kind < 0.94:
                self.messages.append(_RULE)
            else:
                self._odd()
        return [
            HistoryEntry(seq, one, 1 + int(draw() * 30), corrupt=one is _SAY and draw() < 0.02)
            for seq, one in enumerate(self.messages, 1)
        ]

    def _call(self) -> None:
        ids = []
        for number in range(self._rng.choice((1, 1, 2, 3))):
            self._calls += 1
            again = number == 0 and self._rng.random() < 0.05
            ids.append("call-1" if again else f"call-{self._calls}")
        self.messages.append(
            Message.assistant("", tool_calls=[ToolCall(one, "look") for one in ids])
        )
        self._open += ids

    def _result(self) -> None:
        if self._open:
            call_id = self._open.pop(self._rng.randrange(len(self._open)))
            self._answered.append(call_id)
            self.messages.append(Message.tool("seen", tool_call_id=call_id))

    def _odd(self) -> None:
        answered = self._answered or ["nobody"]
        self.messages.append(Message.tool("?", tool_call_id=self._rng.choice(answered)))


def draw(rng: random.Random) -> Case:
    """Draw a conversation, a strategy, a budget, pins, and what else stands in the context."""
    entries = _Writer(rng).conversation(int(rng.random() ** 2 * 48))
    name = rng.choice(tuple(STRATEGIES))
    strategy = STRATEGIES[name](rng)
    total = sum(entry.tokens for entry in entries)
    budget = None if rng.random() < 0.04 else 1 + int(rng.random() * (total + 150))
    pins: tuple[int, ...] = ()
    if entries and rng.random() < 0.4:
        pins = tuple({rng.randint(1, len(entries)) for _ in range(rng.randint(1, 3))})
    fixed = tuple(
        Block(one, _COUNTER.count(one)) for one in (_SYSTEM, _PROFILE) if rng.random() < 0.25
    )
    hits = tuple(_hit(seq) for seq in range(1, 1 + rng.randint(0, 3)))
    hits = hits if as_strategy(strategy).relevant else ()
    sources = _sources(rng, entries, strategy, budget, pins)
    sound = sound_entries(entries)
    newest = newest_turn(sound)
    return Case(entries, sound, newest, name, strategy, budget, pins, sources, fixed, hits)


def _hit(seq: int) -> Hit:
    message = Message.user("quoted text", id=f"other-{seq}")
    return Hit(
        message=message,
        messages=(message,),
        session_id="other",
        seq=seq,
        score=1.0,
        why={},
        said_at=_NOW,
        speaker="Ann",
    )


def _sources(
    rng: random.Random,
    entries: list[HistoryEntry],
    strategy: StrategyLike,
    budget: int | None,
    pins: tuple[int, ...],
) -> Sources:
    """Read of a conversation what the reader of a session would: all, or the end that overflows."""
    chosen = as_strategy(strategy)
    kept = pinned_places(entries, pins) if pins else ()
    pinned = [entry for entry in entries if entry.seq in kept] if kept else ()
    early = early_turns(entries, chosen.early.turns)[0] if chosen.early else ()
    whole = Sources(entries=entries, early=early, pinned=pinned)
    if budget is None or isinstance(chosen.tail, Buffer) or rng.random() < 0.5:
        return whole
    turns = chosen.tail.turns if isinstance(chosen.tail, Window) else None
    size = rng.randint(1, 12)
    while size < len(entries):
        tail = entries[-size:]
        try:
            window = select_window(tail, budget, truncated=True, turns=turns)
        except BudgetError:
            break
        if window.newest and not window.exhausted:
            break
        size += size
    if size >= len(entries):
        return whole
    opening = 0
    while opening < len(entries) - size and entries[opening].message.role == "system":
        opening += 1
    return Sources(
        entries=entries[:opening] + entries[-size:],
        early=early,
        pinned=pinned,
        truncated=True,
        total_tokens=sum(entry.tokens for entry in entries),
    )


def built(case: Case) -> ContextPlan:
    """Choose what stays and lay all of it out, a digest of a size that needs cutting included."""
    strategy = as_strategy(case.strategy)
    cut = choose_cut(
        case.sources,
        strategy,
        max_tokens=case.budget,
        fixed_tokens=sum(block.tokens for block in case.fixed),
        recalls=bool(case.hits),
    )
    digest = None
    if strategy.digest is not None and cut.evicted_to:
        kind = "summary" if isinstance(strategy.digest, Summary) else "observations"
        prose = "Ann moved. She likes tea. " if kind == "summary" else ""
        made = Digest(
            kind=kind,  # type: ignore[arg-type] # one of the two
            first_seq=1,
            last_seq=cut.evicted_to,
            prose=prose,
            notes=_NOTES,
            made_by="model",
            mark="0123",
            made_at=_NOW,
        )
        rendered = render_digest(made, (), cut.digest_room, _COUNTER)
        digest = Block(*rendered) if rendered else None
    blocks = {block.message.role: block for block in case.fixed}
    recall = (
        RecallPlan(hits=case.hits, limit=3, nonce="ab12", session_id="s") if case.hits else None
    )
    return lay_out(
        cut,
        counter=_COUNTER,
        system=blocks.get("system"),
        profile=blocks.get("user"),
        digest=digest,
        recall=recall,
    )


def needed(case: Case) -> int:
    """Return the tokens of what must be kept, by the laws alone."""
    systems = [one for one in case.sources.entries if one.message.role == "system"]
    fixed = sum(block.tokens for block in case.fixed)
    if isinstance(case.strategy, Buffer):
        return fixed + sum(one.tokens for one in case.sound)
    must = {one.seq: one for one in (*systems, *case.newest, *_pinned(case))}
    return fixed + sum(one.tokens for one in must.values())


def _pinned(case: Case) -> list[HistoryEntry]:
    """Return pinned messages, their calls and results, and the user messages of their turns."""
    if not case.pins:
        return []
    opener: HistoryEntry | None = None
    unit: list[HistoryEntry] = []
    found: list[HistoryEntry] = []

    def close() -> None:
        if any(one.seq in case.pins for one in unit):
            found.extend(unit)
            if opener is not None and unit[0].message.role != "system":
                found.append(opener)

    for entry in case.sound:
        if entry.message.role == "tool":
            unit.append(entry)
            continue
        close()
        unit = [entry]
        opener = entry if entry.message.role == "user" else opener
    close()
    return found


def judge(case: Case) -> tuple[bool, list[str]]:
    """Build one context; tell whether it was refused, and name the laws that it breaks."""
    must = needed(case)
    try:
        plan = built(case)
    except BudgetError as exc:
        told = (exc.needed, exc.available) == (must, case.budget)
        due = case.budget is not None and must > case.budget
        return True, [] if told and due else ["refusal"]
    if case.budget is not None and must > case.budget:
        return False, ["refusal"]
    broken = kept_faults(case, plan.entries)
    if case.budget is not None and plan.tokens > case.budget:
        broken.append("budget")
    if plan.tokens != _tokens(case, plan):
        broken.append("account")
    broken += shape_faults(case, plan.messages, plan.entries)
    again = Case(
        list(plan.entries),
        case.sound,
        case.newest,
        case.name,
        case.strategy,
        case.budget,
        case.pins,
        _again(case, plan.entries),
        case.fixed,
        case.hits,
    )
    if built(again).entries != plan.entries:
        broken.append("idempotence")
    return False, broken


def _again(case: Case, entries: Sequence[HistoryEntry]) -> Sources:
    chosen = as_strategy(case.strategy)
    kept = pinned_places(entries, case.pins)
    return Sources(
        entries=entries,
        early=early_turns(entries, chosen.early.turns)[0] if chosen.early else (),
        pinned=[entry for entry in entries if entry.seq in kept],
    )


def _tokens(case: Case, plan: ContextPlan) -> int:
    """Count every message of a context anew."""
    stored = {id(entry.message): 0 for entry in plan.entries}
    blocks = [one for one in plan.messages if id(one) not in stored]
    return sum(entry.tokens for entry in plan.entries) + sum(map(_COUNTER.count, blocks))


def kept_faults(case: Case, kept: Sequence[HistoryEntry]) -> list[str]:
    """Return which laws break that speak of what is kept."""
    broken = []
    places = {one.seq: index for index, one in enumerate(case.sound)}
    order = [places.get(one.seq, -1) for one in kept]
    if order != sorted(set(order)) or -1 in order:
        broken.append("order")
    inside = {one.seq for one in kept}
    if any(one.message.role == "system" and one.seq not in inside for one in case.sources.entries):
        broken.append("system")
    if any(one.seq not in inside for one in case.newest):
        broken.append("newest turn")
    if any(one.seq not in inside for one in _pinned(case)):
        broken.append("pinned")
    unbounded = case.budget is None and not isinstance(as_strategy(case.strategy).tail, Window)
    if unbounded and len(kept) != len(case.sound):
        broken.append("identity")
    return broken


def shape_faults(
    case: Case, messages: Sequence[Message], kept: Sequence[HistoryEntry]
) -> list[str]:
    """Return which providers refuse what would be sent."""
    broken = ["openai"] if openai_faults(messages) else []
    # A conversation that an assistant opened may be sent so; one that was cut may not, unless what
    # is pinned was said before anybody spoke as a user.
    spoken = [one.seq for one in kept if one.message.role != "system"]
    users = [one.seq for one in case.sound if one.message.role == "user"]
    opens = bool(users and spoken and spoken[0] >= users[0])
    if anthropic_faults(messages, opens_with_user=opens):
        broken.append("anthropic")
    if gemini_faults(messages, opens_with_user=opens):
        broken.append("gemini")
    return broken


def naive(case: Case) -> tuple[bool, list[str]]:
    """Judge the trimmer everyone writes first, as a control: the newest messages that fit."""
    must = needed(case)
    if case.budget is None or must > case.budget:
        return True, []
    kept: list[HistoryEntry] = []
    tokens = 0
    for entry in reversed(case.entries):
        tokens += entry.tokens
        if tokens > case.budget:
            break
        kept.insert(0, entry)
    return False, kept_faults(case, kept) + shape_faults(case, [one.message for one in kept], kept)


def run(seed: int, count: int, judged: Callable[[Case], tuple[bool, list[str]]] = judge) -> Tally:
    """Draw and judge so many trims; the same seed draws the same ones."""
    rng = random.Random(seed)  # noqa: S311 - no secret depends on it
    tally = Tally.empty()
    for _ in range(count):
        case = draw(rng)
        refused, broken = judged(case)
        tally.trims[case.name] += 1
        tally.refused[case.name] += refused
        for law in broken:
            tally.broken[case.name, law] += 1
    return tally
