from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from daybook.importers.source import ImportedSession
from daybook.model.message import ContentPart
from tests.importers.conftest import ReadRecords, WriteFile
from tests.importers.records import bad_in, messages_in, said_in


def sample(**conversation: Any) -> dict[str, Any]:
    return {
        "sample_id": "pair-1",
        "qa": [],
        "conversation": {
            "speaker_a": "Ada",
            "speaker_b": "Ben",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Ada", "dia_id": "D1:1", "text": "I bought a kayak."},
                {
                    "speaker": "Ben",
                    "dia_id": "D1:2",
                    "text": "Look at mine!",
                    "blip_caption": "a red kayak on a lake",
                    "img_url": ["https://example.org/k.jpg"],
                },
            ],
            **conversation,
        },
    }


def test_both_speakers_are_people_of_one_memory(write: WriteFile, read: ReadRecords) -> None:
    records = read(write(json.dumps([sample()])))
    session = records[0]
    assert isinstance(session, ImportedSession)
    assert (session.session_id, session.user_id) == ("pair-1/session_1", "pair-1")
    assert session.title == "Ada and Ben, session 1"
    first, second = messages_in(records)
    assert [(one.id, one.role, one.name) for one in (first, second)] == [
        ("D1:1", "user", "Ada"),
        ("D1:2", "user", "Ben"),
    ]
    assert first.created_at == datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
    assert second.content == (
        ContentPart("text", "Look at mine!"),
        ContentPart(
            "caption",
            "[shares a photo: a red kayak on a lake]",
            {"img_url": ["https://example.org/k.jpg"]},
        ),
    )


def test_sessions_come_in_the_order_of_their_numbers(write: WriteFile, read: ReadRecords) -> None:
    turn = {"speaker": "Ada", "text": "x"}
    talk = sample(session_10=[{**turn, "text": "ten"}], session_2=[{**turn, "text": "two"}])
    texts = [text for _, text in said_in(read(write(json.dumps([talk]))))]
    assert texts[-2:] == ["two", "ten"]


def test_one_sample_alone_is_a_file_too(write: WriteFile, read: ReadRecords) -> None:
    assert len(messages_in(read(write(sample())))) == 2


def test_bad_turns_are_reported_with_their_path(write: WriteFile, read: ReadRecords) -> None:
    talk = sample(
        session_2=[{"speaker": "Ada"}, {"text": "secret"}, {"speaker": "Ada", "text": "fine"}],
        session_2_date_time="some day",
        session_3="secret",
    )
    records = read(write(json.dumps([talk, {"no": "sample"}])))
    assert said_in(records)[-1] == ("user", "fine")
    assert [bad.position for bad in bad_in(records)] == [
        "$[0].conversation.session_2_date_time",
        "$[0].conversation.session_2[0]",
        "$[0].conversation.session_2[1]",
        "$[0].conversation.session_3",
        "$[1]",
    ]
    assert "secret" not in str(bad_in(records))
