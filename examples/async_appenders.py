"""Async: many tasks append to one session at once; nothing is lost, batches stay whole."""

from __future__ import annotations

import asyncio

from daybook import AsyncDaybook, Message

TASKS, TURNS = 20, 10


async def talk(book: AsyncDaybook, number: int) -> None:
    """Append turns of two messages, each as one batch."""
    for turn in range(TURNS):
        question = Message.user(f"{number}.{turn} question")
        await book.history.append(
            "shared", [question, Message.assistant(f"{number}.{turn} answer")]
        )


async def main() -> None:
    """Let the tasks talk, then look at what is there."""
    async with AsyncDaybook.open("sqlite:///shared.db") as book:
        await book.sessions.create(user_id="team", session_id="shared")
        await asyncio.gather(*(talk(book, number) for number in range(TASKS)))

        entries = await book.history.entries("shared")
        print(f"messages: {len(entries)} of {TASKS * TURNS * 2}")
        print(f"numbered without a gap: {[e.seq for e in entries] == list(range(1, 401))}")
        names = [entry.message.text.split()[0] for entry in entries]
        print(f"each question beside its answer: {names[::2] == names[1::2]}")
        print(f"searchable: {len(await book.recall.search('question', user_id='team'))} hits")


asyncio.run(main())
