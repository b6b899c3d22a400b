"""Load question sets over conversations from a folder that is not part of this repository.

The folder holds `locomo/*.json` (two people chatting in dated sessions) and `beam*/N/` (a user and
an assistant, `chat.json` beside `probing_questions.json`). Turn and question ids are those that
the data sets' usual scorers use. Nothing here is Daybook's own data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Conversation", "Question", "Turn", "load_conversations"]

_CATEGORIES = {
    1: "multi-hop",
    2: "temporal",
    3: "open-domain",
    4: "single-hop",
    5: "adversarial",
}
_UNANSWERABLE = frozenset({"adversarial", "abstention"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance; `speaker` is empty for an unnamed user or assistant."""

    id: str
    session: str
    speaker: str
    role: str
    text: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the ids of the turns that answer it (none if nothing does)."""

    id: str
    text: str
    category: str
    evidence: tuple[str, ...]

    @property
    def answerable(self) -> bool:
        """Whether the conversation holds the answer."""
        return self.category not in _UNANSWERABLE


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything two parties said, in order, and questions about it."""

    id: str
    dataset: str
    turns: list[Turn] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def load_conversations(folder: Path) -> list[Conversation]:
    """Return every conversation found under `folder`.

    Raises:
        SystemExit: There is none: the data are not part of the repository.
    """
    found = [
        conversation
        for path in sorted(folder.glob("locomo/*.json"))
        for conversation in _locomo(path)
    ]
    beams = [path for path in folder.glob("beam*/*/chat.json") if path.stat().st_size]
    found += [_beam(path) for path in sorted(beams, key=_beam_order)]
    if not found:
        raise SystemExit(f"{folder} holds no locomo/*.json and no beam*/N/chat.json")
    return found


def _locomo(path: Path) -> Iterator[Conversation]:
    for sample in json.loads(path.read_bytes()):
        talk = sample["conversation"]
        conversation = Conversation(sample["sample_id"], "locomo")
        numbers = sorted(int(m[1]) for key in talk if (m := re.fullmatch(r"session_(\d+)", key)))
        for number in numbers:
            said_at = _locomo_date(talk.get(f"session_{number}_date_time", ""))
            for turn in talk[f"session_{number}"]:
                text = turn.get("text", "")
                if turn.get("blip_caption"):
                    text += f" [shares a photo: {turn['blip_caption']}]"
                conversation.turns.append(
                    Turn(turn["dia_id"], f"S{number}", turn["speaker"], "user", text, said_at)
                )
        known = {turn.id for turn in conversation.turns}
        for number, asked in enumerate(sample["qa"]):
            evidence = [one for one in _locomo_ids(asked.get("evidence")) if one in known]
            conversation.questions.append(
                Question(
                    f"{conversation.id}_q{number}",
                    asked["question"],
                    _CATEGORIES[asked["category"]],
                    tuple(evidence),
                )
            )
        yield conversation


def _locomo_ids(evidence: Any) -> list[str]:
    joined = " ".join(map(str, evidence or []))
    found = (f"D{int(s)}:{int(t)}" for s, t in re.findall(r"D:?(\d+):(\d+)", joined))
    return list(dict.fromkeys(found))


def _locomo_date(written: str) -> datetime:
    match = re.match(r"(\d+):(\d+) (am|pm) on (\d+) (\w+), (\d{4})", written.strip())
    if match is None:
        return _EPOCH
    hour = int(match[1]) % 12 + (12 if match[3] == "pm" else 0)
    day = datetime.strptime(f"{match[4]} {match[5]} {match[6]}", "%d %B %Y").replace(tzinfo=UTC)
    return day.replace(hour=hour, minute=int(match[2]))


def _beam_order(path: Path) -> tuple[str, int]:
    number = path.parent.name
    return path.parent.parent.name, int(number) if number.isdigit() else 1 << 30


def _beam(path: Path) -> Conversation:
    dataset = path.parent.parent.name
    conversation = Conversation(f"{dataset}-{path.parent.name}", dataset)
    said_at = _EPOCH
    for batch in json.loads(path.read_bytes()):
        for number, group in enumerate(batch["turns"]):
            session = f"B{batch['batch_number']}.{number}"
            for message in group:
                said_at = _beam_date(message.get("time_anchor"), said_at)
                text = re.sub(r"\s*->->\s*[\d,N/A ]*\s*$", "", message["content"])
                conversation.turns.append(
                    Turn(str(message["id"]), session, "", message["role"], text, said_at)
                )
    known = {turn.id for turn in conversation.turns}
    questions = json.loads((path.parent / "probing_questions.json").read_bytes())
    for category, asked in questions.items():
        for number, one in enumerate(asked):
            ids = dict.fromkeys(map(str, _numbers(one.get("source_chat_ids"))))
            conversation.questions.append(
                Question(
                    f"{conversation.id}_{category}_{number}",
                    one["question"],
                    category,
                    tuple(one for one in ids if one in known),
                )
            )
    return conversation


def _beam_date(written: str | None, before: datetime) -> datetime:
    if not written:
        return before
    try:
        return datetime.strptime(written, "%B-%d-%Y").replace(tzinfo=UTC)
    except ValueError:
        return before


def _numbers(value: Any) -> Iterator[int]:
    """Yield the message numbers in a nest of lists and objects."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
        yield int(value)
