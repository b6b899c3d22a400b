from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import InvalidInputError
from daybook.evaluation.conversations import UNDATED
from daybook.evaluation.load import load_conversations, sample_questions
from tests.evaluation.data_sets import (
    BEAM_CHAT,
    LOCOMO,
    LONGMEMEVAL,
    MESSAGES,
    QUESTIONS,
    REALTALK,
    write_beam,
    write_json,
    write_lines,
)


def test_locomo(tmp_path: Path) -> None:
    (one,) = load_conversations([write_json(tmp_path / "locomo10.json", LOCOMO)])
    assert (one.id, one.dataset) == ("conv-1", "locomo")
    assert [turn.id for turn in one.turns] == ["D1:1", "D1:2", "D2:1", "D10:1"]
    assert [turn.session for turn in one.turns] == ["S1", "S1", "S2", "S10"]
    assert one.turns[1].text == "Look! [shares a photo: a red kite]"
    assert one.turns[0].said_at == datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
    assert {turn.role for turn in one.turns} == {"user"}
    assert [question.evidence for question in one.questions] == [
        ("D1:1",),
        ("D2:1", "D10:1"),
        ("D10:1",),
        (),
    ]
    assert [question.category for question in one.questions] == [
        "single-hop",
        "multi-hop",
        "adversarial",
        "open-domain",
    ]
    assert [question.answerable for question in one.questions] == [True, True, False, True]
    assert one.questions[1].id == "conv-1_q1"


def test_realtalk(tmp_path: Path) -> None:
    (one,) = load_conversations([write_json(tmp_path / "Chat_1_Mo_Fay.json", REALTALK)])
    assert (one.id, one.dataset) == ("Chat_1_Mo_Fay", "realtalk")
    assert one.turns[0].said_at == datetime(2023, 12, 29, 16, 44, 1, tzinfo=UTC)
    assert [turn.speaker for turn in one.turns] == ["Mo", "Fay"]
    assert one.questions[0].evidence == ("D1:1",)
    assert one.questions[0].category == "temporal"


def test_longmemeval(tmp_path: Path) -> None:
    one, two = load_conversations([write_json(tmp_path / "longmemeval_s.json", LONGMEMEVAL)])
    assert [turn.id for turn in one.turns] == ["s-a:1", "s-a:2", "s-b:1", "s-a:3"]
    (question,) = one.questions
    assert question.evidence == ("s-a:1",)
    assert question.evidence_sessions == ("s-a",)
    assert question.asked_at == datetime(2023, 5, 30, 23, 40, tzinfo=UTC)
    assert question.category == "single-session-user"
    assert two.questions[0].category == "abstention"
    assert not two.questions[0].answerable
    assert two.questions[0].asked_at is None


def test_beam(tmp_path: Path) -> None:
    folder = write_beam(tmp_path / "beam100K" / "3")
    (one,) = load_conversations([folder])
    assert load_conversations([folder.parent]) == [one]
    assert load_conversations([folder / "chat.json"], form="beam") == [one]
    assert (one.id, one.dataset) == ("beam100K-3", "beam100K")
    assert one.turns[0].text == "I plan a garden."
    assert [turn.session for turn in one.turns] == ["B1.0", "B1.0", "B1.1"]
    assert {turn.said_at for turn in one.turns} == {datetime(2024, 3, 15, tzinfo=UTC)}
    assert [question.evidence for question in one.questions] == [("0", "2"), ()]


def test_ones_own(tmp_path: Path) -> None:
    messages = write_lines(tmp_path / "talks.jsonl", MESSAGES)
    questions = write_lines(tmp_path / "asked.jsonl", QUESTIONS)
    (one,) = load_conversations([questions, messages])
    assert [turn.id for turn in one.turns] == ["m1", "m2", "b:1"]
    assert [turn.role for turn in one.turns] == ["user", "assistant", "user"]
    assert one.turns[1].said_at == one.turns[0].said_at
    assert [question.evidence for question in one.questions] == [("m1",), ("b:1",), ()]
    assert one.questions[1].asked_at == datetime(2024, 7, 1, tzinfo=UTC)
    assert [question.id for question in one.questions] == ["q1", "q2", "q3"]


def test_ones_own_may_be_a_list_and_have_no_times(tmp_path: Path) -> None:
    value: list[Any] = [
        {"text": "Tea is hot."},
        {"question": "What is hot?", "evidence": ["session:1"]},
    ]
    (one,) = load_conversations([write_json(tmp_path / "both.json", value)])
    assert one.turns[0].said_at == UNDATED
    assert one.questions[0].evidence == ("session:1",)


def test_users_are_kept_apart(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "all.jsonl",
        [
            {"user": "ann", "id": "1", "text": "red"},
            {"user_id": "ben", "id": "1", "content": "blue"},
            {"user": "ben", "question": "Which?", "evidence": ["1"]},
        ],
    )
    ann, ben = load_conversations([path])
    assert (ann.id, len(ann.questions), ben.id, len(ben.questions)) == ("ann", 0, "ben", 1)


def test_a_folder_is_searched_and_what_is_nothing_is_passed_over(tmp_path: Path) -> None:
    write_json(tmp_path / "locomo" / "locomo10.json", LOCOMO)
    write_beam(tmp_path / "beam100K" / "10")
    write_beam(tmp_path / "beam100K" / "2")
    write_json(tmp_path / "notes" / "settings.json", {"colour": "red"})
    (tmp_path / "beam100K" / "3").mkdir()
    (tmp_path / "beam100K" / "3" / "chat.json").touch()
    (tmp_path / ".hidden.json").write_text("{")
    found = [one.id for one in load_conversations([tmp_path])]
    assert found == ["beam100K-2", "beam100K-10", "conv-1"]
    assert [one.id for one in load_conversations([tmp_path], form="locomo")] == ["conv-1"]


def broken(tmp_path: Path, name: str) -> Path:
    """Return a file that is wrong in one place."""
    if name == "jsonl":
        path = write_lines(tmp_path / "a.jsonl", [*MESSAGES, *QUESTIONS])
        path.write_text(path.read_text() + '{"text": "cut o')
        return path
    if name == "truncated":
        path = write_json(tmp_path / "a.json", LOCOMO)
        path.write_text(path.read_text()[:-200])
        return path
    value: Any = copy.deepcopy(LONGMEMEVAL)
    if name == "haystack":
        value[1]["haystack_dates"] = []
    elif name == "date":
        value[0]["haystack_dates"][1] = "2023/02/30 (Thu) 10:00"
    elif name == "locomo turn":
        value = copy.deepcopy(LOCOMO)
        del value[0]["conversation"]["session_2"][0]["dia_id"]
    elif name == "locomo twice":
        value = [*LOCOMO, *LOCOMO]
    elif name == "locomo same turn":
        value = copy.deepcopy(LOCOMO)
        value[0]["conversation"]["session_2"][0]["dia_id"] = "D1:1"
    elif name == "realtalk time":
        value = copy.deepcopy(REALTALK)
        value["session_1"][1]["date_time"] = "yesterday"
    elif name == "unknown":
        value = {"colour": "red"}
    return write_json(tmp_path / "a.json", value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("jsonl", "line 7: not valid JSON"),
        ("truncated", "cut off or broken"),
        ("haystack", "$[1]: sessions, their ids and their dates differ in number"),
        ("date", "haystack_sessions[1]: a date must be written 2023/05/20"),
        ("locomo turn", "session_2[0]: dia_id must be text, is missing"),
        ("locomo twice", "conversation conv-1 of locomo is there twice"),
        ("locomo same turn", "two turns have the same id"),
        ("realtalk time", "session_1[1]: date_time must be written 29.12.2023"),
        ("unknown", "a.json: is none of own, locomo"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, name: str, says: str) -> None:
    path = broken(tmp_path, name)
    with pytest.raises(InvalidInputError) as caught:
        load_conversations([path])
    assert says in str(caught.value)
    assert "lamp" not in str(caught.value), "nothing that was said is quoted"


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([{"text": "a", "id": "x"}, {"text": "b", "id": "x"}], "line 2: a message with this id"),
        (
            [{"text": "a"}, {"question": "q", "evidence": ["no"]}],
            "line 2: evidence[0] is the id of",
        ),
        ([{"text": "a"}, {"question": "q", "evidence": "m"}], "line 2: evidence must be a list"),
        ([{"text": "a"}, {"session": "x"}], "line 2: is neither a message"),
        ([{"text": "a"}, ["b"]], "line 2: is neither a message"),
        ([{"text": "a", "at": "soon"}], "line 1: the time is not in a known form"),
        ([{"text": "a", "role": "king"}], "line 1: the role is missing or none of"),
        ([{"text": "a"}, {"question": "q", "asked_at": "soon"}], "line 2: asked_at: the time"),
        ([{"text": "a"}, {"question": "q", "user": "ben"}], "line 2: there are no messages of"),
        (
            [{"text": "a", "user": "1"}, {"text": "b", "user": "2"}, {"question": "q"}],
            "line 3: name the user asked about; messages are of 2 users",
        ),
        (
            [{"text": "a"}, {"question": "q", "id": "1"}, {"question": "r", "id": "1"}],
            "line 3: a question with this id stands at",
        ),
        ([{"question": "q"}], "line 1: name the user asked about; messages are of 0 users"),
    ],
)
def test_a_wrong_line_of_ones_own_is_named(tmp_path: Path, lines: list[Any], says: str) -> None:
    path = write_lines(tmp_path / "mine.jsonl", lines)
    with pytest.raises(InvalidInputError) as caught:
        load_conversations([path])
    assert f"{path}: {says}" in str(caught.value)


def test_what_is_not_there_or_holds_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no such file"):
        load_conversations([tmp_path / "absent.json"])
    with pytest.raises(InvalidInputError, match="there is no conversation"):
        load_conversations([tmp_path])
    write_json(tmp_path / "chat.json", BEAM_CHAT)
    with pytest.raises(InvalidInputError, match="no such file"):
        load_conversations([tmp_path / "chat.json"], form="beam")


def test_a_sample_is_of_questions_with_evidence_and_the_same_each_time(tmp_path: Path) -> None:
    write_json(tmp_path / "locomo10.json", LOCOMO)
    write_json(tmp_path / "longmemeval_s.json", LONGMEMEVAL)
    every = load_conversations([tmp_path])
    drawn = sample_questions(every, 2, seed=3)
    assert sum(len(one.questions) for one in drawn) == 2
    assert drawn == sample_questions(every, 2, seed=3)
    assert any(drawn != sample_questions(every, 2, seed=seed) for seed in range(4, 9))
    everything = sample_questions(every, 100, seed=3)
    assert sum(len(one.questions) for one in everything) == 5
    assert all(
        one.evidence for talk in everything for one in talk.questions if talk.dataset == "locomo"
    )
