"""What recall returns."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from daybook.model.message import Message

__all__ = ["Hit", "Reason"]


class Reason(Struct, frozen=True, kw_only=True):
    """One reason for a hit's place, in words.

    Attributes:
        kind: What it is about: ``words``, ``meaning``, ``speaker``, ``date``, ``question``, … .
        text: A sentence without its end, for example ``"said on a date that you ask about"``.
        effect: What it adds to the score, or takes from it; a hit's reasons add up to its score.
        words: Words of the question that the message has, as asked; only with kind ``words``.
    """

    kind: str
    text: str
    effect: float
    words: tuple[str, ...] = ()


class Hit(Struct, frozen=True, kw_only=True):
    """One answer of `recall.search`, with its evidence.

    Attributes:
        message: The message that matched.
        messages: The same with its neighbours of the same session, in order.
        session_id: Its session.
        seq: Its sequence number there.
        score: Higher is better; comparable within one search only.
        why: The named features behind the score, largest contribution first.
        said_at: When it was said.
        speaker: Who said it: the message's name, else its role.
        superseded_by: Id of a newer message among the hits that says otherwise of the same thing;
            None if no hit does.
        tokens: Tokens of `messages`, as counted at append.
        reasons: `why` in words, largest effect first; empty unless asked for with ``explain``.
    """

    message: Message
    messages: tuple[Message, ...]
    session_id: str
    seq: int
    score: float
    why: dict[str, float]
    said_at: datetime | None
    speaker: str
    superseded_by: str | None = None
    tokens: int = 0
    reasons: tuple[Reason, ...] = ()
