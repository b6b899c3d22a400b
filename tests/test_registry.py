"""URLs and names lead to engines and embedders, or to errors that say what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from daybook import Daybook, Message
from daybook.engines.sqlite.schema import APPLICATION_ID, STEPS
from daybook.errors import ConfigError, SchemaVersionError
from daybook.registry import EMBEDDERS, ENGINES, available, parse_url


def test_our_own_come_through_the_same_door() -> None:
    assert {"sqlite", "inmemory"} <= set(available(ENGINES))
    assert {"static", "hash", "minilm"} <= set(available(EMBEDDERS))


def test_a_url_is_split() -> None:
    url = parse_url("SQLite:////var/my%20chat.db?synchronous=normal&readers=3")
    assert (url.scheme, url.location) == ("sqlite", "//var/my chat.db")
    assert url.options == {"synchronous": "normal", "readers": "3"}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("chat.db", "starts with a scheme"),
        ("", "starts with a scheme"),
        ("nosuch://x", "unknown engine 'nosuch'; installed are"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "inmemory://"),
        ("sqlite:///x.db?sync=full", "unknown option sync; known are"),
        ("sqlite:///x.db?synchronous=off", "must be full or normal"),
        ("sqlite:///x.db?readers=two", "must be numbers"),
        ("sqlite:///no/such/folder/x.db", "does not exist"),
    ],
)
def test_a_wrong_url_says_what_to_do(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Daybook.open(url)


def test_a_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        Daybook.open("nosuch://alice:s3cret@host/db")
    assert "s3cret" not in str(caught.value)


def test_an_unknown_embedder_lists_the_known() -> None:
    with pytest.raises(ConfigError, match=r"unknown embedder 'word3vec'; installed are .*static"):
        Daybook.open("inmemory://", embedder="word3vec")


def test_another_programs_database_is_refused_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with pytest.raises(ConfigError, match="another program"):
        Daybook.open(f"sqlite:///{path}")
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]
    other.close()


def test_a_newer_schema_is_refused_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "newer.db"
    Daybook.open(f"sqlite:///{path}").close()
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version = 99")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(SchemaVersionError, match="schema 99"):
        Daybook.open(f"sqlite:///{path}")
    assert path.read_bytes() == before


def test_a_first_version_file_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "first.db"
    raw = sqlite3.connect(path, isolation_level=None)
    for statement in STEPS[0]:
        raw.execute(statement)
    raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    raw.execute("PRAGMA user_version = 1")
    raw.close()
    with Daybook.open(f"sqlite:///{path}", embedder="hash") as book:
        book.history.append("s", Message.user("the fence is painted green"), user_id="alice")
        (hit,) = book.recall.search("fence", user_id="alice")
        assert hit.message.text == "the fence is painted green"
