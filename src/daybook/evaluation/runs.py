"""A run: every question put to one system, what it ranked, and how long that took."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from daybook.evaluation.conversations import Conversation, Question
from daybook.evaluation.metrics import Unit

__all__ = ["Answer", "Ask", "Run", "System", "put_questions"]

Ask = Callable[[Question], Awaitable[Sequence[Unit]]]
Key = tuple[str, str]


class System(Protocol):
    """Something that takes in conversations and answers questions with ranked turns."""

    @property
    def name(self) -> str:
        """What to call it in tables."""
        ...

    def opened(self, conversation: Conversation) -> AbstractAsyncContextManager[Ask]:
        """Take in a conversation, ready to be searched; what is made for it ends with the block."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question brought.

    Attributes:
        ranked: Ids of turns, or tuples of them where chunks are returned, best first.
        seconds: How long it took; NaN if the run was read from a file that does not say.
    """

    ranked: tuple[Unit, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """All answers of one system.

    Attributes:
        name: The system.
        answers: By conversation id and question id.
        turns: How many turns it took in.
        ingest_s: How long that took, indexing included; NaN if unknown.
    """

    name: str
    answers: Mapping[Key, Answer]
    turns: int
    ingest_s: float


async def put_questions(
    system: System,
    conversations: Sequence[Conversation],
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> Run:
    """Return what a system answers to every question, one conversation after the other.

    Args:
        system: What is asked.
        conversations: Each is taken in alone.
        on_progress: Called with how many questions are answered and how many there are.
    """
    total = sum(len(one.questions) for one in conversations)
    answers: dict[Key, Answer] = {}
    ingest_s = 0.0
    for conversation in conversations:
        begin = time.perf_counter()
        async with system.opened(conversation) as ask:
            ingest_s += time.perf_counter() - begin
            for question in conversation.questions:
                begin = time.perf_counter()
                ranked = await ask(question)
                taken = time.perf_counter() - begin
                answers[conversation.id, question.id] = Answer(tuple(ranked), taken)
                if on_progress is not None:
                    on_progress(len(answers), total)
    return Run(system.name, answers, sum(len(one.turns) for one in conversations), ingest_s)
