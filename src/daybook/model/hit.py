"""What recall returns."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from daybook.model.message import Message

__all__ = ["Hit"]


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
