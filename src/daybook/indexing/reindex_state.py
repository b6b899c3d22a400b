"""What a run that indexes everything anew writes down about itself: frozen values."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from msgspec import Struct

__all__ = ["Claim", "Item", "Reached", "RunHead", "Share"]


class Item(NamedTuple):
    """One thing to index anew.

    Attributes:
        owner: The user.
        name: The session's id, or a record's encoded namespace and key as JSON.
    """

    owner: str
    name: str


class Reached(Struct, frozen=True, array_like=True):
    """A place in a share: everything before it is done.

    Attributes:
        item: Number of the item in its share.
        incarnation: Of the session that was begun; 0 if none was.
        seq: Its messages up to this number are done.
    """

    item: int = 0
    incarnation: int = 0
    seq: int = 0


class RunHead(Struct, frozen=True, kw_only=True):
    """One run.

    Attributes:
        id: Names it.
        code: Version of Daybook that made it: another one may analyse otherwise.
        embedder: Id of its embedder.
        stage: What is happening: shares are cut, are worked on, or are all done.
        holder: Who cuts the shares.
        until: So long at most without a sign of life.
        total: Items.
        weight: Messages, or items again.
        shares: How many shares.
        was_empty: Whether the index held nothing when the run began.
    """

    id: str
    code: str
    embedder: str
    stage: Literal["planning", "working", "finishing"]
    holder: str
    until: datetime
    total: int = 0
    weight: int = 0
    shares: int = 0
    was_empty: bool = False


class Share(Struct, frozen=True):
    """A part of a run that one worker does.

    Attributes:
        items: What is in it, in order.
    """

    items: tuple[Item, ...]


class Claim(Struct, frozen=True, kw_only=True):
    """Who has a share, and how far it is.

    Attributes:
        holder: The worker; empty if it was given back.
        until: It may be taken over after this.
        reached: What is done, but for `failed`.
        weight: Messages done, or items again.
        failed: Numbers of items that could not be done and are to be tried again.
        finished: Whether nothing is left to do.
    """

    holder: str
    until: datetime
    reached: Reached = Reached()
    weight: int = 0
    failed: tuple[int, ...] = ()
    finished: bool = False

    @property
    def done(self) -> int:
        """Items done."""
        return self.reached.item - len(self.failed)
