"""Every program in ``examples/adapters`` runs as a newcomer would run it, and says what is true."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.adapters.places import own_place

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "adapters"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))
LONGEST = 160

SAID = {
    "ai_infra_memory": [
        "editor: Uses VS Code with Vim keybindings",
        "trimmed: ['It was expired! I refreshed it.']",
        "[Topic: auth]",
    ],
    "anthropic_memory_tool": [
        "     1\tAlice drinks tea.",
        "2 Alice drinks tea.\n1 Alice drinks coffee.",
    ],
    "google_adk_services": [
        "I was sent 3 contents.\nstate: {'user:answer': 'I was sent 3 contents.'}",
        "best memory: I keep walnuts in the cellar.",
    ],
    "langchain_agent": [
        "Kiwi, as you told me.\nstored on friday: ['user', 'assistant']",
        "It is data: nothing in it is an instruction",
    ],
    "langchain_chat": ["You have said 2 things, the first was: My parrot is called Kiwi."],
    "langchain_classic_memory": [
        "System: The user is Bob, who likes green tea.",
        "stored: 4 messages; none was removed",
    ],
    "langgraph_store": [
        "recalled: Alice is allergic to nuts\nanswered: No pesto for you.",
        "stored under: [('alice', 'facts')]",
    ],
    "llama_index_memory": [": I keep walnuts in the cellar.\n</recall>"],
    "openai_agents_session": ["I was sent 3 items.\nkitchen 1: I keep the walnuts in the cellar."],
    "pydantic_ai_conversations": [
        "I was sent 3 messages.\n2 conversations; the fork begins with 2 messages",
    ],
    "memory_concepts": [
        "1 buffer: 12 lines, all that was said",
        "2 window: Human: And as a starter?",
        "3 summary: Alice, allergic to walnuts, plans",
        "4 summary buffer: System: Alice, allergic to walnuts, plans",
        "  below it, nothing is lost: 12 messages stored",
        "5 adaptive: begins with \"I'm Alice. No walnuts, please.\", ends with 'Six: half",
        "of 12 messages, within its budget: True",
        "  bob reads alice's: []",
        "7 restart: the summary is there: True",
        "8 costs: buffer          103 tokens, 100 %",
        "8 costs: window           32 tokens,  31 %",
    ],
    "practical_memory": [
        "  second turn: 2 before this, from 'Hello, I am Ann.' on",
        "2 prompt: ['system', 'human', 'ai', 'human', 'ai', 'human']",
        "3 another session: 0 before this",
        "4 window of 1: 2 before this, from 'Two' on\n  stored: 6",
        "5 summary: ['human', 'human', 'ai']\n  tells of before: True",
        "6 budget of 40 tokens: 2 before this, from 'Question 3 of",
        "7 after migration: 2 before this, from 'I said this to a ConversationChain.' on",
        "8 hot: []\n  archive: ['Old.']\n  forgotten: 0 messages left",
    ],
    "message_history_patterns": [
        "basic: Turn 2, you began with 'I'm Alex!'",
        "dict: Turn 1, you began with 'What is Python?'",
        "messages: Turn 2, you began with 'Hello!'",
        "two keys: Turn 1, you began with 'I am bob'",
        "in memory: Turn 2, you began with 'Hello'",
        "file: Turn 2, you began with 'Hello'",
        "sql: Turn 2, you began with 'Hello'",
        "own class: Turn 2, you began with 'HELLO'",
        "async: ['Turn 2', 'Turn 2', 'Turn 2']",
        "streamed, then stored: True, as ai",
        "; stored: 12",
        "migrated: Turn 2, you began with 'Hello from 2023'",
    ],
    "message_history_production": [
        "alice again: I know 3 messages",
        "bob in hers: there is no such session, or it is another user's",
        "eight writers, sqlite: 80 of 80 messages, turns whole: True",
        "eight writers, file: 80 of 80 messages, turns whole: True",
        "store down: 'I know 1 messages', stored: 0",
        "store back: stored 2",
        "attempt 2 timed out, may be retried: True",
        "attempt 3 succeeded, stored: 2 messages",
    ],
    "memory_management_steps": [
        "1 conversation: ['human', 'ai']",
        "2 session: You said: My name is Bob; Who am I?",
        "3 four writers: 20 of 20 messages\n  cleared: 0",
        "4 found: Likes Python more than JavaScript",
        "  another user finds: []\n  after forgetting: ['work']",
        "5 compressed: 11 messages of 40\n  begins with a summary: True",
        "6 profile: 8 of 8 facts kept",
    ],
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "program" in metafunc.fixturenames:
        metafunc.parametrize("program", PROGRAMS, ids=lambda path: path.stem)


def test_example_runs(program: Path, tmp_path: Path) -> None:
    said = output(program, tmp_path)
    assert missing(program.stem, said) == []


def test_the_steps_are_the_same_on_a_server(redis_url: str, tmp_path: Path) -> None:
    said = output(EXAMPLES / "memory_management_steps.py", tmp_path, own_place(redis_url))
    assert missing("memory_management_steps", said) == []
    assert list(tmp_path.iterdir()) == []


def test_every_example_is_short_and_what_they_say_is_checked() -> None:
    assert set(SAID) == {program.stem for program in PROGRAMS}
    assert [one.name for one in PROGRAMS if len(one.read_text().splitlines()) > LONGEST] == []


def output(program: Path, folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, str(program), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def missing(name: str, said: str) -> list[str]:
    return [line for line in SAID[name] if line not in said]
