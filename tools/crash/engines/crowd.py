"""Many processes on many sessions of one engine: what they saw is judged together."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from daybook.client import AsyncDaybook
from tools.crash.append_checker import Anomaly
from tools.crash.engines.addresses import driver_module, open_url
from tools.crash.engines.crew import Crew
from tools.crash.engines.session_calls import SessionCalls, load_calls
from tools.crash.engines.session_client import Mix
from tools.crash.engines.session_judge import INHERITED_SHOWN, judge
from tools.crash.store import USER
from tools.crash.tally import Tally
from tools.crash.zygote import Zygote

__all__ = ["contend_as_tasks", "contend_over_sessions", "judge_place", "read_finals"]

_START_S = 1.0  # for all processes to open before the first step
_LIMIT_S = 60.0


def contend_over_sessions(
    zygote: Zygote, engine: str, url: str, folder: Path, *, processes: int, seconds: float, mix: Mix
) -> Tally:
    """Let processes append, read, fork and remove for some seconds; an error is a defect.

    `mix.clients` are shared out among the processes.
    """
    tally = Tally(f"crowd of {processes} processes", engine=engine)
    started = time.monotonic()
    zygote.load(driver_module(url))
    began = time.monotonic_ns() + int(_START_S * 1e9)
    children = [
        zygote.spawn(
            "sessions",
            url=url,
            mix=asdict(mix),
            began=began,
            seconds=seconds,
            numbers=list(range(number, mix.clients, processes)),
            history=folder / f"client-{number}.jsonl",
        )
        for number in range(processes)
    ]
    for child in children:
        child.go()
    defects = []
    for child in children:
        lines = child.lines(patience_s=seconds + 120)
        errors: Counter[str] = Counter(json.loads(lines[-1]) if lines else {})
        defects += [f"{count} times {name}" for name, count in errors.items()]
        if status := child.wait():
            defects.append(f"a client ended with status {status}")
    calls = load_calls(sorted(folder.glob("client-*.jsonl")))
    anomalies, wrong = asyncio.run(_judge_in_a_new_client(url, calls))
    tally.calls = sum(seen.count for seen in calls.values())
    tally.operations = sum(seen.acknowledged for seen in calls.values())
    tally.add("one run", anomalies, defects + wrong)
    tally.seconds = time.monotonic() - started
    return tally


async def contend_as_tasks(
    engine: str, book: AsyncDaybook, *, seconds: float, mix: Mix, least: int = 0
) -> Tally:
    """The same with tasks of this process, for engines that live in one.

    With `least`, the time goes on until so many batches were acknowledged.
    """
    tally = Tally(f"crowd of {mix.clients} tasks", engine=engine)
    started = time.monotonic()
    async with Crew(book, mix) as crew:
        await asyncio.sleep(seconds)
        await crew.until_acknowledged(least - crew.acknowledged, _LIMIT_S)
    calls = crew.by_session()
    anomalies, wrong = await judge_place(book, calls)
    tally.calls, tally.operations = len(crew.calls), crew.acknowledged
    tally.add(
        "one run", anomalies, wrong + [f"{n} times {name}" for name, n in crew.errors.items()]
    )
    tally.seconds = time.monotonic() - started
    return tally


async def _judge_in_a_new_client(
    url: str, calls: Mapping[str, SessionCalls]
) -> tuple[list[Anomaly], list[str]]:
    async with open_url(url) as book:
        return await judge_place(book, calls)


async def judge_place(
    book: AsyncDaybook, calls: Mapping[str, SessionCalls]
) -> tuple[list[Anomaly], list[str]]:
    """Read every session that clients wrote; return anomalies, and counts that do not add up.

    A call that was cut short may be done at the server between two looks, so what does not add up
    is read again until it stays as it is.
    """
    finals = await read_finals(book, calls)
    while wrong := await _miscounts(book, calls, finals):
        before, finals = finals, await read_finals(book, calls)
        if finals == before:
            break
    return judge(calls, finals), wrong


async def read_finals(
    book: AsyncDaybook, calls: Mapping[str, SessionCalls]
) -> dict[str, list[tuple[int, str]]]:
    """Return what each session holds; of what a fork inherited, the newest part."""
    finals = {}
    for session, seen in calls.items():
        after = max(0, seen.fork.at - INHERITED_SHOWN) if seen.fork else 0
        entries = await book.history.entries(session, after=after, user_id=USER)
        finals[session] = [(one.seq, one.message.id) for one in entries]
    return finals


async def _miscounts(
    book: AsyncDaybook,
    calls: Mapping[str, SessionCalls],
    finals: Mapping[str, list[tuple[int, str]]],
) -> list[str]:
    wrong = []
    for session, final in finals.items():
        fork = calls[session].fork
        hidden = max(0, fork.at - fork.first + 1 - INHERITED_SHOWN) if fork else 0
        found = await book.sessions.get(session, user_id=USER)
        if (found.message_count if found else 0) != len(final) + hidden:
            wrong.append(f"session {session} miscounts its messages")
        if final and (found is None or found.last_seq != final[-1][0]):
            wrong.append(f"session {session} does not know its newest message")
    return wrong
