"""What a question says about time, all of it: dates, an event, whether it asks for a history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from daybook.model.hit import Hit
from daybook.recall.times.calendar_times import calendar_spans
from daybook.recall.times.event_anchors import EventAnchor, find_anchor
from daybook.recall.times.history_spread import asks_history, spread
from daybook.recall.times.said_dates import said_dates, said_share
from daybook.recall.times.time_expressions import TimeWindow, time_windows
from daybook.recall.times.verb_forms import with_past_forms

__all__ = [
    "QuestionTimes",
    "answers_before_event",
    "by_said_dates",
    "change_places",
    "read_times",
    "spread_over_time",
]

# A message that says a date counts less than one of that date: in our measurements the date of a
# question is nearly always near the day on which its answer was said.
_SAID_SHARE = 0.8
_MOST_READ = 2_000


class QuestionTimes(Struct, frozen=True):
    """The times of a question, read.

    Attributes:
        windows: Spans that the calendar names.
        anchor: The event it dates something by, if it does.
        history: Whether it asks how something went over time.
    """

    windows: tuple[TimeWindow, ...]
    anchor: EventAnchor | None
    history: bool


def read_times(question: str, now: datetime) -> QuestionTimes:
    """Return what `question`, in English, says about time.

    Args:
        question: As asked; the first two thousand characters are read.
        now: When, aware.

    Cost: about 0.1 ms. Pure.
    """
    question = question[:_MOST_READ]
    return QuestionTimes(
        windows=tuple(time_windows(question, now)),
        anchor=find_anchor(question, calendar_spans(question, now)),
        history=asks_history(question),
    )


def by_said_dates(
    hits: Sequence[Hit], windows: Sequence[TimeWindow], date_weight: float
) -> list[Hit]:
    """Return the hits with those raised that say a date in one of `windows`, best first.

    What a hit has already for having been said then counts against it: nothing counts twice.

    Args:
        hits: Best first.
        windows: What the question names.
        date_weight: What the ranker gives to a message said within a window.

    Cost: about 0.05 ms for a hit of three sentences.
    """
    raised = []
    for hit in hits:
        if hit.said_at is None:
            raised.append(hit)
            continue
        share = _SAID_SHARE * said_share(windows, said_dates(hit.message.text, hit.said_at))
        more = share * date_weight - hit.why.get("date", 0.0) - hit.why.get("event", 0.0)
        raised.append(_with(hit, "said_date", more) if more > 0 else hit)
    return sorted(raised, key=lambda hit: -hit.score)


def spread_over_time(hits: Sequence[Hit], limit: int) -> list[Hit]:
    """Return `limit` of the hits, best first, chosen so that the periods they are from are covered.

    Hits without a date stand at the beginning of time.
    """
    moments = [0.0 if hit.said_at is None else hit.said_at.timestamp() for hit in hits]
    return [hits[place] for place in spread([hit.score for hit in hits], moments, limit)]


def answers_before_event(
    hits: Sequence[Hit],
    anchor: EventAnchor,
    answers: Sequence[Hit],
    stems: Callable[[str], Sequence[int]],
) -> list[Hit]:
    """Return the hits with answers before what only tells of the event, or of neither.

    "What did I buy after the wedding?" finds the wedding first. Where the best hit has no word of
    what is asked for ("buy", "bought"), those answers go before it that have one, and none of the
    event's.

    Args:
        hits: Best first.
        anchor: The event, as read.
        answers: The best hits of the event's time for the rest of the question, best first.
        stems: Returns the stems of a text, stop words left out.
    """
    event = set(stems(f"{anchor.phrase} {anchor.end_phrase}"))
    words = with_past_forms(anchor.rest.lower().replace("?", " ").split())
    asked = set(stems(" ".join(sorted(words)))) - event
    found = list(hits)
    if not found or asked.intersection(stems(found[0].message.text)):
        return found
    top = found[0].score
    first = []
    for hit in answers:
        said = set(stems(hit.message.text))
        if asked & said and not event & said:
            place = (hit.session_id, hit.seq)
            known = next((one for one in found if (one.session_id, one.seq) == place), None)
            if known is not None:
                found.remove(known)
            first.append(_with(known or hit, "event", top - (known or hit).score))
    return first + found


def change_places(hits: list[Hit], first: int, second: int, gain: str, loss: str) -> None:
    """Let two hits change places and scores; `why` says so, so that it still adds up.

    Args:
        hits: Best first; changed.
        first: Place of the one that goes down.
        second: Place of the one that goes up.
        gain: What the reason of the second's gain is called.
        loss: What the reason of the first's loss is called.
    """
    gap = hits[first].score - hits[second].score
    up, down = _with(hits[second], gain, gap), _with(hits[first], loss, -gap)
    hits[first], hits[second] = up, down


def _with(hit: Hit, name: str, more: float) -> Hit:
    """Return a hit with more of one contribution to its score, the largest first as ever."""
    parts = hit.why | {name: hit.why.get(name, 0.0) + more}
    why = dict(sorted(((n, p) for n, p in parts.items() if p), key=lambda item: -abs(item[1])))
    return replace(hit, score=hit.score + more, why=why)
