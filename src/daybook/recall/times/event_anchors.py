"""Questions that date what they ask for by an event: "before we moved", "the week after the trip".

Reading finds the event's words; when it was is known only from what was said of it, which
`place_event` decides given the messages that an index found for those words. Pure, English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from daybook.recall.times.calendar_times import CalendarSpan
from daybook.recall.times.said_dates import said_dates, sentences
from daybook.recall.times.time_relations import (
    RELATION,
    Relation,
    TimeWindow,
    related_window,
    relation_of,
)

__all__ = [
    "EventAnchor",
    "Sighting",
    "between_window",
    "event_windows",
    "find_anchor",
    "place_event",
]

_SUBJECT = r"(?:I|we|he|she|they|you|it|(?:my|our|his|her|their|the)\s+\w+|[A-Z]\w+)"
_PHRASE = r"(?P<phrase>[^,;:?!.\n]+)"
_RELATED = re.compile(rf"\b{RELATION}\s+{_PHRASE}", re.IGNORECASE)
_WHEN = re.compile(rf"\b(?:when|while)\s+(?P<phrase>{_SUBJECT}\s[^,;:?!.\n]+)")
_WHEN_FIRST = re.compile(rf"^(?:When|While)\s+(?P<phrase>{_SUBJECT}\s[^,;:?!.\n]+),")
_DAY_OF = re.compile(
    r"\b(?:(?:on|in)\s+)?the\s+(?P<unit>day|night|morning|evening|week|weekend|month)\s+"
    rf"(?:that\s+|when\s+|of\s+)?(?P<phrase>{_SUBJECT}\s[^,;:?!.\n]+)"
)
_OF_EVENT = re.compile(
    r"\b(?:on|in|at)\s+the\s+(?P<unit>day|night|morning|evening|week|weekend|month)\s+of\s+"
    r"(?P<phrase>(?:the|my|our|his|her|their)\s[^,;:?!.\n]+)"
)
_BETWEEN = re.compile(
    r"(?<!difference )(?<!choose )(?<!decide )\bbetween\s+"
    r"(?P<phrase>(?:the|my|our|his|her|their|when)\s[^,;:?!.\n]+?)\s+and\s+"
    r"(?P<end>(?:the|my|our|his|her|their|when)\s[^,;:?!.\n]+)"
)
# "When did we …" asks; "when we did …" dates.
_ASKING = re.compile(
    r"\s*(?:do|does|did|is|are|was|were|will|would|have|has|had|can|could|should)\b", re.IGNORECASE
)
_PAST = re.compile(
    r"\b(?:was|were|had|got|went|came|left|met|began|began|bought|broke|built|chose|fell|felt|flew"
    r"|found|gave|heard|hit|held|kept|knew|lost|made|paid|quit|ran|said|sat|saw|sold|sent|slept"
    r"|spent|spoke|stood|started|stayed|took|taught|told|thought|won|wrote|hurt|[a-z]{2,}ed)\b"
)
_NOUN_PHRASE = re.compile(
    r"(?:the|my|our|his|her|their|your|that)\s+\w|[A-Z][\w']*\s*'?s?\s+\w|[A-Z]\w+$"
)
_GERUND = re.compile(r"[a-z]{2,}ing\b")
_CLAUSE = re.compile(rf"{_SUBJECT}\s+[a-z]")
# Words before which "after" is part of a verb: to look after, named after.
_VERB_OF_AFTER = re.compile(
    r"\b(?:look\w*|takes?|taking|took|named?|naming|call\w*|ask\w*|chase\w*|chasing|runs?|running"
    r"|ran)\s+$",
    re.IGNORECASE,
)
_EVENT_WORDS = frozenset({"before", "after", "since", "until", "till", "prior to", "during"})
_MEASURED_WORDS = _EVENT_WORDS | {"following", "leading up to", "ahead of"}
# What happens every day dates nothing.
_EVERYDAY = frozenset(
    """
    work dinner lunch breakfast school bed class hours that this it then now all everything day
    morning evening night week weekend month year time while first end last season shower meal
    meals spring summer autumn fall winter sleep training session sessions conversation
    conversations chat
    """.split()
)
# What is asked for must have happened: "what does she do when …" asks for a habit, not for a time.
_ASKS_PAST = re.compile(r"\b(?:did|was|were|had|has|have|happened)\b|\b[a-z]{2,}ed\b")
_ASKS_OTHER = re.compile(
    r"\b(?:does|could|would|might|can|should|how long|how many (?:days|weeks|months|years))\b"
    r"|^\W*\w+(?:\s+\w+)?\s+do\b|\bbetween when\b",
    re.IGNORECASE,
)
_DETERMINERS = frozenset("the my our his her their your that a an".split())
_LEAST_COVERED = 0.6
_LONGEST_EVENT = timedelta(days=31)
_DURING_DAYS = 3
_NEAR_DAYS = 45
# How much a window counts beside one of the calendar: an event may have been found wrongly, and
# "after" often only says what led to what.
_MEASURED_SHARE = 1.0
_DURING_SHARE = 0.6
_NEAR_SHARE = 0.45
_FAR_SHARE = 0.3


class EventAnchor(Struct, frozen=True):
    """An event that a question dates something by.

    Attributes:
        relation: How what is asked for stands to it.
        phrase: The words for the event: "the trip to Rome", "we moved".
        question: What to search for: without those words where they say no more than when.
        rest: The question without them.
        end_phrase: The words for a second event, if what is asked for lies between the two.
    """

    relation: Relation
    phrase: str
    question: str
    rest: str
    end_phrase: str = ""


class Sighting(Struct, frozen=True):
    """A message that may tell of an event.

    Attributes:
        text: What it says.
        said_at: When, aware.
    """

    text: str
    said_at: datetime


def find_anchor(question: str, dated: Sequence[CalendarSpan]) -> EventAnchor | None:
    """Return the event by which `question` dates what it asks for, or None.

    Args:
        question: In English.
        dated: The calendar's spans in it: words that hold one need no event.

    Cost: about 20 µs.
    """
    if _ASKS_OTHER.search(question):
        return None
    between = _BETWEEN.search(question)
    if between is not None and not any(_overlaps(span, between) for span in dated):
        phrases = (between[part].strip().removeprefix("when ") for part in ("phrase", "end"))
        rest = f"{question[: between.start()].strip()} {question[between.end() :].strip()}"
        return EventAnchor(Relation("between"), next(phrases), question, rest, next(phrases))
    for match, relation in _readings(question):
        if any(_overlaps(span, match) for span in dated):
            continue
        phrase = match["phrase"].strip()
        if not _is_event(phrase, relation, question[: match.start()]):
            continue
        rest = f"{question[: match.start()].strip()} {question[match.end() :].strip(' ,')}".strip()
        if not relation.unit and not _ASKS_PAST.search(rest):
            continue
        cut = bool(relation.unit) and relation.word != "during" and len(rest.split()) > 2  # noqa: PLR2004
        return EventAnchor(relation, phrase, rest if cut else question, rest)
    return None


def place_event(
    phrase: str, sightings: Sequence[Sighting], stems: Callable[[str], Sequence[int]]
) -> tuple[datetime, datetime] | None:
    """Return when an event was, from what was said of it; None if none of it tells.

    A date that the telling sentence says counts ("we moved last Friday"), else the day it was said.
    A question, and a plan without a date, tell nothing.

    Args:
        phrase: The words for the event.
        sightings: Messages that may tell of it, best first.
        stems: Returns the stems of a text, stop words left out.
    """
    wanted = set(stems(phrase))
    if not wanted:
        return None
    best: tuple[float, tuple[datetime, datetime]] | None = None
    for sighting in sightings:
        for sentence in sentences(sighting.text):
            covered = len(wanted.intersection(stems(sentence.text))) / len(wanted)
            if covered < _LEAST_COVERED or sentence.asks or (best and covered <= best[0]):
                continue
            span = _told(sentence.text, sighting.said_at, planned=sentence.ahead)
            if span is not None:
                best = (covered, span)
    return None if best is None else best[1]


def event_windows(
    anchor: EventAnchor, since: datetime, until: datetime, now: datetime
) -> list[TimeWindow]:
    """Return the spans of time that a question means, given when its event was.

    Args:
        anchor: As `find_anchor` returned it.
        since: The event's first moment.
        until: The first moment after it.
        now: When the question is asked.
    """
    relation = anchor.relation
    if relation.word == "during":
        around = timedelta(days=_DURING_DAYS)
        return [TimeWindow(since - around, until + around, False, _DURING_SHARE, True)]
    found = related_window(relation, since, until, now)
    if relation.unit:
        return [TimeWindow(found.since, found.until, found.strict, _MEASURED_SHARE, True)]
    far = TimeWindow(found.since, found.until, True, _FAR_SHARE, True)
    near = timedelta(days=_NEAR_DAYS)
    if relation.word in ("after", "since"):
        edge = min(found.until, found.since + near)
        return [far, TimeWindow(found.since, edge, True, _NEAR_SHARE, True)]
    return [far, TimeWindow(found.until - near, found.until, True, _NEAR_SHARE, True)]


def between_window(
    start: tuple[datetime, datetime], end: tuple[datetime, datetime]
) -> list[TimeWindow]:
    """Return the span between two events, whichever came first; none if they are of one time."""
    first, last = sorted((start, end))
    if first[1] >= last[0]:
        return []
    return [TimeWindow(first[1], last[0], True, _DURING_SHARE, True)]


def _overlaps(span: CalendarSpan, match: re.Match[str]) -> bool:
    """Tell whether words that name a date are among those that name an event."""
    return span.start < match.end() and span.end > match.start("phrase")


def _readings(question: str) -> Iterator[tuple[re.Match[str], Relation]]:
    """Yield every place where an event may be named, the surest kinds first."""
    for pattern in (_OF_EVENT, _DAY_OF):
        for match in pattern.finditer(question):
            yield match, Relation("during", match["unit"])
    related = [(match, relation_of(match)) for match in _RELATED.finditer(question)]
    for match, relation in related:
        allowed = _MEASURED_WORDS if relation.unit else _EVENT_WORDS
        if relation.word in allowed:
            yield match, relation
    for pattern in (_WHEN_FIRST, _WHEN):
        for match in pattern.finditer(question):
            if not _ASKING.match(match["phrase"]) and _PAST.search(match["phrase"]):
                yield match, Relation("during")


def _is_event(phrase: str, relation: Relation, before: str) -> bool:
    """Tell whether the words after "before", "since" and so on name one thing that happened."""
    content = [word for word in re.findall(r"[\w']+", phrase) if word.lower() not in _DETERMINERS]
    if not content or (len(content) == 1 and content[0].lower() in _EVERYDAY):
        return False
    if relation.word == "after" and _VERB_OF_AFTER.search(before):
        return False
    if relation.word == "during":
        return bool(_NOUN_PHRASE.match(phrase) or _CLAUSE.match(phrase))
    patterns = (_NOUN_PHRASE, _CLAUSE, _GERUND)
    return any(pattern.match(phrase) for pattern in patterns)


def _told(text: str, said_at: datetime, *, planned: bool) -> tuple[datetime, datetime] | None:
    """Return when a sentence says that its event was; None for a plan without a date."""
    for date in said_dates(text, said_at):
        if date.until - date.since <= _LONGEST_EVENT:
            return date.since, date.until
    if planned:
        return None
    day = said_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return day, day + timedelta(days=1)
