from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from daybook.demo.questions import BUNDLED_QUESTIONS, bundled_file
from tests.cli.conftest import MESSAGES, Daybook


def demo(daybook: Daybook, *arguments: str) -> Any:
    result = daybook("--embedder", "static", "demo", "--json", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_bundled_history_is_sound() -> None:
    lines = [json.loads(line) for line in bundled_file().read_text().splitlines()]
    ids = {line["id"] for line in lines}
    assert len(ids) == len(lines) >= 150
    assert len({line["session_id"] for line in lines}) >= 12
    assert len({line["user_id"] for line in lines}) == 3
    calls = {call["id"] for line in lines for call in line.get("tool_calls", ())}
    answered = {line["tool_call_id"] for line in lines if line["role"] == "tool"}
    assert calls == answered != set()
    assert {name for question in BUNDLED_QUESTIONS for name in question.evidence} <= ids
    times = [(line["session_id"], line["created_at"]) for line in lines]
    assert times == sorted(times, key=lambda one: (times_of(times)[one[0]], one[1]))


def times_of(times: list[tuple[str, str]]) -> dict[str, int]:
    """Return in which order the sessions come."""
    return {name: at for at, name in enumerate(dict.fromkeys(session for session, _ in times))}


def test_the_bundled_tour_finds_its_evidence(daybook: Daybook, folder: Path) -> None:
    seen = demo(daybook)
    assert seen["import"]["messages"] == 203
    assert all(question["evidence_rank"] for question in seen["questions"])
    for question in seen["questions"]:
        assert all(hit["session_id"].startswith(question["user_id"]) for hit in question["hits"])
    assert seen["context"]["tokens"] <= 600
    assert seen["context"]["receipt"]["recalled"]
    assert seen["index"]["pending_sessions"] == 0
    assert list(folder.iterdir()) == []


def test_the_tour_is_readable_without_a_terminal(daybook: Daybook) -> None:
    result = daybook("demo")
    assert result.exit_code == 0
    for part in ("Import", "mara asks:", "Context for a next turn", "Timings", "p50"):
        assert part in result.stdout
    assert "\x1b" not in result.output


def test_any_file_gets_questions_of_its_own(daybook: Daybook, folder: Path) -> None:
    text = "Yesterday the lighthouse keeper showed us seventeen enormous brass lanterns"
    lines = [*MESSAGES, {**MESSAGES[0], "id": "rich", "content": text}]
    (folder / "mine.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    [question] = demo(daybook, "mine.jsonl")["questions"]
    assert (question["user_id"], question["evidence"]) == ("alice", ["rich"])
    assert question["evidence_rank"] == 1


def test_a_locomo_file_brings_its_questions(daybook: Daybook, folder: Path) -> None:
    turns = [
        {"speaker": "Ada", "dia_id": f"D1:{at}", "text": text}
        for at, text in enumerate(["I bought a kayak.", "My cat is called Momo.", "Rain!"], 1)
    ]
    qa = [
        {"question": "What is the cat's name?", "evidence": ["D1:2"], "category": 4},
        {"question": "What did nobody say?", "evidence": ["D1:1"], "category": 5},
        {"question": "No evidence?", "evidence": [], "category": 1},
    ]
    sample = {"sample_id": "p", "qa": qa, "conversation": {"speaker_a": "Ada", "session_1": turns}}
    (folder / "pair.json").write_text(json.dumps([sample]))
    [question] = demo(daybook, "pair.json")["questions"]
    assert (question["text"], question["evidence_rank"]) == ("What is the cat's name?", 1)


def test_keep_leaves_a_daybook_to_go_on_with(daybook: Daybook, folder: Path) -> None:
    demo(daybook, "--keep", "kept.db")
    again = daybook("--url", "sqlite:///kept.db", "stats", "--json")
    assert json.loads(again.stdout)["stats"]["message_count"] == 203
    assert demo(daybook, "--url", "sqlite:///kept.db")["import"]["duplicates"] == 203


def test_a_file_without_text_makes_a_short_tour(daybook: Daybook, folder: Path) -> None:
    (folder / "small.jsonl").write_text(json.dumps(MESSAGES[4]))
    result = daybook("demo", "small.jsonl")
    assert result.exit_code == 0
    assert "too little text" in result.stdout
