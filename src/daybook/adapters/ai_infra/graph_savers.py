"""LangGraph's own savers, beside Daybook's data: what ai-infra's own agent asks a storage for.

Daybook keeps messages; the states of a graph belong to LangGraph. Beside a file of SQLite's they
have a file of their own, because commits to Daybook's happen under its lock.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

from daybook.adapters.opened import BookOrUrl
from daybook.errors import MissingDependencyError, UnsupportedError

__all__ = ["saver_for"]

_SQLITE = "sqlite:///"
_BESIDE = ".langgraph"
# A row, a table or a type that is there by now; two who wait for each other.
_SPOILED_BY_OTHERS = {"23505", "42P07", "42710", "40P01"}
_TRIES = 40
_LONGEST_PAUSE_S = 0.2


def saver_for(where: BookOrUrl, pool_size: int) -> Any:
    """Return a LangGraph checkpointer for a storage, its tables made; serves both kinds of callers.

    Args:
        where: ``inmemory://``, ``sqlite:///…`` or ``postgresql://…``.
        pool_size: Connections to PostgreSQL at most.

    Raises:
        UnsupportedError: LangGraph's package has no saver for this engine.
        MissingDependencyError: The saver's package is not installed.
    """
    if where == "inmemory://":
        return _loaded("langgraph.checkpoint.memory", "langgraph").InMemorySaver()
    if isinstance(where, str) and where.startswith(_SQLITE):
        module = _loaded("langgraph.checkpoint.sqlite", "langgraph-checkpoint-sqlite")
        path = where.removeprefix(_SQLITE).partition("?")[0] + _BESIDE
        saver = _for_both(module.SqliteSaver)(sqlite3.connect(path, check_same_thread=False))
    elif isinstance(where, str) and where.startswith(("postgresql://", "postgres://")):
        module = _loaded("langgraph.checkpoint.postgres", "langgraph-checkpoint-postgres")
        saver = _for_both(module.PostgresSaver)(_pool(where, pool_size))
        _set_up(saver)
        return saver
    else:
        raise UnsupportedError(
            "a LangGraph checkpointer is at hand for memory, sqlite and postgres storages only"
        )
    saver.setup()
    return saver


def _set_up(saver: Any) -> None:
    """Make a saver's tables in PostgreSQL, also while other processes do.

    LangGraph's statements stand in each other's way then; each is made once, so the next try finds
    what others have done, and fewer of them are left with every try.
    """
    psycopg = _loaded("psycopg", "psycopg")
    try:
        for _ in range(_TRIES - 1):
            try:
                saver.setup()
            except psycopg.Error as exc:
                if exc.sqlstate not in _SPOILED_BY_OTHERS:
                    raise
                time.sleep(random.uniform(0, _LONGEST_PAUSE_S))  # noqa: S311 - no secret
            else:
                return
        saver.setup()
    except BaseException:
        saver.conn.close()
        raise


def _pool(url: str, size: int) -> Any:
    pools = _loaded("psycopg_pool", "psycopg-pool")
    rows = _loaded("psycopg.rows", "psycopg")
    how = {"autocommit": True, "prepare_threshold": 0, "row_factory": rows.dict_row}
    return pools.ConnectionPool(url, min_size=1, max_size=size, kwargs=how, open=True)


def _loaded(module: str, package: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as exc:
        raise MissingDependencyError("get_checkpointer", f"pip install {package}") from exc


def _for_both(saver: type[Any]) -> type[Any]:
    """Return a blocking saver's class with async methods that run on threads."""

    class ForBoth(saver):  # type: ignore[misc] # a class that is handed in
        async def aget_tuple(self, *arguments: Any, **named: Any) -> Any:
            return await asyncio.to_thread(self.get_tuple, *arguments, **named)

        async def alist(self, *arguments: Any, **named: Any) -> AsyncIterator[Any]:
            for found in await asyncio.to_thread(lambda: [*self.list(*arguments, **named)]):
                yield found

        async def aput(self, *arguments: Any, **named: Any) -> Any:
            return await asyncio.to_thread(self.put, *arguments, **named)

        async def aput_writes(self, *arguments: Any, **named: Any) -> None:
            await asyncio.to_thread(self.put_writes, *arguments, **named)

        async def adelete_thread(self, *arguments: Any, **named: Any) -> None:
            await asyncio.to_thread(self.delete_thread, *arguments, **named)

    ForBoth.__name__ = ForBoth.__qualname__ = saver.__name__
    return ForBoth
