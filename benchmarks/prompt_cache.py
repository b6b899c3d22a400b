"""How much of what a 200-turn chat sends is a prefix that was sent before: what prompt caches hit.

Providers cache what two requests have in common from their beginning on. Every side answers the
same 200 turns under the same budget; the answers are given, so that only what is sent differs.
Requests are compared character by character, and counted in tokens by the same counter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from benchmarks.harness import Settings
from benchmarks.report import Report, Table, at_least
from benchmarks.talk import Talk
from daybook import AsyncDaybook, Message
from daybook.context.strategy import Relevant, Strategy, Summary, TokenWindow, Window
from daybook.context.token_estimate import ApproximateTokenCounter

__all__ = ["run"]

_TARGET = 0.90
_BUDGETS = (8_000, 16_000, 32_000)
_SYSTEM = "You are a helpful assistant. Answer briefly, and say so when you do not know. " * 4
_COUNTER = ApproximateTokenCounter()
_USER = "ann"

Said = list[tuple[str, str]]
Sent = list[str]
Side = Callable[[Said, int], Coroutine[Any, Any, Sent]]


def run(settings: Settings) -> Report:
    """Simulate the chat on every side and budget."""
    report = Report("Prompt caches: the part of the input that was sent before")
    turns = settings.size(200, 40)
    said = _conversation(turns)
    rows = []
    for budget in _BUDGETS:
        for name, side in _sides().items():
            requests = asyncio.run(side(said, budget))
            sent, cached = _cached(requests)
            rows.append([name, f"{budget:,}", f"{sent:,}", f"{cached / sent:.3f}"])
            report.numbers[f"{name} | {budget}"] = [cached / sent]
            settings.say(f"{budget}: {name}: {cached / sent:.3f}")
    ours = "Daybook, as it comes, recall on"
    report.verdicts = [
        at_least(f"{ours}, {budget:,} tokens", report.numbers[f"{ours} | {budget}"][0], _TARGET, "")
        for budget in _BUDGETS
    ]
    total = sum(_COUNTER.count_text(text) for turn in said for text in turn)
    system = _COUNTER.count_text(_SYSTEM)
    report.notes = [
        f"{turns} turns, {total:,} tokens, after an earlier conversation of as many turns.",
        f"A system prompt of {system} tokens.",
        "Recalled messages change with every turn: what is quoted is never cached.",
    ]
    report.tables = [Table("Input", ["side", "budget", "tokens sent", "cached part"], rows)]
    return report


def _conversation(turns: int) -> Said:
    """Return questions and answers; every fourth question comes back to an earlier turn."""
    talk = Talk(seed=11)
    said: Said = []
    for turn in range(turns):
        asked = talk.text(140) if turn % 4 or not said else talk.question(said[turn // 2][0])
        said.append((asked, talk.text(480)))
    return said


async def _earlier(book: AsyncDaybook, turns: int) -> None:
    """Store another conversation of the same user, so that there always is something to recall."""
    talk = Talk(seed=12)
    for _ in range(turns):
        exchange = [Message.user(talk.text(140)), Message.assistant(talk.text(480))]
        await book.history.append("earlier", exchange, user_id=_USER)


def _sides() -> dict[str, Side]:
    sides: dict[str, Side] = {
        "Daybook, as it comes, recall on": _daybook(Strategy(), query=True),
        "Daybook, half the window given up at once, recall on": _daybook(
            Strategy(tail=TokenWindow(step=0.5)), query=True
        ),
        "Daybook, as it comes, recall off": _daybook(Strategy(), query=False),
        "Daybook, summary + tail, recall on": _daybook(Summary() + Relevant(), query=True),
        "Daybook, window that gives up as little as it can, recall off": _daybook(
            Strategy(tail=TokenWindow(step=0)), query=False
        ),
        "Daybook, window of 20 turns, recall off": _daybook(Window(turns=20), query=False),
        "LangChain trim_messages": _langchain(recall=False),
        "LangChain trim_messages, memories in the system prompt": _langchain(recall=True),
    }
    return sides


def _daybook(strategy: Any, *, query: bool) -> Side:
    async def side(said: Said, budget: int) -> Sent:
        requests: Sent = []
        async with AsyncDaybook.open("inmemory://") as book:
            await _earlier(book, len(said))
            for asked, answer in said:
                await book.history.append("chat", Message.user(asked), user_id=_USER)
                context = await book.context.build(
                    "chat",
                    max_tokens=budget,
                    system=_SYSTEM,
                    strategy=strategy,
                    query=asked if query else None,
                )
                requests.append(_text((one.role, one.text) for one in context.messages))
                await book.history.append("chat", Message.assistant(answer))
        return requests

    return side


def _langchain(*, recall: bool) -> Side:
    """What its documentation shows: the newest that fit, the system prompt kept.

    With `recall`, memories are put into the system prompt of every call, as examples of memory
    libraries do; they are found by Daybook, so that only their place differs.
    """

    async def side(said: Said, budget: int) -> Sent:
        from langchain_core.messages import (  # noqa: PLC0415 - in the benchmark's environment
            AIMessage,
            BaseMessage,
            HumanMessage,
            SystemMessage,
            trim_messages,
        )

        def count(messages: Sequence[BaseMessage]) -> int:
            return sum(4 + _COUNTER.count_text(str(one.content)) for one in messages)

        requests: Sent = []
        history: list[BaseMessage] = []
        async with AsyncDaybook.open("inmemory://") as book:
            await _earlier(book, len(said))
            for asked, answer in said:
                system = _SYSTEM
                if recall:
                    hits = await book.recall.search(asked, user_id=_USER, limit=5)
                    system += "\nMemories:\n" + "\n".join(f"- {hit.message.text}" for hit in hits)
                history.append(HumanMessage(asked))
                trimmed = trim_messages(
                    [SystemMessage(system), *history],
                    max_tokens=budget,
                    token_counter=count,
                    strategy="last",
                    include_system=True,
                    start_on="human",
                )
                requests.append(_text((one.type, str(one.content)) for one in trimmed))
                history.append(AIMessage(answer))
                said_now = [Message.user(asked), Message.assistant(answer)]
                await book.history.append("chat", said_now, user_id=_USER)
        return requests

    return side


def _text(messages: Any) -> str:
    return "".join(f"<{role}>{text}</{role}>\n" for role, text in messages)


def _shared(one: str, other: str) -> int:
    """Return how many characters two texts have in common from the beginning."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _cached(requests: Sent) -> tuple[int, int]:
    """Return the tokens of all requests, and of what each shares with one of the eight before."""
    sent = cached = 0
    for at, request in enumerate(requests):
        sent += _COUNTER.count_text(request)
        before = requests[max(0, at - 8) : at]
        shared = max((_shared(request, one) for one in before), default=0)
        cached += _COUNTER.count_text(request[:shared])
    return sent, cached
