"""Models that do as a test says: functions from messages to answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from daybook.errors import ProviderError
from daybook.model.message import Message, ToolCall
from daybook.model.reply import Reply

Answer = str | Message | Reply


def newest_question(messages: Sequence[Message]) -> str:
    """Return what the user said last; blocks of recalled memory are not theirs."""
    said = (one for one in reversed(messages) if one.role == "user" and not mark(one, "recalled"))
    return next(said).text


async def echo(messages: tuple[Message, ...]) -> AsyncIterator[str]:
    """Say again what the user said, a word at a time."""
    for word in f"you said {newest_question(messages)}".split(" "):
        yield f"{word} "
        await asyncio.sleep(0)


def calls(*wanted: tuple[str, str, dict[str, Any] | str], text: str = "") -> Message:
    """Return an answer that asks for tools: id, name and arguments of each."""
    made = tuple(ToolCall(one[0], one[1], one[2]) for one in wanted)
    return Message.assistant(text, tool_calls=made)


class Script:
    """Answers with one thing after another, the last again and again, and keeps what it was sent.

    Exceptions are raised; tuples are pieces, of which an exception ends the answer.
    """

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[Message, ...]] = []

    async def __call__(self, messages: tuple[Message, ...]) -> AsyncIterator[str | Reply]:
        self.asked.append(messages)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        for piece in answer if isinstance(answer, tuple) else (answer,):
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, Message):
                reason = "tool_calls" if piece.tool_calls else "stop"
                if piece.text:
                    yield piece.text
                yield Reply(message=piece, model="scripted", finish_reason=reason)  # type: ignore[arg-type]
                return
            yield piece


class Gated:
    """Says a piece, then waits until it is let on; says when it has begun.

    Without a `rest`, each answer ends in a way of its own.
    """

    def __init__(self, first: str = "The beginning", rest: str | None = " and the end.") -> None:
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()
        self._asked = 0
        self._changed = asyncio.Condition()
        self._pieces = first, rest

    async def until(self, asked: int) -> None:
        """Wait until so many wait for their answers."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._asked >= asked)

    async def __call__(self, messages: tuple[Message, ...]) -> AsyncIterator[str]:
        first, rest = self._pieces
        if first:
            yield first
        self.began.set()
        async with self._changed:
            self._asked += 1
            self._changed.notify_all()
            number = self._asked
        await self.go_on.wait()
        yield rest or f" {number}"


def failure(retryable: bool = True) -> ProviderError:
    """Return an error as providers raise them."""
    return ProviderError("as told", provider="scripted", retryable=retryable)


def texts(messages: Sequence[Message]) -> list[tuple[str, str]]:
    """Return who said what."""
    return [(one.role, one.text.strip()) for one in messages]


def mark(message: Message, name: str) -> Any:
    """Return what a chat noted in a message."""
    return message.metadata.get("daybook", {}).get(name)


def in_pairs(messages: Sequence[Message], said: Callable[[str], str]) -> bool:
    """Tell whether each question is followed by its own answer, and nothing else is there."""
    if len(messages) % 2:
        return False
    pairs = zip(messages[::2], messages[1::2], strict=True)
    return all(
        one.role == "user" and two.role == "assistant" and two.text.strip() == said(one.text)
        for one, two in pairs
    )
