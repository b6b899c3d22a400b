"""Read a question: what it is about, whom and when it names, which kind of answer it wants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from daybook.model.candidates import CandidateQuery
from daybook.recall.ranking.query_cleaning import (
    cut_little_words,
    cut_names,
    cut_request,
    name_words,
    named_speakers,
)
from daybook.recall.text.analysis import Analyzer
from daybook.recall.text.languages import languages_of
from daybook.recall.text.words import words
from daybook.recall.times.time_expressions import TimeWindow, time_windows
from daybook.recall.times.translated_times import asks_when_elsewhere, english_times

__all__ = ["AnalysedQuery", "plan_query"]

_SAY = (
    "say|suggest|recommend|advise|tell|mention|give|propose|explain|describe|list|outline|provide"
)
_SAID = (
    "said|suggested|recommended|advised|told|mentioned|gave|proposed|explained|described|listed"
    "|outlined|provided|showed|shown|given"
)
_ASKS_WHEN = re.compile(
    r"\b(?:when|what (?:date|day|month|year|time)|which (?:date|day|month|year|week)"
    r"|how long(?: ago)?|how (?:many|much) (?:days|weeks|months|years|time))\b",
    re.IGNORECASE,
)
_ASKS_HOW_MANY = re.compile(
    r"\b(?:how many|how much|how often|how old|what (?:number|percentage|amount|price|score)"
    r"|(?:number|amount) of)\b",
    re.IGNORECASE,
)
_ASKS_ASSISTANT = re.compile(
    rf"\b(?:(?:did|had|have) you (?:\w+ )?(?:{_SAY}|{_SAID})"
    rf"|you (?:(?:had|have|just|previously|earlier|also|first|originally) )*(?:{_SAID})"
    r"|your (?:\w+ )?(?:suggestion|recommendation|advice|answer|explanation|response|reply|tip"
    rf"|proposal|instruction)s?|(?:assistant|chatbot|bot)(?:'s)? (?:\w+ )?(?:{_SAY}|{_SAID}))\b",
    re.IGNORECASE,
)


class AnalysedQuery(Struct, frozen=True, kw_only=True):
    """A question, read.

    Attributes:
        text: The question as asked.
        subject: What to embed: without request phrasing and speakers' names.
        terms: Distinct stem hashes of `subject`.
        full_terms: `terms`, then the other stems of the whole question.
        speakers: Speakers the question names.
        windows: Spans of time the question names.
        foreign: Whether it is in a language other than English that has the Latin script.
        asks_when: Whether it asks for a time.
        asks_how_many: Whether it asks for a number.
        asks_assistant: Whether it asks what the assistant said.
    """

    text: str
    subject: str
    terms: tuple[int, ...]
    full_terms: tuple[int, ...]
    speakers: tuple[str, ...]
    windows: tuple[TimeWindow, ...]
    foreign: bool
    asks_when: bool
    asks_how_many: bool
    asks_assistant: bool

    def candidate_query(
        self,
        vector: NDArray[np.float32] | None,
        embedder: str,
        *,
        groups: frozenset[str] | None = None,
        group_prefix: str = "",
        since: int | None = None,
        until: int | None = None,
        limit: int = 300,
    ) -> CandidateQuery:
        """Return what to ask a `SearchIndex`; `vector` is that of `subject`."""
        return CandidateQuery(
            terms=self.terms,
            full_terms=self.full_terms,
            vector=vector,
            embedder=embedder,
            groups=groups,
            group_prefix=group_prefix,
            since=since,
            until=until,
            near=tuple(
                (microseconds(window.since), microseconds(window.until)) for window in self.windows
            ),
            speaker=self.speakers[0] if len(self.speakers) == 1 else "",
            limit=limit,
        )


def plan_query(
    text: str,
    *,
    analyzer: Analyzer,
    now: datetime,
    speaker_names: Sequence[str] = (),
    windows: Sequence[TimeWindow] = (),
) -> AnalysedQuery:
    """Read a question.

    Args:
        text: The question.
        analyzer: The one that analysed the documents.
        now: When it is asked, aware.
        speaker_names: Who speaks in the scope that will be searched.
        windows: Spans of time that it means beside those that the calendar names.

    Cost: about 0.1 ms. Pure.
    """
    names = name_words(speaker_names)
    subject = cut_names(cut_request(text), names)
    languages = languages_of(text, words(text))
    elsewhere = english_times(text, languages)
    terms = analyzer.stems(subject)
    others = dict.fromkeys([*analyzer.stems(text), *analyzer.possible_stems(subject)])
    return AnalysedQuery(
        text=text,
        subject=cut_little_words(subject, languages.latin),
        terms=tuple(terms),
        full_terms=(*terms, *(stem for stem in others if stem not in terms)),
        speakers=tuple(named_speakers(text, names)),
        windows=(*time_windows(elsewhere or text, now), *windows),
        foreign=languages.latin != "english",
        asks_when=bool(_ASKS_WHEN.search(text)) or asks_when_elsewhere(text, languages),
        asks_how_many=bool(_ASKS_HOW_MANY.search(text)),
        asks_assistant=bool(_ASKS_ASSISTANT.search(text)),
    )


def microseconds(moment: datetime) -> int:
    """Return a moment as whole microseconds since 1970, UTC."""
    return round(moment.timestamp() * 1_000_000)
