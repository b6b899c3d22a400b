"""Read the check set: one JSON object a line, turns first, then questions.

A turn has `id`, `session`, `speaker`, `text`; a question has `question`, `about` (what makes it
hard: inflection, compound, accents, script, width, kana, keywords, emoji, mixed, or plain) and
`evidence`, the ids of the turns that answer it. Each file is named after its language.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.recall_quality.conversations import Conversation, Question, Turn

__all__ = ["SECOND", "joined", "load_check_set"]

_FOLDER = Path(__file__).parent
SECOND = _FOLDER / "second"
# What conversations have in common: an emoji, the names of a person and a site.
_SHARED = frozenset({"emoji", "mixed"})
_BEGIN = datetime(2026, 3, 2, 18, tzinfo=UTC)


def load_check_set(folder: Path = _FOLDER) -> list[Conversation]:
    """Return one conversation for each language, by its tag ("de", "zh-Hant")."""
    return [_read(path) for path in sorted(folder.glob("*.jsonl"))]


def joined(conversations: list[Conversation]) -> Conversation:
    """Return all conversations as one user's, without questions that several of them answer."""
    together = Conversation("together", "together")
    for one in conversations:
        tag = one.id
        together.turns.extend(
            Turn(f"{tag}:{t.id}", f"{tag}:{t.session}", t.speaker, t.role, t.text, t.said_at)
            for t in one.turns
        )
        together.questions.extend(
            Question(q.id, q.text, q.category, tuple(f"{tag}:{key}" for key in q.evidence))
            for q in one.questions
            if q.category not in _SHARED
        )
    return together


def _read(path: Path) -> Conversation:
    conversation = Conversation(path.stem, path.stem)
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "question" in row:
            number = f"{path.stem}_{len(conversation.questions) + 1}"
            evidence = tuple(row["evidence"])
            question = Question(number, row["question"], row["about"], evidence)
            conversation.questions.append(question)
            continue
        weeks = int(row["session"].removeprefix("s"))
        minutes = len(conversation.turns)
        said_at = _BEGIN + timedelta(weeks=weeks, minutes=minutes)
        turn = Turn(row["id"], row["session"], row["speaker"], "user", row["text"], said_at)
        conversation.turns.append(turn)
    return conversation
