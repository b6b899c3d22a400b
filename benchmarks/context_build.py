"""What building a context costs on a long session, beside LangChain's `trim_messages`.

Daybook counts a message when it is appended and reads the newest ones alone; a trimmer that is
handed the conversation counts all of it with every call.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness import AsyncSide, Series, Settings, interleave, scratch
from benchmarks.report import Report, Table, at_most, duration
from benchmarks.sides.daybooks import USER, url_of
from benchmarks.talk import Talk
from daybook import AsyncDaybook, Message
from daybook.context.strategy import Summary
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.context.window import select_window
from daybook.model.entry import HistoryEntry

__all__ = ["run"]

_BUDGET = 4_000
_SESSION = "talk"
_BUILD_MS, _RECALL_MS, _TRIM_US = 3.0, 12.0, 50.0
_COUNTER = ApproximateTokenCounter()


def run(settings: Settings) -> Report:
    """Measure every way in turn."""
    report = Report("Context: building one on a long session")
    count, calls = settings.size(10_000, 1_000), settings.size(200, 10)
    talk = Talk(seed=21)
    said = [
        Message.assistant(talk.text(160)) if at % 2 else Message.user(talk.text(160))
        for at in range(count - 1)
    ]
    said.append(Message.user(talk.question(said[40].text)))
    entries = [HistoryEntry(seq, one, _COUNTER.count(one)) for seq, one in enumerate(said, 1)]
    with scratch(settings) as folder:
        book = _Book(folder / "book.db", said)
        steps: dict[str, Callable[[], float]] = {
            "choose the window from stored counts": _timed(
                lambda: select_window(entries, _BUDGET), calls
            ),
            "build, no recall, receipt not stored": book.timed(calls, keep_receipt=False),
            "build, no recall": book.timed(calls),
            "build, summary kept without a model": book.timed(calls, strategy=Summary()),
            "build, recall": book.timed(calls, query=said[-1].text),
            **_langchain(said, settings.size(5, 2)),
        }
        found = interleave(steps, settings, "context")
        book.close()
    report.tables.append(
        Table(
            f"{count:,} messages of {sum(one.tokens for one in entries) // count} tokens in SQLite "
            f"(FULL), {_BUDGET:,} tokens of budget: median of a call",
            ["what", "p50", "p50 of the quietest round"],
            [
                [name, duration(series.median), duration(min(series.values))]
                for name, series in found.items()
            ],
        )
    )
    report.verdicts = _verdicts(found)
    report.notes = [
        "Tokens are Daybook's estimate. LangChain's trimmer is handed the list of all messages.",
        "tiktoken is not measured: its vocabularies are fetched from the network.",
        "A receipt that is stored is one more commit.",
    ]
    for name, series in found.items():
        report.keep(name, series)
    return report


def _verdicts(found: dict[str, Series]) -> list[Any]:
    trim = found["choose the window from stored counts"].median * 1e6
    build = found["build, no recall"].median * 1e3
    recall = found["build, recall"].median * 1e3
    return [
        at_most("choose the window from stored counts", trim, _TRIM_US, "µs", 0),
        at_most("build, no recall, receipt stored", build, _BUILD_MS, "ms", 1),
        at_most("build, recall, receipt stored", recall, _RECALL_MS, "ms", 1),
    ]


class _Book:
    """A daybook with one long session that is indexed."""

    def __init__(self, path: Path, said: list[Message]) -> None:
        self._loop = AsyncSide()
        self._book: AsyncDaybook = self._loop.wait(self._open(path, said))

    async def _open(self, path: Path, said: list[Message]) -> AsyncDaybook:
        book = await AsyncDaybook.open(url_of(path))
        await book.history.append(_SESSION, said, user_id=USER)
        await book.recall.flush()
        return book

    def timed(self, calls: int, **asked: Any) -> Callable[[], float]:
        """Return a function that builds so often and returns the median time."""

        async def measure() -> float:
            clock, taken = time.perf_counter, []
            for _ in range(calls):
                start = clock()
                await self._book.context.build(_SESSION, max_tokens=_BUDGET, **asked)
                taken.append(clock() - start)
            return median(taken)

        return lambda: self._loop.wait(measure())

    def close(self) -> None:
        self._loop.wait(self._book.close())
        self._loop.close()


def _timed(call: Callable[[], object], calls: int) -> Callable[[], float]:
    def measure() -> float:
        clock, taken = time.perf_counter, []
        for _ in range(calls):
            start = clock()
            call()
            taken.append(clock() - start)
        return median(taken)

    return measure


def _langchain(said: list[Message], calls: int) -> dict[str, Callable[[], float]]:
    from langchain_core.messages import (  # noqa: PLC0415 - in the benchmark's environment
        AIMessage,
        BaseMessage,
        HumanMessage,
        trim_messages,
    )

    history: list[BaseMessage] = [
        (HumanMessage if one.role == "user" else AIMessage)(one.text) for one in said
    ]

    def ours(messages: list[BaseMessage]) -> int:
        return sum(4 + _COUNTER.count_text(str(one.content)) for one in messages)

    def trim(counter: Any) -> Callable[[], float]:
        return _timed(
            lambda: trim_messages(
                history,
                max_tokens=_BUDGET,
                token_counter=counter,
                strategy="last",
                include_system=True,
                start_on="human",
            ),
            calls,
        )

    return {
        "LangChain trim_messages, approximate counter": trim("approximate"),
        "LangChain trim_messages, Daybook's counter": trim(ours),
    }
