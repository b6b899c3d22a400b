"""Conversations told in other ways for fitting: no word is lost, and evidence stays evidence."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from benchmarks.recall_quality.conversations import Conversation, Question, Turn
from daybook.recall.text.analysis import Analyzer
from tools.fit_ranker.recuts import grown, long_sessions, split_messages

_SAID = datetime(2026, 1, 1, tzinfo=UTC)
_STEMS = Analyzer().stems
_PEERS = Conversation(
    "peers",
    "chat",
    [
        Turn("p1", "S1", "Ada", "user", "How was the trip? Tell me everything about it.", _SAID),
        Turn(
            "p2",
            "S1",
            "Ben",
            "user",
            "It rained a lot. We adopted a beagle there! Wow. [shares a photo: a small dog]",
            _SAID,
        ),
        Turn("p3", "S1", "Ada", "user", "That is such lovely news. I am glad for you.", _SAID),
    ],
    [Question("q1", "Which animal did Ben take in?", "single-hop", ("p2",), answer="a beagle")],
)
_TOPICS = Conversation(
    "topics",
    "assistant",
    [
        Turn("a1", "B1.0", "", "user", "Which flour is best for sourdough bread?", _SAID),
        Turn("a2", "B1.0", "", "assistant", "Strong flour with much gluten works best.", _SAID),
        Turn("a3", "B1.1", "", "user", "Please remember that zebras frighten me.", _SAID),
        Turn("a4", "B1.1", "", "assistant", "Noted, no more of those animals here.", _SAID),
    ],
    [Question("q2", "What am I afraid of?", "preference", ("a3",))],
)


def words_of(conversation: Conversation) -> Counter[str]:
    """Return how often each word is said, whatever its case and full stops."""
    return Counter(
        word.lower().strip(".!") for turn in conversation.turns for word in turn.text.split()
    )


def test_each_sentence_becomes_a_message_and_no_word_is_lost() -> None:
    split = split_messages(_PEERS, _STEMS)
    assert [turn.id for turn in split.turns] == ["p1#0", "p1#1", "p2#0", "p2#1", "p3#0", "p3#1"]
    assert [turn.speaker for turn in split.turns] == ["Ada"] * 2 + ["Ben"] * 2 + ["Ada"] * 2
    assert words_of(split) == words_of(_PEERS)
    assert split.turns[3].text.endswith("[shares a photo: a small dog]")


def test_the_sentence_that_holds_the_answer_is_the_evidence() -> None:
    assert split_messages(_PEERS, _STEMS).questions[0].evidence == ("p2#1",)


def test_topics_of_a_sitting_become_one_session() -> None:
    assert {turn.session for turn in long_sessions(_TOPICS).turns} == {"B1"}
    assert long_sessions(_PEERS) == _PEERS


def test_a_large_scope_holds_every_conversation_and_turns_that_answer_nothing() -> None:
    scope = grown([_PEERS, _TOPICS], made_up=60, questions=5)
    assert len(scope.turns) == len(_PEERS.turns) + len(_TOPICS.turns) + 60
    assert len({turn.id for turn in scope.turns}) == len(scope.turns)
    known = {turn.id: turn.text for turn in scope.turns}
    assert {one.id: [known[turn] for turn in one.evidence] for one in scope.questions} == {
        "q1": [_PEERS.turns[1].text],
        "q2": [_TOPICS.turns[2].text],
    }
    made_up = " ".join(turn.text for turn in scope.turns if turn.id.startswith("made-up"))
    assert "lovely" in made_up
    assert "beagle" not in made_up
    assert "zebras" not in made_up


def test_questions_of_a_large_scope_are_drawn_evenly() -> None:
    many = [Question(f"q{i}", "Why?", "single-hop", ("p1",)) for i in range(10)]
    scope = grown([Conversation("peers", "chat", _PEERS.turns, many)], made_up=0, questions=3)
    assert [one.id for one in scope.questions] == ["q0", "q4", "q8"]


def test_the_same_conversations_give_the_same_turns() -> None:
    assert split_messages(_PEERS, _STEMS) == split_messages(_PEERS, _STEMS)
    assert grown([_PEERS, _TOPICS], 60, 5) == grown([_PEERS, _TOPICS], 60, 5)
