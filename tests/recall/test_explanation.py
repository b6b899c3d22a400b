"""Reasons say in words what makes a score, all of it, and name only words that are there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook import Daybook, Hit, Message
from daybook.model.hit import Reason
from daybook.recall.evidence.explanation import WORDED_FEATURES, explained
from daybook.recall.ranking.weights import load_weights
from daybook.recall.text.analysis import Analyzer

ANALYZER = Analyzer()
QUERY = "Which adoption agencies did Caroline visit in May 2023?"
# What is added to the ranker's features where a question's times and updates are arranged.
ARRANGED = {"event", "said_date", "newer", "outdated"}


def unworded(features: Iterable[str]) -> set[str]:
    return set(features) - WORDED_FEATURES


def reasons(hit: Hit, query: str = QUERY) -> tuple[Reason, ...]:
    [found] = explained([hit], query, ANALYZER)
    return found.reasons


@pytest.mark.parametrize("name", ["static", "minilm", "lexical"])
def test_every_feature_of_the_ranker_has_words(name: str) -> None:
    weights = load_weights(name)
    assert unworded(weights.final.keys() | weights.first.keys() | ARRANGED) == set()
    # The sentences take it so: what is long loses.
    lengths = weights.final.keys() & {"ln", "lnz"}
    assert lengths
    assert all(weights.final[length] < 0 for length in lengths)


def test_a_feature_without_words_is_seen() -> None:
    """The control: a name that nobody worded is found, and still explained as something."""
    assert unworded(["b_raw", "moon_phase"]) == {"moon_phase"}
    [reason] = reasons(a_hit({"moon_phase": 2.0}))
    assert (reason.kind, reason.effect) == ("other", 2.0)


def a_hit(why: dict[str, float], text: str = "I saw an agency.") -> Hit:
    message = Message.user(text, name="Caroline {x}")
    return Hit(
        message=message,
        messages=(message,),
        session_id="s",
        seq=1,
        score=sum(why.values()),
        why=why,
        said_at=None,
        speaker="Caroline {x}",
    )


@given(
    why=st.dictionaries(st.sampled_from([*sorted(WORDED_FEATURES), "new"]), st.floats(-9, 9)),
    text=st.text(max_size=60) | st.just("Caroline saw two agencies about an adoption."),
)
def test_effects_add_up_to_the_score_and_words_are_in_both(
    why: dict[str, float], text: str
) -> None:
    found = reasons(a_hit(why, text))
    assert sum(reason.effect for reason in found) == pytest.approx(sum(why.values()), abs=1e-6)
    effects = [abs(reason.effect) for reason in found]
    assert effects == sorted(effects, reverse=True)
    assert len({reason.kind for reason in found}) == len(found)
    for reason in found:
        assert reason.text
        for word in reason.words:
            assert word in QUERY
            assert set(ANALYZER.stems(word)) & set(ANALYZER.stems(text))


@pytest.mark.parametrize(
    ("text", "effect", "says"),
    [
        ("An agency.", 1.0, "shares the word “agencies” with your question"),
        (
            "Adoption agency visits",
            1.0,
            "shares the words “adoption”, “agencies” and “visit” with your question",
        ),
        ("An agency.", -1.0, "shares only the word “agencies” with your question"),
        ("Nothing.", 1.0, "what is said around it shares words with your question"),
        ("Nothing.", -1.0, "shares no telling words with your question"),
    ],
)
def test_words_are_named_as_asked(text: str, effect: float, says: str) -> None:
    [reason] = reasons(a_hit({"b_prev": effect}, text))
    assert reason.text == says


def test_many_words_are_counted() -> None:
    query = "one red fox saw eight blue hens near seven green barns"
    [reason] = reasons(a_hit({"cov": 1.0}, query), query)
    assert reason.text.endswith("“blue” and 5 more words with your question")
    assert len(reason.words) == 11


def test_searching_with_explain_gives_reasons_a_person_understands() -> None:
    said_at = datetime(2023, 5, 8, tzinfo=UTC)
    with Daybook.open("inmemory://") as book:
        said = [
            Message.user("What did you do?", name="Bob", created_at=said_at),
            Message.user("We visited an adoption agency.", name="Caroline", created_at=said_at),
            Message.assistant("Sounds good.", created_at=said_at),
        ]
        book.history.append("s", said, user_id="ann")
        first, *_ = hits = book.recall.search(QUERY, user_id="ann", explain=True)
        assert book.recall.search(QUERY, user_id="ann")[0].reasons == ()
    texts = {reason.kind: reason.text for reason in first.reasons}
    assert first.speaker == "Caroline"
    assert texts["speaker"] == "said by Caroline, whom you name"
    assert texts["date"] == "said at the time that you ask about"
    assert texts["words"].startswith("shares the words “adoption”, “agencies”")
    for hit in hits:
        assert sum_of(hit.reasons) == pytest.approx(hit.score, abs=1e-4)
    assert {reason.kind for reason in hits[-1].reasons} >= {"speaker", "assistant"}


def sum_of(found: Iterable[Reason]) -> float:
    return sum(reason.effect for reason in found)
