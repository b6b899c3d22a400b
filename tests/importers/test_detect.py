from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import InvalidInputError
from daybook.importers.detect import FORMATS, UnknownFormatError, detect
from daybook.importers.source_file import SourceFile
from tests.importers.conftest import ReadRecords, WriteFile
from tests.importers.records import bad_in, messages_in, said_in

HELLO = {"role": "user", "content": "Hello"}
CHATGPT = {"title": "t", "mapping": {}}
CLAUDE: dict[str, Any] = {"uuid": "u", "chat_messages": []}
LOCOMO: dict[str, Any] = {"conversation": {"session_1": []}}
EXPORT = {"format": "daybook-export", "version": 1, "session": {}, "messages": []}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (json.dumps(HELLO), "jsonl"),
        (f"{json.dumps(HELLO)}\n{json.dumps(HELLO)}", "jsonl"),
        (f"oops\n\n{json.dumps(HELLO)}", "jsonl"),
        (json.dumps({"messages": [HELLO]}), "jsonl"),
        (json.dumps({"messages": [HELLO]}, indent=2), "json"),
        (json.dumps([HELLO]), "json"),
        (json.dumps([CHATGPT]), "chatgpt"),
        (json.dumps([None, CHATGPT], indent=2), "chatgpt"),
        (json.dumps(CHATGPT), "chatgpt"),
        (json.dumps([CLAUDE]), "claude"),
        (json.dumps([LOCOMO], indent=4), "locomo"),
        (json.dumps(LOCOMO), "locomo"),
        (json.dumps(EXPORT), "daybook"),
        (json.dumps([EXPORT]), "daybook"),
        (json.dumps([CHATGPT])[:-5], "chatgpt"),
        ("\ufeff" + json.dumps([CLAUDE]), "claude"),
    ],
)
@pytest.mark.parametrize("file_name", ["a.json", "conversations.txt"])
def test_the_content_tells_the_format(
    write: WriteFile, content: str, name: str, file_name: str
) -> None:
    assert detect(SourceFile(write(content, file_name))).name == name


@pytest.mark.parametrize(
    "content", ["", "\n\n", "hello", "{}", "[]", "[1, 2]", '{"a": 1}', "<html>"]
)
def test_an_unknown_file_is_refused_with_what_is_known(write: WriteFile, content: str) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        detect(SourceFile(write(content)))
    assert all(form.title in str(caught.value) for form in FORMATS)


def test_binary_files_are_refused(write: WriteFile) -> None:
    with pytest.raises(UnknownFormatError):
        detect(SourceFile(write(bytes(range(256)) * 50)))


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no such file"):
        SourceFile(tmp_path / "absent")
    with pytest.raises(InvalidInputError, match="folder"):
        SourceFile(tmp_path)


def test_an_export_is_read_inside_its_archive(tmp_path: Path, read: ReadRecords) -> None:
    message = {"sender": "human", "text": "Hello", "uuid": "m1"}
    with zipfile.ZipFile(tmp_path / "export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.json", "[]")
        archive.writestr(
            "data/conversations.json", json.dumps([{**CLAUDE, "chat_messages": [message]}])
        )
    assert said_in(read(tmp_path / "export.zip")) == [("user", "Hello")]


def test_archives_without_conversations_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("users.json", "[]")
    with pytest.raises(InvalidInputError, match="no conversations"):
        SourceFile(tmp_path / "other.zip")
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InvalidInputError, match="damaged"):
        SourceFile(tmp_path / "broken.zip")


def test_a_list_with_a_fault_between_elements_is_read_up_to_it(
    write: WriteFile, read: ReadRecords
) -> None:
    records = read(write(f"[{json.dumps(HELLO)} {json.dumps(HELLO)}]"))
    assert len(messages_in(records)) == 1
    [bad] = bad_in(records)
    assert "line 1 column" in bad.reason
