"""Account for a context: the receipt when it is built, and the same in words later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from daybook.context.build import ContextPlan
from daybook.context.strategy import (
    Buffer,
    Early,
    Observations,
    Relevant,
    Strategy,
    Summary,
    TokenWindow,
    Window,
)
from daybook.facets.context_digests import Covered
from daybook.facets.context_reading import Reading
from daybook.facets.history import History
from daybook.model.context import ContextReceipt, DigestUse, Explanation, LeftOut, SeqRange
from daybook.model.message import Message
from daybook.model.session import Session

__all__ = ["Asked", "Built", "described", "explained", "ranges", "receipt_of"]


class Asked(Struct, frozen=True):
    """What a caller asked for: strategy, budget as given and as counted at append, any recall."""

    strategy: Strategy
    max_tokens: int | None
    budget: int | None
    query: bool


class Built(Struct, frozen=True):
    """A laid-out context, and the digest that stands in it."""

    plan: ContextPlan
    covered: Covered | None


def receipt_of(
    session: Session,
    reading: Reading,
    built: Built,
    asked: Asked,
    *,
    id_: str,
    built_at: datetime,
) -> ContextReceipt:
    """Return what went into a context and what stayed out."""
    plan, covered = built.plan, built.covered
    return ContextReceipt(
        id=id_,
        session_id=session.id,
        strategy=described(asked.strategy),
        max_tokens=asked.max_tokens,
        budget=asked.budget,
        tokens=plan.tokens,
        included=ranges(entry.seq for entry in plan.entries),
        pinned=ranges(entry.seq for entry in plan.pinned),
        early=ranges(entry.seq for entry in plan.early),
        left_out=_left_out(session, reading, plan),
        digest=None if covered is None else _use_of(covered, asked.strategy),
        recalled=plan.recalled,
        left_out_recalled=plan.left_out_recalled,
        sections=plan.sections,
        query_given=asked.query,
        built_at=built_at,
    )


def described(strategy: Strategy) -> str:
    """Return a strategy as the expression that makes it."""
    parts: list[str] = []
    for part in (
        strategy.early,
        strategy.digest,
        strategy.tail or TokenWindow(),
        strategy.relevant,
    ):
        match part:
            case Early():
                parts.append(f"Early(turns={part.turns})")
            case Window():
                parts.append(f"Window(turns={part.turns})")
            case TokenWindow():
                parts.append(f"TokenWindow(step={part.step:g})")
            case Buffer() | Summary() | Observations() | Relevant():
                parts.append(f"{type(part).__name__}()")
    return " + ".join(parts)


async def explained(history: History, session: Session, receipt: ContextReceipt) -> Explanation:
    """Return a receipt in words, with the messages that still are in the log."""
    messages: dict[int, Message] = {}
    for first, last in receipt.included:
        entries = await history.entries(
            session.id, after=first - 1, before=last + 1, user_id=session.user_id, hidden=True
        )
        messages.update((entry.seq, entry.message) for entry in entries)
    return Explanation(receipt=receipt, lines=tuple(_lines(receipt)), messages=messages)


def _lines(receipt: ContextReceipt) -> Iterable[str]:
    parts = receipt.sections
    budget = "no budget" if receipt.budget is None else f"of {receipt.budget:,} allowed"
    yield f"{receipt.tokens:,} tokens ({budget}), by {receipt.strategy}."
    if parts.system:
        yield f"System prompt and system messages: {parts.system:,} tokens; they always stay."
    if parts.profile:
        yield f"What is known about the user: {parts.profile:,} tokens."
    if receipt.early:
        yield f"Messages {_shown(receipt.early)} opened the conversation and are kept as such."
    if receipt.pinned:
        yield f"Messages {_shown(receipt.pinned)} are pinned, or what a pinned one answers."
    if receipt.digest is not None:
        yield from _digest_lines(receipt.digest, parts.digest)
    yield (
        f"Messages {_shown(receipt.included)} are in word for word: "
        f"{parts.verbatim + parts.newest:,} tokens, of which the newest turn {parts.newest:,}."
    )
    if receipt.recalled:
        hits = sum(one.matched for one in receipt.recalled)
        yield (
            f"{hits} recalled messages and {len(receipt.recalled) - hits} around them are quoted: "
            f"{parts.recalled:,} tokens; {receipt.left_out_recalled} more found no room."
        )
    elif receipt.query_given:
        yield "Recall found nothing that was not in already."
    if receipt.left_out.count:
        yield (
            f"Left out: {receipt.left_out.count} messages, {_shown(receipt.left_out.seqs)}, "
            f"{receipt.left_out.tokens:,} tokens: older than what fits."
        )
    if receipt.left_out.broken:
        yield (
            f"Of those, {_shown(receipt.left_out.broken)} are what no provider accepts: a tool "
            "call without its results, a result without its call, or damaged bytes."
        )


def _digest_lines(use: DigestUse, tokens: int) -> Iterable[str]:
    name = "A summary" if use.kind == "summary" else "An observation log"
    by = "quotes chosen without a model" if use.made_by == "extractive" else f"by {use.made_by}"
    if use.seqs[1] >= use.seqs[0]:
        yield (
            f"{name} ({by}) stands for messages {_shown((use.seqs,))}: {tokens:,} tokens, "
            f"{use.notes} notes."
        )
    if use.missing is not None:
        quoted = "; what users stated there is quoted" if tokens else ""
        yield f"{name} does not cover {_shown((use.missing,))} yet{quoted}."


def without_others(receipt: ContextReceipt) -> ContextReceipt:
    """Return a receipt that does not tell of the owner's other sessions."""
    mine = tuple(one for one in receipt.recalled if one.session_id == receipt.session_id)
    return replace(receipt, recalled=mine)


def _use_of(covered: Covered, strategy: Strategy) -> DigestUse | None:
    digest, missing = covered.digest, covered.missing
    if digest is None:
        if missing is None:
            return None
        first = missing[0]
        return DigestUse(
            kind="observations" if isinstance(strategy.digest, Observations) else "summary",
            seqs=(first, first - 1),
            made_by="extractive",
            generation=0,
            notes=len(covered.facts),
            missing=missing,
        )
    return DigestUse(
        kind=digest.kind,
        seqs=(digest.first_seq, digest.last_seq),
        made_by=digest.made_by,
        generation=digest.generation,
        notes=len(digest.notes) + len(covered.facts),
        missing=missing,
    )


def _left_out(session: Session, reading: Reading, plan: ContextPlan) -> LeftOut:
    """Account for all messages up to the newest one read; some may be newer than `session`."""
    read = reading.sources.entries
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
        broken=ranges(entry.seq for entry in plan.broken),
    )


def ranges(seqs: Iterable[int]) -> tuple[SeqRange, ...]:
    """Return sequence numbers as ascending ranges without a gap."""
    found: list[SeqRange] = []
    for seq in sorted(seqs):
        if found and found[-1][1] == seq - 1:
            found[-1] = (found[-1][0], seq)
        else:
            found.append((seq, seq))
    return tuple(found)


def _shown(seqs: Iterable[SeqRange]) -> str:
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in seqs) or "none"
