"""What an adapter costs above the core call that it makes and its framework's own objects."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from benchmarks.harness import Settings, interleave, scratch
from benchmarks.report import Report, Table, at_most, duration
from daybook import Daybook, Message, ToolCall, Usage

__all__ = ["run"]

_LIMIT = 1.2
_CALLS, _LOADED = 200, 100
_TEXT = "Our parrot is called Kiwi and sings at night, mostly in May and in the kitchen."
_USED: dict[str, Any] = {"input_tokens": 30, "output_tokens": 9, "total_tokens": 39}
_ARGUMENTS = {"query": "parrot", "limit": 3}


def run(settings: Settings) -> Report:
    """Measure LangChain's history on two engines."""
    report = Report("Adapters, beside the core call and the framework's own objects")
    rows: list[list[str]] = []
    with scratch(settings) as folder:
        for engine, url in (("inmemory", "inmemory://"), ("sqlite", f"sqlite:///{folder}/a.db")):
            with Daybook.open(url, embedder=None, background=False) as book:
                for name, ours, floor in _pairs(book, settings):
                    found = interleave({"ours": ours, "floor": floor}, settings, f"{engine} {name}")
                    ratio = found["ours"].ratio(found["floor"])
                    what = f"{engine}, {name}"
                    for side, series in found.items():
                        report.keep(f"{what}, {side}", series)
                    rows.append(
                        [what, *(duration(found[side].median) for side in ("floor", "ours")),
                         f"{ratio:.2f} x"]
                    )  # fmt: skip
                    report.verdicts.append(at_most(what, ratio, _LIMIT))
    columns = ["call", "core and objects", "adapter", "ratio"]
    report.tables.append(Table("LangChain, one call", columns, rows))
    return report


def _pairs(
    book: Daybook, settings: Settings
) -> list[tuple[str, Callable[[], float], Callable[[], float]]]:
    """Return what is measured: its name, the adapter's call, and the floor."""
    from langchain_core.messages import AIMessage, HumanMessage  # noqa: PLC0415 - not in every run

    from daybook.adapters.langchain import DaybookChatMessageHistory  # noqa: PLC0415

    calls = settings.size(_CALLS, 20)
    number = iter(range(10**9))

    def theirs() -> list[Any]:
        at = next(number)
        call = {"name": "look", "args": _ARGUMENTS, "id": f"c{at}", "type": "tool_call"}
        answer = AIMessage(_TEXT, id=f"a{at}", tool_calls=[call], usage_metadata=_USED)
        return [HumanMessage(_TEXT, id=f"q{at}"), answer]

    def ours() -> list[Message]:
        at = next(number)
        call = ToolCall(f"c{at}", "look", _ARGUMENTS)
        answer = Message.assistant(_TEXT, id=f"a{at}", tool_calls=(call,), usage=Usage(30, 9))
        return [Message.user(_TEXT, id=f"q{at}"), answer]

    adapter = DaybookChatMessageHistory("adapter", book)
    loaded = DaybookChatMessageHistory("loaded", book)
    book.sessions.create(user_id="adapter", session_id="adapter")
    book.sessions.create(user_id="core", session_id="core")
    for _ in range(_LOADED // 2):
        loaded.add_messages(theirs())

    def load_floor() -> None:
        for message in book.history.list("loaded"):
            if message.role == "user":
                HumanMessage(message.text, id=message.id)
            else:
                calls_ = [
                    {"name": one.name, "args": one.arguments, "id": one.id, "type": "tool_call"}
                    for one in message.tool_calls
                ]
                AIMessage(message.text, id=message.id, tool_calls=calls_, usage_metadata=_USED)

    def append_floor() -> None:
        theirs()
        book.history.append("core", ours())

    return [
        (
            "append a turn",
            _each(calls, lambda: adapter.add_messages(theirs())),
            _each(calls, append_floor),
        ),
        (
            "load 100 messages",
            _each(calls // 10, lambda: loaded.messages),
            _each(calls // 10, load_floor),
        ),
    ]


def _each(calls: int, work: Callable[[], Any]) -> Callable[[], float]:
    """Return a measure of one call among many."""

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            work()
        return (time.perf_counter() - start) / calls

    return measure
