from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from daybook._version import __version__
from daybook.cli.app import COMMANDS, app
from tests.cli.conftest import MESSAGES, Daybook


def as_json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_help_names_every_command_with_its_own_summary(daybook: Daybook) -> None:
    shown = daybook("--help").stdout
    for name, entry in COMMANDS.items():
        assert entry.summary in shown
        command = app.get_command(None, name)  # type: ignore[arg-type] # the context is not used
        assert command is not None
        assert (command.help or "").startswith(entry.summary)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example(daybook: Daybook, name: str) -> None:
    result = daybook(name, "--help")
    assert result.exit_code == 0
    assert f"  daybook {name}" in result.stdout.split("Example")[1]


def test_version(daybook: Daybook) -> None:
    assert daybook("--version").stdout.strip() == f"daybook, version {__version__}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["recall"],
        ["import"],
        ["recall", "x", "--limit", "0"],
        ["recall", "x", "--since", "soon"],
        ["context", "s", "--max-tokens", "no"],
        ["context", "s", "--strategy", "window:x"],
        ["export", "s", "--format", "pdf"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2(daybook: Daybook, arguments: list[str]) -> None:
    result = daybook(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage:" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [["recall", "x"], ["sessions"], ["show", "s"], ["context", "s"], ["export", "s"], ["stats"]],
    ids=" ".join,
)
def test_reading_creates_nothing(daybook: Daybook, folder: Path, arguments: list[str]) -> None:
    result = daybook(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("daybook: there is no daybook at daybook.db yet")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "nope"], "no session nope"),
        (["show", "trip", "--user", "bob"], "no session trip"),
        (["export", "trip", "-o", "no/such/folder.md"], "cannot be written"),
        (["context", "trip", "--max-tokens", "1"], "must be kept take"),
        (["--url", "carrier-pigeon://x", "stats"], "unknown engine"),
        (["--url", "x", "stats"], "an engine URL starts with a scheme"),
        (["--embedder", "magic", "recall", "x"], "unknown embedder 'magic'"),
        (["recall", " ", "--user", "alice"], "query must be non-empty"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_failures_are_one_line_and_end_with_1(
    filled: Daybook, arguments: list[str], message: str
) -> None:
    result = filled(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_debug_shows_the_traceback(filled: Daybook) -> None:
    assert "Traceback" in filled("--debug", "show", "nope").stderr


def test_import_reports_and_can_be_repeated(filled: Daybook, folder: Path) -> None:
    with (folder / "talks.jsonl").open("a") as handle:
        handle.write('{"role": "user", "content": \n')
    [report] = as_json(filled("import", "talks.jsonl", "--json"))["files"]
    assert (report["format"], report["sessions"], report["new_sessions"]) == ("jsonl", 3, 0)
    assert (report["messages"], report["duplicates"], report["bad_count"]) == (0, 6, 1)
    assert report["users"] == ["alice", "bob"]
    assert report["bad_records"][0]["position"] == "7"
    assert "talks.jsonl:7: not valid JSON" in filled("import", "talks.jsonl").stderr


def test_import_goes_on_after_a_file_it_cannot_read(filled: Daybook, folder: Path) -> None:
    (folder / "noise.txt").write_text("noise")
    result = filled("--url", "sqlite:///new.db", "import", "noise.txt", "gone", "talks.jsonl")
    assert result.exit_code == 1
    assert "talks.jsonl (jsonl): 6 messages in 3 sessions" in result.stdout
    assert "noise.txt is not in a format" in result.stderr
    assert "gone: there is no such file" in result.stderr


def test_import_takes_histories_by_url_or_table(daybook: Daybook, folder: Path) -> None:
    message = json.dumps({"type": "human", "data": {"content": "hello"}})
    with closing(sqlite3.connect(folder / "talks.db")) as connection, connection:
        for table in ("one", "two"):
            connection.execute(f"CREATE TABLE {table} (id INTEGER, session_id TEXT, message TEXT)")
            connection.execute(f"INSERT INTO {table} VALUES (1, ?, ?)", (table, message))  # noqa: S608
    [report] = as_json(daybook("import", "talks.db", "--table", "one", "--json"))["files"]
    assert (report["file"], report["format"], report["users"]) == ("talks.db", "langchain", ["one"])
    by_url = daybook("import", "sqlite:///talks.db", "--table", "two", "--user", "alice", "--json")
    assert as_json(by_url)["files"][0]["users"] == ["alice"]
    failed = daybook("import", "sqlite:///talks.db", "oracle://me:secret@host/db")
    assert failed.exit_code == 1
    assert "several tables hold messages, name one: one, two" in failed.stderr
    assert "LangChain's histories are imported from" in failed.stderr
    assert "secret" not in failed.output


def test_recall_finds_and_shows_where(filled: Daybook) -> None:
    found = as_json(filled("recall", "umbrella", "--user", "alice", "--json", "--limit", "1"))
    [hit] = found["hits"]
    assert (hit["session_id"], hit["seq"], hit["message_id"]) == ("later", 1, "m5")
    assert (hit["speaker"], hit["said_at"]) == ("user", "2024-06-02T08:00:00+00:00")
    text = filled("recall", "umbrella", "--user", "alice", "--limit", "1", "--explain").stdout
    assert "user  2024-06-02 08:00  later #1" in text
    assert "I lost my umbrella on the ferry." in text
    assert "shares the word “umbrella” with your question" in text


def test_recall_sees_one_user_only(filled: Daybook) -> None:
    for user, ids in {"alice": {"m1", "m2", "m3", "m4", "m5"}, "bob": {"m6"}}.items():
        hits = as_json(filled("recall", "ferry bread", "--user", user, "--json"))["hits"]
        assert {hit["message_id"] for hit in hits} <= ids
        assert hits


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["--since", "2024-06"], {"m5"}),
        (["--until", "2024-05"], {"m1"}),
        (["--since", "2024-05-01T10:00", "--until", "2024-05-01"], {"m1"}),
        (["--since", "2024-06-02", "--until", "2024-06-02"], {"m5"}),
        (["--until", "2023"], set()),
        (["--session", "later"], {"m5"}),
        (["--session", "later", "--session", "trip"], {"m1", "m5"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_recall_within_a_window(filled: Daybook, options: list[str], ids: set[str]) -> None:
    hits = as_json(filled("recall", "ferry", "--user", "alice", "--json", *options))["hits"]
    with_word = {hit["message_id"] for hit in hits if "ferry" in hit["text"]}
    assert with_word == ids


def test_recall_needs_no_user_where_there_is_one(filled: Daybook, folder: Path) -> None:
    assert "there are alice, bob" in filled("recall", "ferry").stderr
    one = "sqlite:///one.db"
    filled("--url", one, "import", "talks.jsonl", "--user", "carol")
    assert as_json(filled("recall", "umbrella", "--url", one, "--json"))["user_id"] == "carol"
    (folder / "empty.jsonl").write_text('{"messages": [], "id": "s"}\n')


def test_sessions(filled: Daybook) -> None:
    listed = as_json(filled("sessions", "--json"))
    assert [one["id"] for one in listed["sessions"]] == ["later", "bread", "trip"]
    trip = listed["sessions"][2]
    assert (trip["user_id"], trip["title"], trip["messages"]) == ("alice", "A trip", 4)
    assert trip["first_said_at"] == "2024-05-01T10:00:00+00:00"
    assert trip["last_said_at"] == "2024-05-01T10:02:00+00:00"
    assert listed["more"] is False
    assert as_json(filled("sessions", "--user", "bob", "--json"))["sessions"][0]["id"] == "bread"
    assert "A trip" in filled("sessions").stdout


def test_show(filled: Daybook) -> None:
    shown = as_json(filled("show", "trip", "--json"))
    assert [one["message"]["id"] for one in shown["messages"]] == ["m1", "m2", "m3", "m4"]
    text = filled("show", "trip", "--limit", "3").stdout
    assert '→ tides {"port": "Mallaig"}' in text
    assert "high at eight" in text
    assert "The ferry to Skye" not in text


def test_show_does_not_obey_what_was_said(filled: Daybook, folder: Path) -> None:
    evil = {**MESSAGES[0], "id": "x", "session_id": "evil", "session_title": "t\x1b]0;pwned\x07"}
    evil |= {"content": "\x1b[2Jhi\x07 \u202eback", "name": "A\x1b[31m"}
    (folder / "evil.jsonl").write_text(json.dumps(evil))
    filled("import", "evil.jsonl")
    for command in (["show", "evil"], ["sessions"], ["recall", "hi", "--user", "alice"]):
        assert not {"\x1b", "\x07", "\u202e"} & set(filled(*command).stdout)


def test_context(filled: Daybook) -> None:
    built = as_json(filled("context", "later", "--max-tokens", "500", "--query", "tide", "--json"))
    assert built["tokens"] == built["receipt"]["tokens"] <= 500
    assert built["receipt"]["query_given"] is True
    assert any("High tide" in json.dumps(message) for message in built["messages"])
    for name in ("tokens", "window:2", "window", "buffer", "summary", "observations", "adaptive"):
        told = filled("context", "trip", "--max-tokens", "500", "--strategy", name, "--explain")
        assert "in word for word" in told.stdout
    text = filled("context", "trip", "--max-tokens", "500").stdout
    assert "of 500 tokens" in text
    assert "in: messages #1-4 word for word" in text


def test_export_and_import_again(filled: Daybook, folder: Path) -> None:
    assert filled("export", "trip", "-o", "trip.json").exit_code == 0
    assert filled("export", "trip").stdout == (folder / "trip.json").read_text()
    other = "sqlite:///other.db"
    [report] = as_json(filled("--url", other, "import", "trip.json", "--json"))["files"]
    assert (report["format"], report["messages"], report["users"]) == ("daybook", 4, ["alice"])
    assert (
        filled("--url", other, "export", "trip").stdout.splitlines()[3:]
        == ((folder / "trip.json").read_text().splitlines()[3:])
    )


def test_export_as_markdown_by_name_or_by_option(filled: Daybook, folder: Path) -> None:
    filled("export", "trip", "-o", "trip.md")
    text = (folder / "trip.md").read_text()
    assert text.startswith("# A trip\n")
    assert filled("export", "trip", "--format", "markdown").stdout == text
    assert sorted(path.name for path in folder.glob("*trip*")) == ["trip.md"]


def test_stats(filled: Daybook) -> None:
    found = as_json(filled("stats", "--json"))
    assert found["users"] == {"alice": 2, "bob": 1}
    assert found["stats"]["message_count"] == 6
    assert (found["index"]["documents"], found["index"]["pending_sessions"]) == (6, 0)
    assert as_json(filled("stats", "--user", "bob", "--json"))["stats"]["message_count"] == 1
    assert "2: alice (2), bob (1)" in filled("stats").stdout


def test_doctor(filled: Daybook) -> None:
    found = as_json(filled("doctor", "--json"))
    assert found["problems"] == []
    assert found["engines"].items() >= {"inmemory": "ok", "file": "ok", "sqlite": "ok"}.items()
    assert found["daybook"]["capabilities"]["ack"] == "durable"
    assert found["daybook"]["index"]["pending_sessions"] == 0
    assert "all is well" in filled("doctor").stdout


def test_doctor_creates_nothing(daybook: Daybook, folder: Path) -> None:
    assert as_json(daybook("doctor", "--json"))["daybook"]["exists"] is False
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--embedder", "magic"], "the chosen embedder magic cannot be used"),
        (["--url", "sqlite:///not-a-daybook.db"], "sqlite"),
    ],
    ids=["embedder", "file"],
)
def test_doctor_ends_with_1_if_something_is_wrong(
    daybook: Daybook, folder: Path, options: list[str], problem: str
) -> None:
    (folder / "not-a-daybook.db").write_bytes(b"something else entirely " * 400)
    result = daybook(*options, "doctor", "--json")
    assert result.exit_code == 1
    assert problem in " ".join(json.loads(result.stdout)["problems"])


def test_tenants_do_not_see_each_other(filled: Daybook) -> None:
    assert as_json(filled("--tenant", "other", "sessions", "--json"))["sessions"] == []


def test_the_url_comes_from_the_environment(
    filled: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBOOK_URL", "sqlite:///elsewhere.db")
    assert "elsewhere.db" in filled("stats").stderr
