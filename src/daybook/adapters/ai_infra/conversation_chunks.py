"""A conversation in overlapping chunks: where they begin, how they read, what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from daybook.adapters.ai_infra.messages import spoken_line
from daybook.errors import InvalidInputError
from daybook.model.message import Message

__all__ = [
    "Chunking",
    "ConversationChunk",
    "SearchResult",
    "chunk_context",
    "chunk_id",
    "chunk_text",
]


@dataclass
class ConversationChunk:
    """A part of a conversation.

    Attributes:
        chunk_id: Its name: the same for the same part of the same conversation.
        user_id: Whose conversation.
        session_id: Which one, by the caller's name for it.
        messages: The messages: LangChain's where they were handed in as such, else ours.
        text: The same as text, one paragraph for each.
        summary: A summary, if the memory makes them.
        metadata: What was handed in with the conversation.
        created_at: When the conversation was first indexed, seconds since 1970.
        score: How well it matched, from 0 to 1.
    """

    chunk_id: str
    user_id: str
    session_id: str
    messages: list[Any]
    text: str
    summary: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    created_at: float = 0.0
    score: float | None = None


@dataclass
class SearchResult:
    """A chunk that was found.

    Attributes:
        chunk: The chunk.
        score: How well it matched, from 0 to 1; comparable within one search.
        context: The chunk as text for a model: topic and date, the summary, the messages.
    """

    chunk: ConversationChunk
    score: float
    context: str


@dataclass(frozen=True)
class Chunking:
    """How conversations are cut.

    Attributes:
        size: Messages in a chunk, 1 or more.
        overlap: How many of them the next chunk repeats; fewer than `size`.
    """

    size: int = 10
    overlap: int = 2

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InvalidInputError("chunk_size must be 1 or more")
        if not 0 <= self.overlap < self.size:
            raise InvalidInputError("chunk_overlap must be 0 or more and less than chunk_size")

    def count(self, messages: int) -> int:
        """Return how many chunks so many messages make; none repeats the one before alone."""
        if messages <= self.size:
            return min(messages, 1)
        step = self.size - self.overlap
        return 1 + -(-(messages - self.size) // step)

    def index_of(self, place: int, messages: int) -> int:
        """Return the chunk in which the message at `place` has the most that follows it."""
        return min(place // (self.size - self.overlap), self.count(messages) - 1)

    def span(self, index: int, messages: int) -> tuple[int, int]:
        """Return the places from which and up to which (exclusive) a chunk reaches."""
        start = index * (self.size - self.overlap)
        return start, min(start + self.size, messages)


def chunk_id(session: str, start: int) -> str:
    """Return the name of the chunk of a session that begins at a place."""
    return blake2b(f"{session}\0{start}".encode(), digest_size=8).hexdigest()


def chunk_text(messages: Sequence[Message]) -> str:
    """Return messages as text, one paragraph for each."""
    return "\n".join(map(spoken_line, messages))


def chunk_context(text: str, summary: str | None, metadata: Mapping[str, Any]) -> str:
    """Return a chunk's text under its topic, date and summary, as far as there are any."""
    named = [
        f"{label}: {metadata[name]}"
        for name, label in (("topic", "Topic"), ("date", "Date"))
        if metadata.get(name) is not None
    ]
    head = [f"[{', '.join(named)}]"] if named else []
    head += [f"Summary: {summary}"] if summary else []
    return "\n\n".join([*head, text])
