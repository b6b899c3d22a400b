"""`daybook recall`: budgets, reasons, text for a prompt."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import msgspec
import pytest
from click.testing import Result
from rich.console import Console

from daybook import Hit, Message
from daybook.cli.recall_command import hit_facts, show_hit
from tests.cli.conftest import Daybook


def as_json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_recall_says_what_speaks_for_a_hit_and_what_against(filled: Daybook) -> None:
    arguments = ["recall", "when does the ferry leave?", "--user", "alice", "--limit", "1"]
    [hit] = as_json(filled(*arguments, "--json"))["hits"]
    assert sum(one["effect"] for one in hit["reasons"]) == pytest.approx(hit["score"], abs=1e-3)
    assert hit["superseded_by"] is None
    lines = filled(*arguments, "--explain").stdout.splitlines()[2:]
    assert re.match(r" +█+ +\+\d+\.\d\d +\d+%  \w", lines[0])
    effects = [float(line.split("%")[0].split()[-2]) for line in lines if "%" in line]
    assert effects == sorted(effects, reverse=True)
    for line in lines:
        assert ("  but " in line) == (" -" in line and "%" in line)
    telling = [one for one in hit["reasons"] if f"{one['effect']:+.2f}" in "\n".join(lines)]
    assert len(telling) >= len(effects) > 2


def test_recall_within_a_token_budget(filled: Daybook) -> None:
    budget = ["recall", "ferry", "--user", "alice", "--max-tokens"]
    found = as_json(filled(*budget, "30", "--json"))
    assert sum(hit["tokens"] for hit in found["hits"]) == found["tokens"] <= 30
    assert [hit["message_id"] for hit in found["hits"]]
    everything = filled(*budget, "1000")
    assert "of 1,000 tokens" in everything.stderr
    assert "High tide" in everything.stdout
    assert filled(*budget, "1").stdout == ""


def test_recall_quotes_for_a_prompt(filled: Daybook) -> None:
    quoted = filled("recall", "ferry", "--user", "alice", "--quote")
    assert "[2024-06-02] user: I lost my umbrella on the ferry." in quoted.stdout.splitlines()
    assert "tokens" in quoted.stderr
    found = as_json(filled("recall", "ferry", "--user", "alice", "--quote", "--json"))
    assert found["text"] == quoted.stdout.rstrip("\n")
    ids = [line["message_id"] for one in found["passages"] for line in one["lines"]]
    assert {"m1", "m5"} <= set(ids)
    refused = filled("recall", "ferry", "--user", "alice", "--quote", "--explain")
    assert (refused.exit_code, "no --explain" in refused.stderr) == (2, True)


def test_recall_shows_what_does_not_hold_any_more() -> None:
    message = Message.user("I live in Leeds.")
    hit = Hit(
        message=message,
        messages=(message,),
        session_id="s",
        seq=1,
        score=1.0,
        why={},
        said_at=None,
        speaker="Ann",
        superseded_by="newer",
    )
    newer = msgspec.structs.replace(hit, message=Message.user("In York now.", id="newer"))
    for among, says in (([newer, hit], "no longer so: see 1"), ([hit], "no longer so\n")):
        console = Console(file=io.StringIO(), width=100)
        show_hit(console, 2, hit, "where?", among=among)
        assert isinstance(console.file, io.StringIO)
        assert says in console.file.getvalue()
    assert hit_facts(hit)["superseded_by"] == "newer"
