"""What a `MemoryStore` returns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from daybook.model.memory_record import MemoryRecord

__all__ = ["MemoryItem", "ScoredItem", "item_of", "similarity"]


@dataclass
class MemoryItem:
    """One memory.

    Attributes:
        namespace: Where it stands.
        key: Its name there.
        value: What is remembered; a copy, changing it changes nothing that is stored.
        created_at: When the key was first written, seconds since 1970.
        updated_at: When it was last written, seconds since 1970.
        expires_at: When it becomes unreadable, seconds since 1970; None for never.
        score: How well it matched, from 0 to 1; None where nothing was searched.
    """

    namespace: tuple[str, ...]
    key: str
    value: dict[str, Any] = field(default_factory=dict)
    created_at: float = 0.0
    updated_at: float = 0.0
    expires_at: float | None = None
    score: float | None = None


class ScoredItem(tuple[MemoryItem, float]):
    """A found memory: ``item, score`` when it is unpacked, and with the item's attributes.

    ai-infra's documentation unpacks results and its library reads attributes: this is both.
    """

    __slots__ = ()

    @property
    def item(self) -> MemoryItem:
        """The memory."""
        return self[0]

    @property
    def score(self) -> float:
        """How well it matched, from 0 to 1."""
        return self[1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self[0], name)


def item_of(record: MemoryRecord, score: float | None = None) -> MemoryItem:
    """Return a stored record as a memory."""
    return MemoryItem(
        namespace=record.namespace,
        key=record.key,
        value=record.value,
        created_at=record.created_at.timestamp(),
        updated_at=record.updated_at.timestamp(),
        expires_at=None if record.expires_at is None else record.expires_at.timestamp(),
        score=score,
    )


def similarity(score: float) -> float:
    """Return a ranking score, which has no bounds, as a number from 0 to 1 in the same order."""
    if score < 0:
        small = math.exp(max(score, -700.0))
        return small / (1.0 + small)
    return 1.0 / (1.0 + math.exp(-score))
