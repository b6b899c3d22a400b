from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.model.hit import Hit
from daybook.model.message import Message, Role
from daybook.recall.evidence.claims import stems
from daybook.recall.evidence.knowledge_updates import mark_superseded, superseded

_START = datetime(2024, 1, 1, tzinfo=UTC)
_LINES = (Path(__file__).parent / "update_pairs.txt").read_text(encoding="utf-8").splitlines()
_SPLIT = [(line[0] == "+", line[2:].split(" | ")) for line in _LINES if line[0] in "+-"]
_PAIRS = [(is_update, older, newer) for is_update, (older, newer) in _SPLIT]


def hit(text: str, day: int, *, score: float = 1.0, speaker: str = "user", **other: object) -> Hit:
    role = other.get("role", "user")
    return Hit(
        message=Message(role=role, content=text, id=f"m{day}"),  # type: ignore[arg-type]
        messages=(),
        session_id=str(other.get("session", f"s{day}")),
        seq=day,
        score=score,
        why={"words": score},
        said_at=None if other.get("undated") else _START + timedelta(days=day),
        speaker=speaker,
    )


def is_marked(older: str, newer: str) -> bool:
    return superseded([hit(older, 1), hit(newer, 2)]) == {0: 1}


def test_look_alikes_are_not_marked() -> None:
    wrong = [pair for pair in _PAIRS if not pair[0] and is_marked(pair[1], pair[2])]
    assert wrong == []
    assert sum(not pair[0] for pair in _PAIRS) >= 150


def test_most_updates_are_marked() -> None:
    updates = [pair for pair in _PAIRS if pair[0]]
    found = [pair for pair in updates if is_marked(pair[1], pair[2])]
    assert len(updates) >= 80
    assert len(found) >= 0.85 * len(updates)


def test_words_in_common_alone_would_mark_look_alikes() -> None:
    """What the rules are there for: the look-alikes share as many words as the updates do."""

    def by_words(older: str, newer: str) -> bool:
        one, other = stems(older), stems(newer)
        return 2 * len(one & other) >= min(len(one), len(other))

    wrong = [pair for pair in _PAIRS if not pair[0] and by_words(pair[1], pair[2])]
    assert len(wrong) > 40


@pytest.mark.parametrize("day", [1, 2])
def test_only_what_was_said_earlier_is_outdated(day: int) -> None:
    older, newer = hit("We have two cats.", day), hit("We have three cats now.", 3 - day)
    assert superseded([older, newer]) == ({0: 1} if day == 1 else {})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"speaker": "Ada"}, {"speaker": "Ben"}),
        ({"undated": True}, {}),
        ({}, {"undated": True}),
        *(({"role": role}, {"role": role}) for role in get_args(Role) if role != "user"),
    ],
)
def test_other_speakers_and_unsure_order_mark_nothing(
    one: dict[str, object], other: dict[str, object]
) -> None:
    pair = [
        hit("We have two cats.", 1, **one),  # type: ignore[arg-type]
        hit("We have three cats now.", 2, **other),  # type: ignore[arg-type]
    ]
    assert superseded(pair) == {}


def test_order_in_one_session_needs_no_date() -> None:
    pair = [
        hit("We have two cats.", 1, session="s", undated=True),
        hit("We have three cats now.", 2, session="s", undated=True),
    ]
    assert superseded(pair) == {0: 1}


def test_of_several_updates_the_newest_counts_and_goes_first() -> None:
    hits = [
        hit("My rent is 950 euros a month.", 1, score=9),
        hit("I like my street.", 2, score=8),
        hit("My rent went up to 1,000 euros a month.", 3, score=7),
        hit("My rent is 1,100 euros a month now.", 5, score=6),
    ]
    marked = mark_superseded(hits)
    assert marked[0].seq == 5
    assert {one.seq: one.superseded_by for one in marked} == {1: "m5", 2: None, 3: "m5", 5: None}
    assert [one.score for one in marked] == [9, 8, 7, 6]
    for one in marked:
        assert sum(one.why.values()) == pytest.approx(one.score)


def test_in_a_chain_each_stands_behind_what_replaces_it() -> None:
    hits = [
        hit("My manager is Petra.", 1, score=9),
        hit("Petra is no longer my manager, it's Jonas.", 2, score=8),
        hit("My manager is Jonas, Petra is my manager no longer.", 3, score=7),
        hit("My manager is Elif now.", 4, score=6),
    ]
    marked = mark_superseded(hits)
    places = {one.message.id: place for place, one in enumerate(marked)}
    outdated = [one for one in marked if one.superseded_by is not None]
    assert outdated
    for one in outdated:
        assert places[str(one.superseded_by)] < places[one.message.id]


def test_code_questions_and_quotes_of_wishes_claim_nothing() -> None:
    assert not is_marked("port = 5000;", "port = 8000;")
    assert not is_marked("```\nThe port is 5000.\n```", "The port is 8000 now.")
    assert not is_marked("Is the meeting in room 204?", "The meeting is in room 310 now.")
    assert not is_marked("The meeting is in room 204.", "Is the meeting in room 310 now?")
    assert not is_marked("The meeting is in room 204.", "If it is in room 310 now, I go.")


_TEXTS = st.sampled_from([text for _, *both in _PAIRS for text in both])


@given(st.lists(_TEXTS, max_size=12), st.data())
def test_marking_only_changes_places(texts: Sequence[str], data: st.DataObject) -> None:
    days = data.draw(st.permutations(range(len(texts))))
    hits = [
        hit(text, day, score=-place)
        for place, (text, day) in enumerate(zip(texts, days, strict=True))
    ]
    marked = mark_superseded(hits)
    assert sorted(one.seq for one in marked) == sorted(days)
    assert [one.score for one in marked] == [one.score for one in hits]
    places = {one.message.id: place for place, one in enumerate(marked)}
    for one in marked:
        if one.superseded_by is not None:
            assert marked[places[one.superseded_by]].seq > one.seq
            assert places[one.superseded_by] < places[one.message.id]
