"""Conversations to index."""

from __future__ import annotations

from daybook import AsyncDaybook, Message

__all__ = ["fill"]


async def fill(book: AsyncDaybook, sessions: int = 6, messages: int = 8) -> None:
    """Store and index some sessions of Alice's."""
    for number in range(sessions):
        said = [Message.user(f"word{number} and {one} plums") for one in range(messages)]
        await book.history.append(f"s{number}", said, user_id="alice")
    await book.recall.flush()
