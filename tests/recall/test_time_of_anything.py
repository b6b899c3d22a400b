"""Whatever text and moment: reading times never fails."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from daybook.recall.evidence.claims import claim_of, clauses, may_replace
from daybook.recall.times.question_times import read_times
from daybook.recall.times.said_dates import said_dates, said_share

_PIECES = st.sampled_from(
    """
    the a few 2 31 999 two day days week weeks month years weekend ago before after since until
    between and from to in on last next this May June 2023 Easter Christmas Friday tomorrow trip
    we I moved was when how has changed no longer now my favourite is , . ? 1/2/2023 2024-02-30 ² ٣
    """.split()
)
_TEXTS = st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=20).map(" ".join))


@given(_TEXTS, st.datetimes())
def test_any_text_at_any_moment(text: str, now: datetime) -> None:
    moment = now.replace(tzinfo=UTC)
    times = read_times(text, moment)
    dates = said_dates(text, moment)
    assert 0 <= said_share(times.windows, dates) <= 1
    for date in dates:
        assert date.since < date.until
    if times.anchor is not None:
        assert times.anchor.phrase in text
    for clause in clauses(text):
        claim = claim_of(clause)
        assert claim is None or claim.content <= claim.stems
        may_replace(clause)
