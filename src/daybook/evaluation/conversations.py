"""What is measured: conversations, and questions with the turns that answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

__all__ = ["UNDATED", "Conversation", "Question", "Turn"]

# Categories of questions whose answer was never said; data sets give them evidence all the same.
_UNANSWERABLE = frozenset({"adversarial", "abstention"})

# When something was said that no file dates.
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance.

    Attributes:
        id: Unique in its conversation.
        session: Unique in its conversation.
        speaker: The name; empty for an unnamed user or assistant.
        role: One of `daybook.model.message.ROLES`.
        text: What was said.
        said_at: When, aware; `UNDATED` where nothing tells.
    """

    id: str
    session: str
    speaker: str
    role: str
    text: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what answers it.

    Attributes:
        id: Unique in its data set.
        text: The question.
        category: The data set's own kind of question, or empty.
        evidence: Ids of the turns that answer it; none if nothing does, or nobody noted them.
        evidence_sessions: Their sessions, where the data set names these itself.
        asked_at: When it was asked; None: the day after the conversation's last turn.
        answer: What the data set gives as the answer; no measure looks at it.
    """

    id: str
    text: str
    category: str
    evidence: tuple[str, ...]
    evidence_sessions: tuple[str, ...] = ()
    asked_at: datetime | None = None
    answer: str = ""

    @property
    def answerable(self) -> bool:
        """Whether the conversation holds the answer."""
        return self.category not in _UNANSWERABLE


@dataclass(frozen=True, slots=True)
class Conversation:
    """Everything said to one memory, in order, and questions about it.

    Attributes:
        id: Unique in its data set.
        dataset: Where it comes from; figures are kept apart by it.
        turns: What was said.
        questions: What is asked.
    """

    id: str
    dataset: str
    turns: list[Turn] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def words(self) -> Mapping[str, int]:
        """Return the words of each turn; the name of who speaks counts as one."""
        return {turn.id: len(turn.text.split()) + 1 for turn in self.turns}

    def sessions(self) -> Mapping[str, str]:
        """Return the session of each turn."""
        return {turn.id: turn.session for turn in self.turns}
