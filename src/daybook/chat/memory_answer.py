"""What a chat without a language model answers: what it remembers, quoted and dated."""

from __future__ import annotations

from collections.abc import Sequence

from daybook.client import AsyncDaybook
from daybook.errors import UnsupportedError
from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.model.session import Session

__all__ = ["NO_MODEL", "answer_from_memory", "is_from_memory"]

NO_MODEL = "No language model is configured. "
_MOST_QUOTES = 3
_MOST_HITS = 20
_LONGEST_QUERY = 2000
_LONGEST_QUOTE = 400


async def answer_from_memory(
    book: AsyncDaybook, session: Session, question: Message, *, everywhere: bool
) -> str:
    """Return the messages that best answer a question, as text for people.

    Args:
        book: Where to look.
        session: Where it was asked.
        question: What was asked; it is not quoted itself.
        everywhere: Look through all sessions of the owner, or through this one alone.

    Raises:
        StoreError: The store failed.
        ProviderError: The embedder failed.
    """
    if not question.text.strip():
        return f"{NO_MODEL}There are no words in this to look up."
    try:
        hits = await book.recall.search(
            question.text[:_LONGEST_QUERY],
            user_id=session.user_id,
            session_id=None if everywhere else session.id,
            limit=_MOST_HITS,
            neighbours=0,
        )
    except UnsupportedError:
        return f"{NO_MODEL}There is no search index to look things up in."
    quotes = _quotes(hits, question)
    if not quotes:
        return f"{NO_MODEL}I remember nothing about this."
    return "\n".join([f"{NO_MODEL}This is what I remember:", *quotes])


def is_from_memory(message: Message) -> bool:
    """Tell whether a message is such an answer."""
    mark = message.metadata.get("daybook")
    return isinstance(mark, dict) and mark.get("no_model") is True


def _quotes(hits: Sequence[Hit], question: Message) -> list[str]:
    """Return the best hits as lines; neither echoes of the question nor answers of this kind."""
    quotes: list[str] = []
    said = {question.text.strip()}
    for hit in hits:
        text = hit.message.text.strip()
        if text in said or not text or is_from_memory(hit.message):
            continue
        said.add(text)
        when = f"{hit.said_at:%Y-%m-%d}" if hit.said_at else "no date"
        line = " ".join(text.split())
        if len(line) > _LONGEST_QUOTE:
            line = f"{line[:_LONGEST_QUOTE]} …"
        quotes.append(f"- {when}, {hit.speaker}: “{line}”")
        if len(quotes) == _MOST_QUOTES:
            break
    return quotes
