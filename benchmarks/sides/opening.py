"""Opens the sides of a comparison; a library that is not installed is named, not left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from benchmarks.sides.daybooks import AwaitedDaybook, BlockingDaybook
from benchmarks.sides.floors import RawAiosqlite, RawSqlite
from benchmarks.sides.history import History, UnusableError
from benchmarks.sides.langchain_sql import LangChainSql
from benchmarks.sides.langgraph_saver import LangGraphSaver
from benchmarks.sides.openai_agents import AgentsSession

__all__ = ["history_sides", "opened"]

NOT_INSTALLED = "not installed"


class _Closable(Protocol):
    def close(self) -> None: ...


S = TypeVar("S", bound=_Closable)


@contextmanager
def opened(makers: Mapping[str, Callable[[], S]]) -> Iterator[tuple[dict[str, S], dict[str, str]]]:
    """Open sides; give those that could be opened, and why the others could not.

    Close them all afterwards.
    """
    sides: dict[str, S] = {}
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        for name, make in makers.items():
            try:
                sides[name] = make()
            except UnusableError as exc:
                missing[name] = str(exc)
            except ImportError:
                missing[name] = NOT_INSTALLED
            else:
                stack.callback(sides[name].close)
        yield sides, missing


def history_sides(folder: Path) -> dict[str, Callable[[], History]]:
    """Return the makers of everything that keeps conversations in SQLite."""
    return {
        "sqlite3, FULL": lambda: RawSqlite(folder / "raw-full.db", "full"),
        "aiosqlite, FULL": lambda: RawAiosqlite(folder / "aio-full.db", "full"),
        "AsyncDaybook, FULL": lambda: AwaitedDaybook(folder / "awaited-full.db"),
        "Daybook, FULL": lambda: BlockingDaybook(folder / "blocking-full.db"),
        "sqlite3, NORMAL": lambda: RawSqlite(folder / "raw-normal.db", "normal"),
        "aiosqlite, NORMAL": lambda: RawAiosqlite(folder / "aio-normal.db", "normal"),
        "AsyncDaybook, NORMAL": lambda: AwaitedDaybook(folder / "awaited-normal.db", "normal"),
        "Daybook, NORMAL": lambda: BlockingDaybook(folder / "blocking-normal.db", "normal"),
        "OpenAI Agents SQLiteSession": lambda: AgentsSession(folder / "agents.db"),
        "LangChain SQL history": lambda: LangChainSql(folder / "langchain.db"),
        "LangGraph SqliteSaver (ai-infra too)": lambda: LangGraphSaver(folder / "saver.db"),
    }
