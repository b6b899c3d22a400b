"""A context window as it is sent to a model, and the account of how it was made."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from daybook.model.message import Message

__all__ = ["Context", "ContextReceipt", "ContextSections", "LeftOut", "RecalledMessage", "SeqRange"]

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


class ContextSections(Struct, frozen=True, kw_only=True):
    """Tokens of each part of a context, in the order in which the parts stand.

    Attributes:
        system: System messages, wherever they stand.
        verbatim: Older turns, word for word.
        recalled: The block of recalled messages.
        newest: The newest user message and everything after it.
    """

    system: int
    verbatim: int
    recalled: int
    newest: int


class ContextReceipt(Struct, frozen=True, kw_only=True):
    """What went into a context, and what stayed out.

    Attributes:
        session_id: The session.
        max_tokens: The budget; None for none.
        tokens: What the context takes: the sum of `sections`.
        included: Sequence numbers of the messages that are in verbatim.
        left_out: The session's other messages.
        recalled: The messages quoted in the recalled block, in the order in which they stand.
        left_out_recalled: Hits that found no room; those already verbatim are not counted.
        sections: Tokens per part.
        query_given: Whether recall was asked for.
        built_at: When, by the clock.
    """

    session_id: str
    max_tokens: int | None
    tokens: int
    included: tuple[SeqRange, ...]
    left_out: LeftOut
    recalled: tuple[RecalledMessage, ...]
    left_out_recalled: int
    sections: ContextSections
    query_given: bool
    built_at: datetime


class Context(Struct, frozen=True, kw_only=True):
    """Messages to send to a model.

    Attributes:
        messages: In the order in which they are to be sent.
        tokens: Their tokens; never more than the budget.
        receipt: How it was made.
    """

    messages: tuple[Message, ...]
    tokens: int
    receipt: ContextReceipt
