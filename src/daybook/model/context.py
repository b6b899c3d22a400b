"""A context window as it is sent to a model, and the account of how it was made."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from daybook.model.digest import DigestKind
from daybook.model.message import Message

__all__ = [
    "Context",
    "ContextReceipt",
    "ContextSections",
    "DigestUse",
    "Explanation",
    "LeftOut",
    "RecalledMessage",
    "SeqRange",
]

SeqRange = tuple[int, int]
"""First and last sequence number of messages without a gap, both included."""


class RecalledMessage(Struct, frozen=True, kw_only=True):
    """A message quoted in the recalled block.

    Attributes:
        message_id: Its id.
        session_id: Its session.
        seq: Its sequence number there.
        score: The score of the hit it came with; comparable within one build only.
        matched: True for a hit, False for a neighbour quoted around one.
    """

    message_id: str
    session_id: str
    seq: int
    score: float
    matched: bool


class LeftOut(Struct, frozen=True, kw_only=True):
    """The session's messages that are not in the context verbatim.

    Attributes:
        count: How many.
        tokens: Their tokens, as counted at append.
        seqs: Where they stand.
        broken: Of those, the ones no provider accepts: tool results without a call, tool calls
            without all their results, messages whose stored bytes did not decode.
    """

    count: int
    tokens: int
    seqs: tuple[SeqRange, ...]
    broken: tuple[SeqRange, ...]


class DigestUse(Struct, frozen=True, kw_only=True):
    """The summary or observation log that stands for messages left out.

    Attributes:
        kind: Which of them.
        seqs: The messages that were read for it.
        made_by: The model that wrote it, or ``extractive`` for quotes chosen without a model.
        generation: Of an observation log; it is only appended to within one.
        notes: How many facts or observations it holds.
        missing: Messages left out that it does not cover yet, because a model failed or has not
            come to them; what users stated in them is quoted all the same.
    """

    kind: DigestKind
    seqs: SeqRange
    made_by: str
    generation: int
    notes: int
    missing: SeqRange | None = None


class ContextSections(Struct, frozen=True, kw_only=True):
    """Tokens of each part of a context, in the order in which the parts stand.

    Attributes:
        system: The system prompt, and system messages wherever they stand.
        profile: The block about the user.
        early: Opening turns and pinned messages, as far as they are older than the window.
        digest: The summary or observation log.
        verbatim: Older turns, word for word.
        recalled: The block of recalled messages.
        newest: The newest user message and everything after it.
    """

    system: int
    profile: int = 0
    early: int = 0
    digest: int = 0
    verbatim: int
    recalled: int
    newest: int

    @property
    def total(self) -> int:
        """Their sum."""
        return (
            self.system
            + self.profile
            + self.early
            + self.digest
            + self.verbatim
            + self.recalled
            + self.newest
        )


class ContextReceipt(Struct, frozen=True, kw_only=True):
    """What went into a context, and what stayed out.

    Attributes:
        id: Names this build to `context.explain`.
        session_id: The session.
        strategy: The parts that were asked for, in words.
        max_tokens: The budget as it was given; None for none.
        budget: The same in tokens as counted at append: less if `model` was given and is known to
            count more.
        tokens: What the context takes, as counted at append: the sum of `sections`.
        included: Sequence numbers of the messages that are in verbatim.
        pinned: Of those, the ones that are in because they, or an answer to them, are pinned.
        early: Of those, the opening turns that are older than the window.
        left_out: The session's other messages.
        digest: What stands for them, if anything does.
        recalled: The messages quoted in the recalled block, in the order in which they stand.
        left_out_recalled: Hits that found no room; those already verbatim are not counted.
        sections: Tokens per part.
        query_given: Whether recall was asked for.
        built_at: When, by the clock.
    """

    id: str
    session_id: str
    strategy: str = ""
    max_tokens: int | None
    budget: int | None = None
    tokens: int
    included: tuple[SeqRange, ...]
    pinned: tuple[SeqRange, ...] = ()
    early: tuple[SeqRange, ...] = ()
    left_out: LeftOut
    digest: DigestUse | None = None
    recalled: tuple[RecalledMessage, ...]
    left_out_recalled: int
    sections: ContextSections
    query_given: bool
    built_at: datetime


class Context(Struct, frozen=True):
    """Messages to send to a model.

    Attributes:
        messages: In the order in which they are to be sent.
        tokens: Their tokens; never more than the budget.
        receipt: How it was made.
        cache_after: Places in `messages` up to which the next context will most likely be the same:
            where a provider's prompt cache takes marks, this is where they pay.
    """

    messages: tuple[Message, ...]
    tokens: int
    receipt: ContextReceipt
    cache_after: tuple[int, ...] = ()


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a past context held what it held.

    Attributes:
        receipt: The account of that build.
        lines: The same in words, one sentence for each part, in the order of the parts.
        messages: The messages that were in it verbatim and still are in the log, by number.
    """

    receipt: ContextReceipt
    lines: tuple[str, ...]
    messages: dict[int, Message]
