"""A LongMemEval file: each question brings its own haystack of user-assistant sessions.

Format: xiaowu0162/LongMemEval, ``longmemeval_s.json`` and its siblings. Turns are marked
``has_answer``; sessions with the answer are named in ``answer_session_ids``. A question whose id
ends in ``_abs`` has no answer: its category becomes ``abstention``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.evaluation.conversations import Conversation, Question, Turn
from daybook.evaluation.fields import elements, list_of, object_of, text_of
from daybook.importers.message_fields import ROLE_WORDS
from daybook.importers.source_file import SourceFile

__all__ = ["looks_like_longmemeval", "read_longmemeval"]

_TIME = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(?: \(\w+\))?(?: (\d{1,2}):(\d{2}))?")


def looks_like_longmemeval(value: Any) -> bool:
    """Tell whether a JSON value is an instance: a question with its haystack."""
    return isinstance(value, dict) and "haystack_sessions" in value and "question" in value


def read_longmemeval(file: SourceFile) -> Iterator[Conversation]:
    """Yield a conversation with one question for each instance of a file.

    Raises:
        InvalidInputError: The file is not JSON, or an instance lacks something; names the place.
    """
    for where, value in elements(file):
        if not looks_like_longmemeval(value):
            raise InvalidInputError(f"{where}: is no LongMemEval instance: it has no haystack")
        name = text_of(value, "question_id", where)
        turns, evidence = _haystack(value, where)
        kind = str(value.get("question_type") or "")
        asked = value.get("question_date")
        question = Question(
            id=name,
            text=text_of(value, "question", where),
            category="abstention" if name.endswith("_abs") else kind,
            evidence=tuple(evidence),
            evidence_sessions=tuple(map(str, list_of(value, "answer_session_ids", where))),
            answer=str(value.get("answer") or ""),
            asked_at=None if not asked else _time(asked, f"{where}: question_date"),
        )
        yield Conversation(name, "longmemeval", turns, [question])


def _haystack(value: dict[str, Any], where: str) -> tuple[list[Turn], list[str]]:
    """Return the turns and the ids of those that hold the answer."""
    sessions = list_of(value, "haystack_sessions", where)
    names = list_of(value, "haystack_session_ids", where)
    dates = list_of(value, "haystack_dates", where)
    if not len(sessions) == len(names) == len(dates):
        raise InvalidInputError(f"{where}: sessions, their ids and their dates differ in number")
    turns: list[Turn] = []
    evidence: list[str] = []
    counts: Counter[str] = Counter()  # a session may stand in a haystack twice
    for number, (session, name, date) in enumerate(zip(sessions, names, dates, strict=True)):
        place = f"{where}: haystack_sessions[{number}]"
        said_at = _time(date, place)
        if not isinstance(session, list):
            raise InvalidInputError(f"{place}: must be a list of turns")
        for one in session:
            counts[str(name)] += 1
            turn = object_of(one, place)
            turn_id = f"{name}:{counts[str(name)]}"
            role = ROLE_WORDS.get(str(turn.get("role")).lower(), "user")
            turns.append(
                Turn(turn_id, str(name), "", role, text_of(turn, "content", place), said_at)
            )
            if turn.get("has_answer"):
                evidence.append(turn_id)
    return turns, evidence


def _time(written: Any, where: str) -> datetime:
    found = _TIME.fullmatch(str(written).strip())
    numbers = [int(part or 0) for part in found.groups()] if found else [0] * 5
    try:
        year, month, day, hour, minute = numbers
        return datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:  # no such day, or no date at all
        raise InvalidInputError(f"{where}: a date must be written 2023/05/20 (Sat) 02:21") from None
