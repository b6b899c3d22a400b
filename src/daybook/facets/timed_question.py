"""A question with its times found out: what to search for, and how to arrange what is found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct
from msgspec.structs import replace

from daybook.indexing.models import Models
from daybook.model.hit import Hit

if TYPE_CHECKING:
    from daybook.recall.times.event_anchors import EventAnchor
    from daybook.recall.times.question_times import QuestionTimes
    from daybook.recall.times.time_relations import TimeWindow

__all__ = ["TimedQuestion", "timed_question"]

# How many messages are looked at for an event's date, for dates said, for the periods of a history.
_SIGHTINGS = 8
_ANSWERS = 3
_POOL = 30
# How many hits are compared at least for what a newer one says otherwise.
_COMPARED = 10
_HISTORY_POOL = 4
_MOST_OF_HISTORY = 120


class Find(Protocol):
    """Returns the best hits for some words, whatever else the search is bounded by."""

    async def __call__(
        self, words: str, limit: int, *, within: TimeWindow | None = None
    ) -> Sequence[Hit]:
        """Return at most `limit` hits, said `within` a span if one is given.

        Raises:
            StoreError: The index or the log failed.
            ProviderError: The embedder failed.
        """
        ...


class TimedQuestion(Struct, frozen=True, kw_only=True):
    """A question, the times in it, and when the event was that it dates something by.

    Attributes:
        text: What to search for.
        times: What the question says about time.
        event_windows: The spans that its event stands for; empty without one, or if nothing that
            was said tells when the event was.
        answers: The best hits of the event's time for the rest of the question.
        models: Those of the search.
    """

    text: str
    times: QuestionTimes
    event_windows: tuple[TimeWindow, ...]
    answers: tuple[Hit, ...] = ()
    models: Models

    def pool(self, limit: int) -> int:
        """Return how many hits to read so that `limit` can be chosen among them."""
        if self.times.history:
            return max(_POOL, limit, min(limit * _HISTORY_POOL, _MOST_OF_HISTORY))
        return max(_POOL, limit) if self._windows else limit

    def arranged(self, hits: Sequence[Hit], limit: int) -> list[Hit]:
        """Return at most `limit` of the hits in the order that the question's times ask for.

        What a newer hit says otherwise is marked, and stands behind it.

        Args:
            hits: The best `pool(limit)`, best first, or more.
            limit: How many are wanted.
        """
        # Compiled with the first search, not with the package.
        from daybook.recall.evidence.knowledge_updates import mark_superseded  # noqa: PLC0415
        from daybook.recall.times.question_times import (  # noqa: PLC0415
            answers_before_event,
            by_said_dates,
            spread_over_time,
        )

        found = list(hits)
        if self.event_windows and not self.times.windows:
            found = [_dated_by_event(hit) for hit in found]
        if self._windows:
            found = by_said_dates(found, self._windows, self._date_weight())
        stems = self.models.analyzer.stems
        if self.times.anchor is not None and self.event_windows:
            found = answers_before_event(found, self.times.anchor, self.answers, stems)
        found = mark_superseded(found, max(limit, _COMPARED))
        return spread_over_time(found, limit) if self.times.history else found[:limit]

    @property
    def _windows(self) -> tuple[TimeWindow, ...]:
        return (*self.times.windows, *self.event_windows)

    def _date_weight(self) -> float:
        from daybook.recall.ranking.weights import weights_for  # noqa: PLC0415

        return weights_for(self.models.embedder_id).final.get("date", 0.0)


async def timed_question(text: str, *, now: datetime, models: Models, find: Find) -> TimedQuestion:
    """Return a question with its times found out.

    Args:
        text: As asked.
        now: When it is asked, aware.
        models: Those of the search.
        find: Asked twice if the question has an event: for it, and for the rest in its time.

    Raises:
        StoreError: The index or the log failed.
        ProviderError: The embedder failed.
    """
    from daybook.recall.times.question_times import read_times  # noqa: PLC0415 - compiles its rules

    times = read_times(text, now)
    if times.anchor is None:
        return TimedQuestion(text=text, times=times, event_windows=(), models=models)
    windows = await _event_windows(times.anchor, now, models, find)
    if not windows:
        return TimedQuestion(text=text, times=times, event_windows=(), models=models)
    return TimedQuestion(
        text=times.anchor.question,
        times=times,
        event_windows=windows,
        answers=tuple(await find(times.anchor.rest, _ANSWERS, within=windows[-1])),
        models=models,
    )


async def _event_windows(
    anchor: EventAnchor, now: datetime, models: Models, find: Find
) -> tuple[TimeWindow, ...]:
    """Return the spans that an event stands for, by what was said of it; none if nothing tells."""
    from daybook.recall.times.event_anchors import (  # noqa: PLC0415 - compiles its rules
        Sighting,
        between_window,
        event_windows,
        place_event,
    )

    async def placed(phrase: str) -> tuple[datetime, datetime] | None:
        told = await find(phrase, _SIGHTINGS)
        dated = [Sighting(hit.message.text, hit.said_at) for hit in told if hit.said_at is not None]
        return place_event(phrase, dated, models.analyzer.stems)

    span = await placed(anchor.phrase)
    if span is None:
        return ()
    if not anchor.end_phrase:
        return tuple(event_windows(anchor, *span, now))
    end = await placed(anchor.end_phrase)
    return () if end is None else tuple(between_window(span, end))


def _dated_by_event(hit: Hit) -> Hit:
    """Return a hit whose date counted because of an event with that reason named."""
    if "date" not in hit.why:
        return hit
    why = {"event" if name == "date" else name: part for name, part in hit.why.items()}
    return replace(hit, why=why)
