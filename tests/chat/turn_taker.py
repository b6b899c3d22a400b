"""A process that takes turns in a session.

    python -m tests.chat.turn_taker URL INDEX SESSION NAME MODE LEASE_S

It begins when a line comes in. `turns` takes ten turns at once; `hang` takes three, says the id of
each question whose answer it got, and hangs in the fourth answer after its first piece. `late` is
`hang` with a chat that stores the question when it has the answer: for the control.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

from daybook.chat import AsyncChatApplication, ChatReply, application
from daybook.chat.turn import Turn
from daybook.chat.turn_queue import Place
from daybook.model.message import Message
from tests.chat.scripted_models import echo, newest_question

TURNS = 10


class LateTurn(Turn):
    """Stores nothing before the model has answered."""

    async def run(self, place: Place) -> ChatReply:
        model = self._book.model
        assert model is not None
        context = await self._built(model)
        messages = [*context.messages, self._question]
        reply = await self._rounds(model, messages, ())
        await self._append([self._question])
        return await self._finished(reply, place, 0)


async def slow_or_hanging(messages: tuple[Message, ...]) -> AsyncIterator[str]:
    """Echo, or hang after the first piece if the question says so."""
    if "hang" in newest_question(messages):
        yield "Half a "
        await asyncio.Event().wait()
    async for word in echo(messages):
        await asyncio.sleep(0.002)
        yield word


def say(*words: str) -> None:
    """Tell the test."""
    print(*words, flush=True)  # noqa: T201 - how it is heard


async def main(url: str, index: str, session_id: str, name: str, mode: str, lease_s: str) -> None:
    """Take the turns."""
    if mode == "late":
        vars(application)["Turn"] = LateTurn
    async with AsyncChatApplication(
        url,
        index=index or None,
        embedder="hash",
        background=False,
        model=slow_or_hanging,
        lease_s=float(lease_s),
    ) as chat:
        await chat.info(session_id)
        say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        if mode == "turns":
            await asyncio.gather(
                *(chat.chat(session_id, f"{name} {number}") for number in range(TURNS))
            )
            say("done")
            return
        for number in range(3):
            reply = await chat.chat(session_id, f"{name} {number}")
            say("acknowledged", reply.question.id, reply.message.id)
        async for piece in chat.stream(session_id, Message.user("now hang", id="hanging")):
            say("piece", str(piece))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
