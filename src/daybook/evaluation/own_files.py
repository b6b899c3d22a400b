"""Conversations and questions of one's own: JSON lines, each line a message or a question.

A message: ``{"session", "id", "role", "name", "text", "at"}``, and ``user`` where there are several
memories; the names that `daybook import` knows will do as well. Only the text is needed: without a
session all is one, without an id a message is ``SESSION:N``, without a role it is the user's, and
without a time it takes that of the message before it.

A question: ``{"question", "evidence", "category", "asked_at", "user", "id"}``, of which the first
two are needed: evidence is the ids of the messages that answer it, none of them if nothing does.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.evaluation.conversations import UNDATED, Conversation, Question, Turn
from daybook.evaluation.fields import elements
from daybook.importers.message_fields import parse_message
from daybook.importers.source_file import Element, SourceFile
from daybook.importers.source_times import parse_time

__all__ = ["looks_like_own", "read_own"]

_DATASET = "own"
_SAID = ("text", "content")


def looks_like_own(value: Any) -> bool:
    """Tell whether a JSON value is a message or a question of this format."""
    return isinstance(value, dict) and (
        _is_question(value) or any(isinstance(value.get(name), str | list) for name in _SAID)
    )


def read_own(files: Sequence[SourceFile]) -> list[Conversation]:
    """Return a conversation for each user in the files; questions may stand in any of them.

    Raises:
        InvalidInputError: A line is neither, an id is there twice, or evidence names no message;
            names the file and the line.
    """
    messages = _Messages()
    asked: list[tuple[str, dict[str, Any]]] = []
    for file in files:
        for where, value in _values(file):
            if _is_question(value):
                asked.append((where, value))
            else:
                messages.add(value, where)
    questions = _Questions(messages.turns)
    for where, value in asked:
        questions.add(value, where)
    return [
        Conversation(user or _DATASET, _DATASET, turns, questions.of[user])
        for user, turns in messages.turns.items()
    ]


def _is_question(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("question"), str)


def _values(file: SourceFile) -> Iterator[tuple[str, Any]]:
    """Yield the file's lines, or, where it is one JSON list, its elements."""
    lines = file.lines()
    first = next(lines, None)
    if not (isinstance(first, Element) and isinstance(first.value, dict)):
        yield from elements(file)
        return
    yield f"{file.path}: line {first.position}", first.value
    for line in lines:
        where = f"{file.path}: line {line.position}"
        if not isinstance(line, Element):
            raise InvalidInputError(f"{where}: {line.reason}")
        yield where, line.value


class _Messages:
    """The turns of each user, as lines are read."""

    def __init__(self) -> None:
        self.turns: dict[str, list[Turn]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._ids: dict[tuple[str, str], str] = {}

    def add(self, value: Any, where: str) -> None:
        if not looks_like_own(value):
            raise InvalidInputError(
                f"{where}: is neither a message (it has no text) nor a question"
            )
        left = dict(value)
        user = _name(left, ("user", "user_id"), where)
        session = _name(left, ("session", "session_id"), where) or "session"
        self._counts[user, session] += 1
        fallback = f"{session}:{self._counts[user, session]}"
        if "at" in left:
            left["created_at"] = left.pop("at")
        left.setdefault("role", "user")
        try:
            message = parse_message(left, fallback_id=fallback)
        except InvalidInputError as exc:
            raise InvalidInputError(f"{where}: {exc}") from None
        before = self._ids.setdefault((user, message.id), where)
        if before != where:
            raise InvalidInputError(f"{where}: a message with this id stands at {before}")
        turns = self.turns.setdefault(user, [])
        said_at = message.created_at or (turns[-1].said_at if turns else UNDATED)
        turns.append(
            Turn(message.id, session, message.name or "", message.role, message.text, said_at)
        )


class _Questions:
    """The questions to each user's memory, checked against what was said."""

    def __init__(self, turns: dict[str, list[Turn]]) -> None:
        self.of: defaultdict[str, list[Question]] = defaultdict(list)
        self._known = {user: {turn.id for turn in said} for user, said in turns.items()}
        self._ids: dict[str, str] = {}

    def add(self, value: dict[str, Any], where: str) -> None:
        user = self._user(value, where)
        question_id = _name(value, ("id", "question_id"), where) or f"q{len(self._ids) + 1}"
        before = self._ids.setdefault(question_id, where)
        if before != where:
            raise InvalidInputError(f"{where}: a question with this id stands at {before}")
        self.of[user].append(
            Question(
                id=question_id,
                text=value["question"],
                category=str(value.get("category") or ""),
                evidence=self._evidence(value, user, where),
                asked_at=_moment(value.get("asked_at"), where),
            )
        )

    def _user(self, value: dict[str, Any], where: str) -> str:
        user = _name(value, ("user", "user_id"), where)
        if not user and len(self._known) == 1:
            return next(iter(self._known))
        if user not in self._known:
            what = "there are no messages of this user" if user else "name the user asked about"
            raise InvalidInputError(f"{where}: {what}; messages are of {len(self._known)} users")
        return user

    def _evidence(self, value: dict[str, Any], user: str, where: str) -> tuple[str, ...]:
        evidence = value.get("evidence", [])
        if not isinstance(evidence, list) or not all(isinstance(one, str) for one in evidence):
            raise InvalidInputError(f"{where}: evidence must be a list of message ids")
        missing = [at for at, one in enumerate(evidence) if one not in self._known[user]]
        if missing:
            raise InvalidInputError(
                f"{where}: evidence[{missing[0]}] is the id of no message of this user"
            )
        return tuple(dict.fromkeys(evidence))


def _name(value: dict[str, Any], names: tuple[str, str], where: str) -> str:
    """Return an id under the first of two names; empty if there is none."""
    for name in names:
        found = value.get(name)
        if isinstance(found, int) and not isinstance(found, bool):
            return str(found)
        if isinstance(found, str):
            return found
        if found is not None:
            raise InvalidInputError(f"{where}: {name} must be text")
    return ""


def _moment(value: Any, where: str) -> datetime | None:
    try:
        return parse_time(value)
    except InvalidInputError as exc:
        raise InvalidInputError(f"{where}: asked_at: {exc}") from None
