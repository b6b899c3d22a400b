"""Read the messages behind ranked documents: a hit is always the log's text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from daybook.model.codec import decode_entry
from daybook.model.entry import HistoryEntry
from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.protocols.message_log import MessageLog

if TYPE_CHECKING:
    from daybook.recall.ranking.ranker import Ranked

__all__ = ["FoundHits", "read_hits"]

_Place = tuple[str, int]


class FoundHits(Struct, frozen=True):
    """Hits, and what their messages count.

    Attributes:
        hits: Best first.
        tokens: Of each message that was read, by session and sequence number.
    """

    hits: list[Hit]
    tokens: Mapping[_Place, int]

    def first(self, limit: int) -> FoundHits:
        """Return the best `limit` hits."""
        return FoundHits(self.hits[:limit], self.tokens)

    def within(self, max_tokens: int, *, whole_surroundings: bool) -> FoundHits:
        """Return the hits that fill a budget, each with those of its neighbours that found room.

        No message stands in two of them, and their tokens add up to `max_tokens` at most.
        """
        from daybook.recall.evidence.budget import Chosen, fill_budget  # noqa: PLC0415 - for budgets only

        def cost(place: _Place, message: Message, taken: Collection[_Place]) -> int:  # noqa: ARG001
            return max(1, self.tokens[place])

        def fitted(chosen: Chosen) -> Hit:
            hit = chosen.hit
            around = {**dict(chosen.context), hit.seq: hit.message}
            return replace(
                hit,
                messages=tuple(around[seq] for seq in sorted(around)),
                tokens=sum(self.tokens[hit.session_id, seq] for seq in around),
            )

        filled = fill_budget(self.hits, max_tokens, cost, whole_surroundings=whole_surroundings)
        return FoundHits([fitted(one) for one in filled.chosen], self.tokens)


async def read_hits(
    log: MessageLog, scope: Scope, ranked: Sequence[Ranked], around: int
) -> FoundHits:
    """Return the messages behind ranked documents, with `around` neighbours on each side.

    One that is gone from the log is left out, and so is what a fork shares with a session that is
    among the hits already.

    Raises:
        StoreError: The store failed.
    """
    places = [(one.group, one.position - around, one.position + around) for one in ranked]
    found = await log.read_at(scope, places)
    hits: list[Hit] = []
    tokens: dict[_Place, int] = {}
    seen: dict[str, list[Message]] = {}
    for one, stored in zip(ranked, found, strict=True):
        entries = [decode_entry(entry) for entry in stored]
        match = next((entry for entry in entries if entry.seq == one.position), None)
        if match is None or match.message in seen.setdefault(match.message.id, []):
            continue
        seen[match.message.id].append(match.message)
        tokens.update(((one.group, entry.seq), entry.tokens) for entry in entries)
        hits.append(_hit(one, match, entries))
    return FoundHits(hits, tokens)


def _hit(ranked: Ranked, match: HistoryEntry, entries: Sequence[HistoryEntry]) -> Hit:
    message = match.message
    return Hit(
        message=message,
        messages=tuple(entry.message for entry in entries),
        session_id=ranked.group,
        seq=match.seq,
        score=ranked.score,
        why=ranked.contributions,
        said_at=message.created_at,
        speaker=message.name or message.role,
        tokens=sum(entry.tokens for entry in entries),
    )
