"""Users who talked a lot: conversations in a daybook, indexed, ready to be searched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from benchmarks.talk import Talk
from daybook import AsyncDaybook, Message

__all__ = ["converse", "talk_of"]

_START = datetime(2025, 1, 1, tzinfo=UTC)
_SESSION_TURNS = 40
_SPEAKERS = ("Ann", "Ben")


def talk_of(seed: int, turns: int) -> list[list[Message]]:
    """Return sessions of dated turns, each session about something of its own."""
    talk = Talk(seed)
    sessions: list[list[Message]] = []
    for first in range(0, turns, _SESSION_TURNS):
        talk.change_topic()
        day = _START + timedelta(hours=first // 4)
        sessions.append(
            [
                Message(
                    role="assistant" if at % 2 else "user",
                    name=_SPEAKERS[at % 2],
                    content=talk.turn(),
                    created_at=day + timedelta(minutes=at),
                )
                for at in range(min(_SESSION_TURNS, turns - first))
            ]
        )
    return sessions


async def converse(
    book: AsyncDaybook, user: str, sessions: list[list[Message]], *, first: int = 0
) -> None:
    """Append a user's sessions, numbered from `first` on."""
    for number, messages in enumerate(sessions, first):
        await book.history.append(f"{user}-{number}", messages, user_id=user)
