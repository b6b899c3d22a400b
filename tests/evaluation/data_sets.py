"""Small made-up files in the shape of each data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LOCOMO: list[dict[str, Any]] = [
    {
        "sample_id": "conv-1",
        "conversation": {
            "speaker_a": "Ann",
            "speaker_b": "Ben",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Ann", "dia_id": "D1:1", "text": "I adopted a greyhound."},
                {"speaker": "Ben", "dia_id": "D1:2", "text": "Look!", "blip_caption": "a red kite"},
            ],
            "session_2_date_time": "9:05 am on 1 June, 2023",
            "session_2": [{"speaker": "Ben", "dia_id": "D2:1", "text": "The marathon went well."}],
            "session_10_date_time": "9:05 am on 3 July, 2023",
            "session_10": [{"speaker": "Ann", "dia_id": "D10:1", "text": "I sold the piano."}],
        },
        "qa": [
            {"question": "Which dog does Ann have?", "evidence": ["D1:1"], "category": 4},
            {"question": "What did they do?", "evidence": ["D:2:1; D10:01", "D9:9"], "category": 1},
            {"question": "Who sold a boat?", "evidence": ["D10:1"], "category": 5},
            {"question": "Nobody knows?", "evidence": [], "category": 3},
        ],
    }
]

REALTALK: dict[str, Any] = {
    "name": {"speaker_1": "Mo", "speaker_2": "Fay"},
    "session_1": [
        {
            "clean_text": "I fly to Porto tomorrow.",
            "speaker": "Mo",
            "dia_id": "D1:1",
            "date_time": "29.12.2023, 16:44:01",
        },
        {
            "clean_text": "Bring me tiles!",
            "speaker": "Fay",
            "dia_id": "D1:2",
            "date_time": "29.12.2023, 16:45:00",
        },
    ],
    "session_1_date_time": "29.12.2023, 16:44:01",
    "events_session_1": {"Mo": []},
    "qa": [{"question": "Where did Mo fly?", "answer": "", "evidence": ["D1:1"], "category": 2}],
}

LONGMEMEVAL: list[dict[str, Any]] = [
    {
        "question_id": "q-77",
        "question_type": "single-session-user",
        "question": "Where did I buy the lamp?",
        "answer": "at a fair",
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_session_ids": ["s-a", "s-b", "s-a"],
        "haystack_dates": [
            "2023/05/20 (Sat) 02:21",
            "2023/05/21 (Sun) 10:00",
            "2023/05/22 (Mon) 10:00",
        ],
        "haystack_sessions": [
            [
                {"role": "user", "content": "I bought a lamp at the fair.", "has_answer": True},
                {"role": "assistant", "content": "Lovely."},
            ],
            [{"role": "user", "content": "What is a good soup?"}],
            [{"role": "user", "content": "Thanks again."}],
        ],
        "answer_session_ids": ["s-a"],
    },
    {
        "question_id": "q-78_abs",
        "question_type": "multi-session",
        "question": "Where did I buy the boat?",
        "answer": "never said",
        "question_date": "",
        "haystack_session_ids": ["s-c"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21"],
        "haystack_sessions": [[{"role": "user", "content": "Hello there."}]],
        "answer_session_ids": ["s-c"],
    },
]

BEAM_CHAT: list[dict[str, Any]] = [
    {
        "batch_number": 1,
        "turns": [
            [
                {
                    "id": 0,
                    "role": "user",
                    "content": "I plan a garden. ->-> 1,2",
                    "time_anchor": "March-15-2024",
                },
                {"id": 1, "role": "assistant", "content": "Start with the soil."},
            ],
            [{"id": 2, "role": "user", "content": "The hedge is planted."}],
        ],
    }
]
BEAM_QUESTIONS: dict[str, Any] = {
    "information_extraction": [
        {"question": "What do I plan?", "source_chat_ids": {"first": [0], "more": ["2", "99"]}}
    ],
    "abstention": [{"question": "What car do I drive?", "source_chat_ids": []}],
}

MESSAGES: list[dict[str, Any]] = [
    {"session": "a", "id": "m1", "role": "user", "name": "Ann", "text": "The key is in the shed.",
     "at": "2024-05-01T10:00:00Z"},
    {"session": "a", "id": "m2", "role": "assistant", "text": "Noted."},
    {"session": "b", "text": "The train leaves at nine.", "at": "2024-06-01T10:00:00Z"},
]  # fmt: skip
QUESTIONS: list[dict[str, Any]] = [
    {"question": "Where is the key?", "evidence": ["m1"], "category": "place"},
    {
        "question": "When does the train leave?",
        "evidence": ["b:1"],
        "asked_at": "2024-07-01T00:00:00Z",
    },
    {"question": "Who called?", "evidence": []},
]


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def write_lines(path: Path, values: list[Any]) -> Path:
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


def write_beam(folder: Path) -> Path:
    write_json(folder / "chat.json", BEAM_CHAT)
    write_json(folder / "probing_questions.json", BEAM_QUESTIONS)
    return folder
