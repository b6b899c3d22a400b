"""The bundled history and its questions as files: the format in which recall is measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from daybook.demo.questions import BUNDLED_QUESTIONS, bundled_file
from daybook.errors import InvalidInputError
from daybook.importers.source_file import Element, SourceFile

__all__ = ["CONVERSATIONS", "QUESTIONS", "write_example"]

CONVERSATIONS, QUESTIONS = "conversations.jsonl", "questions.jsonl"
_FIELDS = {
    "user_id": "user",
    "session_id": "session",
    "id": "id",
    "role": "role",
    "name": "name",
    "content": "text",
    "created_at": "at",
}


def write_example(folder: Path) -> None:
    """Write two files to a folder, which is made if it is not there: messages, and questions.

    Raises:
        InvalidInputError: One of them is there already, or they cannot be written.
    """
    for name, lines in ((CONVERSATIONS, _messages()), (QUESTIONS, _questions())):
        path = folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        except FileExistsError:
            raise InvalidInputError(f"{path} is there already: name another folder") from None
        except OSError as exc:
            raise InvalidInputError(f"{path} cannot be written: {exc.strerror}") from None


def _messages() -> Iterator[dict[str, Any]]:
    for line in SourceFile(bundled_file()).lines():
        if isinstance(line, Element):
            yield {ours: line.value[name] for name, ours in _FIELDS.items() if name in line.value}


def _questions() -> Iterator[dict[str, Any]]:
    for asked in BUNDLED_QUESTIONS:
        yield {"user": asked.user_id, "question": asked.text, "evidence": list(asked.evidence)}
