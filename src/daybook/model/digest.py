"""What stands for a part of a conversation that is no longer sent word for word."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

__all__ = ["Digest", "DigestJob", "DigestKind", "Note"]

DigestKind = Literal["summary", "observations"]


class Note(Struct, frozen=True, omit_defaults=True):
    """One thing that was said, or follows from what was said.

    Attributes:
        text: In words; quoted from a message, or a model's.
        seq: The message it rests on.
        priority: 3 must not be lost, 2 matters, 1 is detail.
        said_at: When that message was said.
        speaker: Who said it: a name, or a role.
        quoted: True if `text` stands in the message, False if a model wrote it.
    """

    text: str
    seq: int
    priority: int = 2
    said_at: datetime | None = None
    speaker: str = ""
    quoted: bool = True


class Digest(Struct, frozen=True, kw_only=True):
    """A summary or an observation log of the beginning of a session.

    It never replaces a message: the log keeps them all, and a digest can be made again.

    Attributes:
        kind: What it is.
        first_seq: First message that it covers.
        last_seq: Last message that it covers; every one between was read for it.
        prose: A model's running summary; empty for observations and for one made of quotes.
        notes: Facts, observations or quotes, in the order of the messages.
        made_by: The model that wrote it, or ``extractive``: quotes chosen without a model.
        generation: Grows when notes were compacted; within one they are only appended.
        mark: Unguessable; stands in the first and last line of the rendered block.
        made_at: When, by the clock.
    """

    kind: DigestKind
    first_seq: int
    last_seq: int
    prose: str = ""
    notes: tuple[Note, ...] = ()
    made_by: str
    generation: int = 1
    mark: str
    made_at: datetime


class DigestJob(Struct, frozen=True, kw_only=True):
    """A part of a conversation that waits to be digested.

    The model failed, or has not come to it yet. The digest before it still stands, and facts of
    the part are quoted in the meantime.

    Attributes:
        session_id: The session.
        user_id: Its owner.
        kind: What is to be made.
        first_seq: First message that is not covered yet.
        last_seq: Last one.
        attempts: How often it failed; 0 if it only is too much for one call.
        error: Class of the last error, for example ``ProviderError``; empty without one.
        failed_at: When it failed last, or was left for later.
    """

    session_id: str
    user_id: str
    kind: DigestKind
    first_seq: int
    last_seq: int
    attempts: int
    error: str
    failed_at: datetime
