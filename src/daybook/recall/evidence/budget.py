"""Choose which hits fill a token budget. Pure: whoever calls says what each message costs.

What is worth most for its tokens comes in first, after the best hit, which always has the first
place. Decision 19 has what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime

from msgspec import Struct

from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.recall.evidence.repeats import Said

__all__ = ["Chosen", "Cost", "Filled", "Place", "fill_budget"]

Place = tuple[str, int]
Cost = Callable[[Place, Message, Collection[Place]], int]

# A score is a sum of log odds. Of a message that is twice as long, so much of log 2 is expected in
# return; a whole one would be the rule for parts that add up, yet a question has one answer.
_LENGTH_SHARE = 0.7
# What is so far below the best is hardly ever evidence: at most 0.4 points are lost, and up to 15 %
# of the budget is saved.
_WORST_BELOW_BEST = 8.0
# A short answer is understood with its question, if there is room left. Any other neighbour costs
# evidence.
_SHORT_BYTES = 80  # some fifteen words, in any script
_CONTEXT_SHARE = 0.1


class Chosen(Struct, frozen=True, kw_only=True):
    """A hit that found room.

    Attributes:
        hit: The hit.
        context: Its neighbours that came with it, with their sequence numbers, in order.
        said_again: When the same was said in hits that stand back behind this one; those that
            would have found room.
    """

    hit: Hit
    context: tuple[tuple[int, Message], ...] = ()
    said_again: tuple[datetime, ...] = ()


class Filled(Struct, frozen=True, kw_only=True):
    """What a budget holds.

    Attributes:
        chosen: In the order given.
        used: Their cost, at most the room.
        left_out: Hits that found no room.
    """

    chosen: tuple[Chosen, ...]
    used: int
    left_out: int


def fill_budget(
    hits: Sequence[Hit], room: int, cost: Cost, *, whole_surroundings: bool = False
) -> Filled:
    """Return the hits that fit, with such neighbours as pay.

    Args:
        hits: Best first, with the neighbours to choose from.
        room: What may be spent.
        cost: Given a place, its message, and the places taken so far, what it costs; at least 1.
        whole_surroundings: Take all of a hit's neighbours, or the hit alone where they do not fit;
            otherwise only the question that a short answer follows, in up to a tenth of the room
            and in what hits leave.

    Laws: `used` ≤ `room`; the first hit is in if it fits alone; no place is taken twice; a text
    that a chosen one contains is not taken again, only counted to it.

    Cost: O(hits · chosen). Pure.
    """
    filling = _Filling(hits, room, cost, whole_surroundings=whole_surroundings)
    for number in _by_worth(hits, cost):
        filling.offer(number)
    if not whole_surroundings:
        filling.take_questions()
    return filling.filled()


def _by_worth(hits: Sequence[Hit], cost: Cost) -> Iterator[int]:
    """Yield the number of the best hit, then those of others, most worth for their cost first."""
    if not hits:
        return
    yield 0
    least = max(hit.score for hit in hits) - _WORST_BELOW_BEST
    worth = {
        number: hit.score - _LENGTH_SHARE * math.log(cost(_place(hit), hit.message, ()))
        for number, hit in enumerate(hits)
        if number and hit.score >= least
    }
    yield from sorted(worth, key=lambda number: -worth[number])


def _place(hit: Hit) -> Place:
    return hit.session_id, hit.seq


class _Filling:
    """The budget while it is being filled."""

    def __init__(
        self, hits: Sequence[Hit], room: int, cost: Cost, *, whole_surroundings: bool
    ) -> None:
        self._hits = hits
        self._room = room
        self._cost = cost
        self._whole = whole_surroundings
        self._used = 0
        self._left_out = 0
        self._taken: set[Place] = set()
        self._order: list[int] = []
        self._context: dict[int, list[tuple[int, Message]]] = {}
        self._again: dict[int, list[datetime]] = {}
        self._said = Said()

    def offer(self, number: int) -> None:
        """Take a hit in, count it to the one that it repeats, or leave it out."""
        hit = self._hits[number]
        price = self._price(_place(hit), hit.message)
        if self._used + price > self._room:
            self._left_out += 1
            return
        repeated = self._said.repeated_at(hit)
        if repeated is not None:
            if hit.said_at is not None:
                self._again.setdefault(self._order[repeated], []).append(hit.said_at)
            return
        self._taken.add(_place(hit))
        self._used += price
        self._order.append(number)
        self._said.add(hit)
        if self._whole:
            self._take_context(number, _surroundings(hit), self._room - self._used)

    def filled(self) -> Filled:
        """Return what came in. A neighbour that turned out to be a hit is the hit alone."""
        matched = {_place(self._hits[number]) for number in self._order}
        chosen = [
            Chosen(
                hit=self._hits[number],
                context=tuple(
                    (seq, message)
                    for seq, message in self._context.get(number, ())
                    if (self._hits[number].session_id, seq) not in matched
                ),
                said_again=tuple(self._again.get(number, ())),
            )
            for number in sorted(self._order)
        ]
        return Filled(chosen=tuple(chosen), used=self._used, left_out=self._left_out)

    def _price(self, place: Place, message: Message) -> int:
        return 0 if place in self._taken else self._cost(place, message, self._taken)

    def take_questions(self) -> None:
        """Take the questions that short answers follow into what is left, the best answer's first.

        Not while hits are being offered: half a message of them for each question asked, within a
        twentieth of the budget, cost LoCoMo half a point of evidence.
        """
        room = self._room * _CONTEXT_SHARE
        for number in sorted(self._order):
            hit = self._hits[number]
            if len(hit.message.text.encode(errors="replace")) <= _SHORT_BYTES:
                before = [
                    one
                    for one in _surroundings(hit)
                    if one[0] == hit.seq - 1 and "?" in one[1].text
                ]
                room -= self._take_context(number, before, min(room, self._room - self._used))

    def _take_context(self, number: int, around: Sequence[tuple[int, Message]], room: float) -> int:
        """Take all of a hit's neighbours or none; return what they cost."""
        session_id = self._hits[number].session_id
        free = [(seq, one) for seq, one in around if (session_id, seq) not in self._taken]
        total = sum(self._price((session_id, seq), message) for seq, message in free)
        if total > room:
            return 0
        self._used += total
        self._taken.update((session_id, seq) for seq, _ in free)
        self._context[number] = free
        return total


def _surroundings(hit: Hit) -> list[tuple[int, Message]]:
    """Return a hit's neighbours with their sequence numbers."""
    own = next((at for at, one in enumerate(hit.messages) if one.id == hit.message.id), None)
    if own is None:
        return []
    first = hit.seq - own
    return [(first + at, one) for at, one in enumerate(hit.messages) if at != own]
