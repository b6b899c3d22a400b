"""Put the hits that fit a token budget together as passages: whole runs of what was said."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.model.passage import Passage, PassageLine, Recollection, day_of, render_line
from daybook.protocols.token_counter import TokenCounter
from daybook.recall.evidence.budget import Chosen, Place, fill_budget
from daybook.recall.evidence.excerpts import excerpt

__all__ = ["recollect"]

# One message may take half of the budget; of a longer one the part that matches best is quoted.
_MOST_OF_ONE = 2
# Less than this holds hardly more than the marks around a part.
_LEAST_PART = 12

Spans = Callable[[str], Sequence[tuple[int, int]]]


def recollect(
    hits: Sequence[Hit], max_tokens: int, *, counter: TokenCounter, spans: Spans
) -> Recollection:
    """Return the passages of a budget, best first.

    Args:
        hits: Best first, each with one neighbour on each side.
        max_tokens: Of the whole text, dates and speakers included.
        counter: Counts them.
        spans: Where in a text the question's words stand: long messages are cut around them.

    Laws: `tokens` ≤ `max_tokens`; no message twice; every passage holds a hit; a budget that holds
    some part of the best hit holds it first.

    Cost: a count of each hit's line, and of the whole text. Pure.
    """
    sheet = _Sheet(hits, counter, spans, max_tokens)
    filled = fill_budget(hits, max_tokens, sheet.cost)
    chosen, left_out = list(filled.chosen), filled.left_out
    while chosen:
        found = Recollection(passages=_passages(chosen, sheet), tokens=0, left_out=left_out)
        tokens = counter.count_text(found.as_text())
        if tokens <= max_tokens:
            return Recollection(passages=found.passages, tokens=tokens, left_out=left_out)
        # Tokens of a whole may be more than those of its parts, with some tokenizers.
        last = chosen.pop()
        if last.context:
            chosen.append(replace(last, context=()))
        else:
            left_out += 1
    return Recollection(passages=(), tokens=0, left_out=left_out)


class _Sheet:
    """What hits would be quoted as, and what it costs."""

    def __init__(
        self, hits: Sequence[Hit], counter: TokenCounter, spans: Spans, max_tokens: int
    ) -> None:
        self._hits = {(hit.session_id, hit.seq): hit for hit in hits}
        self._count = counter.count_text
        self._spans = spans
        self._longest = max_tokens // _MOST_OF_ONE
        self._too_much = max_tokens + 1
        self._date = self._count("[2000-01-01] ")
        self._known: dict[Place, int] = {}
        self._days: dict[Place, str] = {}

    def cost(self, place: Place, message: Message, taken: Collection[Place]) -> int:
        """Return what a message adds to the text at most; a date opens each run and each day."""
        if place not in self._known:
            self._known[place] = self._line_cost(place, message)
            self._days[place] = day_of(message.created_at)
        session_id, seq = place
        tokens = self._known[place]
        before, after = (session_id, seq - 1), (session_id, seq + 1)
        if before not in taken or self._days[before] != self._days[place]:
            tokens += self._date
        if after in taken and self._days[after] == self._days[place]:
            tokens -= self._date
        return max(1, tokens)

    def _line_cost(self, place: Place, message: Message) -> int:
        hit = self._hits.get(place)
        line = _beside(message, place[1]) if hit is None else _line(hit, message.text)
        if self._is_long(message.text):
            # It is cut only if it is chosen: finding the best part takes longer than all the rest.
            head = self._count(render_line(replace(line, text=""), dated=False) + "\n")
            return head + self._longest if self._longest >= _LEAST_PART else self._too_much
        return self._count(render_line(line, dated=False) + "\n")

    def _is_long(self, text: str) -> bool:
        return self._count(text) > self._longest

    def lines_of(self, chosen: Chosen) -> Iterable[tuple[Place, PassageLine]]:
        """Yield the lines of a hit and of what came with it."""
        hit = chosen.hit
        for seq, message in chosen.context:
            yield (hit.session_id, seq), _beside(message, seq)
        text = hit.message.text
        if self._is_long(text):
            text = excerpt(text, self._spans(text), self._longest, self._count)
        yield (hit.session_id, hit.seq), _line(hit, text, chosen.said_again)


def _line(hit: Hit, text: str, said_again: tuple[datetime, ...] = ()) -> PassageLine:
    """Return a hit as a line."""
    return PassageLine(
        message=hit.message,
        seq=hit.seq,
        speaker=hit.speaker,
        text=text,
        matched=True,
        score=hit.score,
        said_again=said_again,
        superseded_by=hit.superseded_by,
    )


def _beside(message: Message, seq: int) -> PassageLine:
    """Return a message that did not match as a line."""
    return PassageLine(
        message=message,
        seq=seq,
        speaker=message.name or message.role,
        text=message.text,
        matched=False,
    )


def _passages(chosen: Sequence[Chosen], sheet: _Sheet) -> tuple[Passage, ...]:
    """Return the unbroken runs of the lines of some hits, in the order of their best hits."""
    lines: dict[Place, PassageLine] = {}
    ranks: dict[Place, int] = {}
    for rank, one in enumerate(chosen):
        for place, line in sheet.lines_of(one):
            lines[place] = line
            ranks[place] = rank
    runs: list[list[Place]] = []
    for place in sorted(lines):
        if runs and runs[-1][-1] == (place[0], place[1] - 1):
            runs[-1].append(place)
        else:
            runs.append([place])
    runs.sort(key=lambda run: min(ranks[place] for place in run))
    return tuple(_passage([lines[place] for place in run], run[0][0]) for run in runs)


def _passage(lines: Sequence[PassageLine], session_id: str) -> Passage:
    best = max(line.score for line in lines if line.score is not None)
    return Passage(session_id=session_id, lines=tuple(lines), score=best)
