"""What the programs in ``examples/`` say is true: their key lines, run as a newcomer would."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
LONGEST = 60

SAID = {
    "quickstart": [
        "stored messages 1 to 4: durable",
        "found in 'Plans for spring', message 3: Eighteen metres. My neighbour Jonas",
        "recalled from earlier: ",
    ],
    "sessions_and_ttl": [
        "Alice's sessions: ['A quick one', 'Tax return']",
        "Bob sees it: False",
        "after 100 minutes it lives: True",
        "an hour after its last message: False",
        "left: 1 session, 0 messages",
    ],
    "tool_calls": [
        "stored call: weather({'city': 'Bergen', 'day': 'Saturday'})",
        " 40 tokens: 2 messages, whole: True",
        "120 tokens: 6 messages, whole: True",
    ],
    "recall_in_time": [
        "teachers: ['talk-2-10', 'talk-9-1']",
        "since June: New cello teacher: Mr Ortiz",
        "in May: My first cello concert!",
        "with its neighbour: ['user', 'assistant']",
        "has reasons: True; nobody else's: []",
    ],
    "records": [
        "jonas is at version 2",
        "a stale write is refused",
        "jonas lived in: ['Hamburg', 'Berlin']",
        "under 40 in Berlin: ['mira']",
        "boats: saskia",
    ],
    "context_windows": [
        "of 500 tokens, first is system",
        "recalled as role user, marked as data: True",
        "newest is last: True",
        "too small: ",
    ],
    "forks_and_sharing": [
        "  With jokes, forked after message 2",
        "only in the funny one: ['More jokes, please.']",
        "bob writes: session draft is shared with this user for reading only",
        "after revoke: 0 messages",
    ],
    "async_appenders": [
        "messages: 400 of 400",
        "numbered without a gap: True",
        "each question beside its answer: True",
    ],
    "import_and_export": [
        "added 2, there already 0",
        "added 0, there already 2",
        "elsewhere: 2 messages of alice, the same: True",
    ],
    "chat_application": [
        "streamed: The timetable says: nine o'clock from Mallaig.",
        "roles: ['user', 'assistant', 'tool', 'assistant']",
        "sent again: True",
        "kept of the story: True",
        "sessions: ['Another way', 'Skye']",
        "sees bob it: None",
    ],
    "chat_backend": [
        "You are Alice.\n4 messages, ends 1:00:00 after the last",
        "alice's sessions: ['First talk']",
        "shown: 50, the oldest are only hidden",
        "bob writes: session ",
        "branch: You are Alice.\nexported: 1\nbob deletes: False\nalice deletes: True",
        "left: ['Another way']",
    ],
    "own_embedder": [
        "Something blue? Make the window azure.",
        "Something red? Make the door scarlet.",
        "Something green? Make the bench emerald.",
    ],
}


def test_every_example_is_here_and_short() -> None:
    programs = {path.stem: path for path in EXAMPLES.glob("*.py")}
    assert set(programs) == set(SAID)
    assert all(len(path.read_text().splitlines()) <= LONGEST for path in programs.values())


@pytest.mark.parametrize("name", sorted(SAID))
def test_an_example_says(name: str, tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    missing = [line for line in SAID[name] if line not in result.stdout]
    assert missing == []
