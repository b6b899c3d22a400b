"""The command in this process, on a daybook of its own in a temporary folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from daybook.cli.app import app

Daybook = Callable[..., Result]

MESSAGES: list[dict[str, Any]] = [
    {"session_id": "trip", "session_title": "A trip", "user_id": "alice", "role": "user"}
    | {"name": "Alice", "content": "The ferry to Skye leaves at nine.", "id": "m1"}
    | {"created_at": "2024-05-01T10:00:00Z"},
    {"session_id": "trip", "user_id": "alice", "role": "assistant", "content": "", "id": "m2"}
    | {"tool_calls": [{"id": "c1", "name": "tides", "arguments": {"port": "Mallaig"}}]}
    | {"created_at": "2024-05-01T10:01:00Z"},
    {"session_id": "trip", "user_id": "alice", "role": "tool", "content": "high at eight"}
    | {"tool_call_id": "c1", "id": "m3", "created_at": "2024-05-01T10:01:01Z"},
    {"session_id": "trip", "user_id": "alice", "role": "assistant", "id": "m4"}
    | {"content": "High tide is at eight.", "created_at": "2024-05-01T10:02:00Z"},
    {"session_id": "later", "user_id": "alice", "role": "user", "id": "m5"}
    | {"content": "I lost my umbrella on the ferry.", "created_at": "2024-06-02T08:00:00Z"},
    {"session_id": "bread", "user_id": "bob", "role": "user", "id": "m6"}
    | {"content": "My ferry was late, the bread burnt.", "created_at": "2024-05-03T08:00:00Z"},
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with no settings from outside."""
    monkeypatch.chdir(tmp_path)
    for name in ("DAYBOOK_URL", "DAYBOOK_EMBEDDER", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def daybook() -> Daybook:
    """Run the command; the quick embedder unless another is asked for."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--embedder", "hash", *arguments], prog_name="daybook")

    return run


@pytest.fixture
def filled(daybook: Daybook, folder: Path) -> Daybook:
    """Run the command on a daybook that holds two users' conversations."""
    path = folder / "talks.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in MESSAGES))
    result = daybook("import", str(path))
    assert result.exit_code == 0, result.output
    return daybook
