"""``daybook chat``, at a terminal and through a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from daybook import Daybook, Message
from daybook.cli.app import app
from daybook.testing.model_turn import Turn
from tests.cli.terminal import CTRL_D, UP, Terminal, terminal
from tests.servers.model_server import ModelServer, model_server

CHAT = [sys.executable, "-m", "daybook.cli", "--embedder", "hash", "chat"]
PROMPT = "you> "


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as made:
        yield made


def model_at(server: ModelServer) -> list[str]:
    return ["--model", f"ollama:any@{server.url}"]


def piped(lines: str, *arguments: str, **environment: str) -> Result:
    """Give lines to the command, as a pipe does, in this process."""
    command = [*CHAT[3:], *arguments]
    return CliRunner().invoke(app, command, input=lines, env=dict(environment), prog_name="daybook")


def stored(folder: Path) -> list[list[Message]]:
    """Return the messages of every session, the last used one first."""
    with Daybook.open(f"sqlite:///{folder}/daybook.db", embedder=None) as book:
        page = book.sessions.list()
        return [book.history.list(session.id) for session in page.items]


# --------------------------------------------------------------------------------- a terminal


def test_a_conversation_at_a_terminal(folder: Path, server: ModelServer) -> None:
    server.script(Turn(), Turn(fault="stalled"), Turn(pieces=("Back", " again.")))
    with terminal([*CHAT, *model_at(server)], folder, {}) as screen:
        screen.until(PROMPT)
        screen.type("My dog is called Rex\r")
        screen.until("A fine answer.")
        assert "120 + 30 tokens" in screen.until(PROMPT)

        screen.type("go on\r")
        screen.until("A")
        screen.interrupt()
        screen.until("what had come is kept")
        screen.until(PROMPT)

        screen.type("are you there?\r")
        screen.until("Back again.")
        screen.until(PROMPT)
        check_commands(screen)
        screen.type("/quit\r")
        assert screen.end() == 0
    fork, talk = sorted(stored(folder), key=len)
    assert [(one.role, one.text) for one in talk] == [
        ("user", "My dog is called Rex"),
        ("assistant", "A fine answer."),
        ("user", "go on"),
        ("assistant", "A"),
        ("user", "are you there?"),
        ("assistant", "Back again."),
    ]
    assert talk[3].metadata["daybook"]["incomplete"] is True
    assert fork == talk[:2]


def check_commands(screen: Terminal) -> None:
    for command, expected in (
        ("/help", "/recall TEXT"),
        ("/recall dog", "My dog is called Rex"),
        ("/recall", "query must be"),
        ("/context", "word for word"),
        ("/pin 1", "#1 stays in every context"),
        ("/pin one", "give the number"),
        ("/pin 99", "no message 99"),
        ("/cost", "all: 3 calls"),
        ("/nonsense", "there is no /nonsense"),
        ("/open nowhere", "no such session"),
        ("/fork 2", "the same up to #2"),
        ("/sessions", "My dog is called Rex"),
    ):
        screen.type(f"{command}\r")
        screen.until(command)
        screen.until(expected)
        screen.until(PROMPT)


def test_editing_and_ending(folder: Path) -> None:
    """Ctrl-C empties the line, an arrow calls lines back, Ctrl-D ends; no file keeps them."""
    with terminal(CHAT, folder, {"HOME": str(folder), "PYTHON_HISTORY": ""}) as screen:
        assert screen.until(PROMPT).count("no language model is configured") == 1
        screen.type("half a secret")
        screen.until("half a secret")
        screen.interrupt()
        screen.until(PROMPT)
        screen.type("Rex likes bones\r")
        screen.until("I remember nothing")
        screen.until(PROMPT)
        screen.type(f"{UP}\r")
        screen.until("Rex likes bones")
        screen.until(PROMPT)
        screen.type(CTRL_D)
        assert screen.end() == 0
        assert screen.shown.count("no language model is configured") == 1
    (talk,) = stored(folder)
    assert [one.text for one in talk if one.role == "user"] == ["Rex likes bones"] * 2
    assert {path.name.partition(".")[0] for path in folder.iterdir()} == {"daybook"}


def test_what_a_model_says_is_shown_and_not_obeyed(folder: Path, server: ModelServer) -> None:
    server.script(Turn(pieces=("\x1b]0;title\x07", "red \x1b[31mtext")))
    result = piped("hello\n", *model_at(server))
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert "red" in result.stdout


# ------------------------------------------------------------------------------------- a pipe


def test_each_line_of_a_pipe_is_a_turn(folder: Path, server: ModelServer) -> None:
    server.script(Turn(echo=True))
    result = subprocess.run(
        [*CHAT, "--user", "alice", *model_at(server)],
        input="one\n\n  two\n/quit\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert (result.returncode, result.stdout) == (0, "one\ntwo\n/quit\n")
    assert PROMPT not in result.stdout + result.stderr
    (talk,) = stored(folder)
    assert len(talk) == 6
    again = piped("three\n", DAYBOOK_MODEL=model_at(server)[1])
    assert again.stdout == "three\n"
    assert "no language model" not in again.stderr
    assert [len(one) for one in stored(folder)] == [2, 6]


def test_json_is_a_line_for_each_turn(folder: Path, server: ModelServer) -> None:
    server.script(Turn(), Turn(fault="invalid"), Turn(echo=True))
    result = piped("one\ntwo\nthree\n", "--json", *model_at(server))
    assert result.exit_code == 1, "a turn failed"
    first, second, third = (json.loads(line) for line in result.stdout.splitlines())
    assert first["question"]["text"] == "one"
    assert (first["answer"]["text"], first["seq"]) == ("A fine answer.", 2)
    assert first["usage"]["input_tokens"] == 120
    assert (second["kind"], second["session_id"]) == ("ProviderError", first["session_id"])
    assert third["answer"]["text"] == "three"
    on = piped("four\n", first["session_id"], "--json", *model_at(server))
    facts: dict[str, Any] = json.loads(on.stdout)
    assert (facts["session_id"], facts["seq"]) == (first["session_id"], 7)


def test_without_a_model_it_says_so_once(folder: Path) -> None:
    result = piped("The ferry leaves at nine\nWhen does the ferry leave?\n")
    assert result.exit_code == 0
    assert result.stderr.count("no language model is configured") == 1
    assert "No language model" not in result.stdout
    assert "“The ferry leaves at nine”" in result.stdout
    quiet = piped("The ferry?\n", "--quiet", "--json")
    assert json.loads(quiet.stdout)["no_model"] is True
    assert quiet.stderr == ""


def test_who_talks(folder: Path) -> None:
    assert piped("hello\n").exit_code == 0
    assert piped("hello\n", "--user", "bob").exit_code == 0
    asks = piped("hello\n")
    assert asks.exit_code == 1
    assert "--user" in asks.stderr
    absent = piped("hello\n", "nowhere", "--user", "bob")
    assert (absent.exit_code, absent.stdout) == (1, "")
    assert "no session nowhere" in absent.stderr
