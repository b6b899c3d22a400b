"""The engine's connections: a few for each event loop, and every reply checked.

What a pool runs is one statement, which is one transaction, and one round trip. A connection whose
call was cancelled, ran out of time or failed in any way the server did not report is closed, never
used again. Each statement carries a number that its reply must bring back, so a reply can never
reach another call, whatever a driver or a proxy does.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from secrets import randbits
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from daybook.enginekit.deadline import deadline
from daybook.enginekit.per_loop import PerLoop
from daybook.engines.postgresql.connection import Connection, connect, is_usable, refuses_options
from daybook.engines.postgresql.driver_errors import (
    ENGINE,
    is_raced,
    is_unprepared,
    map_errors,
)
from daybook.engines.postgresql.options import Options
from daybook.errors import StoreClosedError, StoreUnavailableError

__all__ = ["Pool", "Row", "Transaction"]

Row = tuple[Any, ...]

_MOST_ATTEMPTS = 50
_LONGEST_PAUSE_S = 0.05
_ONE_ROW = "SELECT q.*, %b::int8 FROM ({statement}) AS q"
# One row with the number even where the statement gives none; `here` tells the two apart.
_ANY_ROWS = (
    "SELECT q.*, %b::int8 FROM (VALUES (1)) AS one LEFT JOIN LATERAL "
    "(SELECT s.*, true AS here FROM ({statement}) AS s) AS q ON true"
)


class _LoopPool:
    """The connections of one event loop; the one given back last is taken first."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._permits = asyncio.Semaphore(options.pool_size)
        self._idle: list[Connection] = []
        self._limited = True
        self._prepares = True

    async def take(self) -> Connection:
        """Lend a connection: `give` must follow, whatever happens."""
        await self._permits.acquire()
        try:
            return self._idle_one() or await self._connect()
        except BaseException:
            self._permits.release()
            raise

    def give(self, connection: Connection) -> None:
        """Take a connection back; it is kept only if nothing on it is left open."""
        if connection.pgconn.transaction_status == TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            connection.pgconn.finish()
        self._permits.release()

    def _idle_one(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if is_usable(connection):
                return connection
            connection.pgconn.finish()
        return None

    async def _connect(self) -> Connection:
        limited = self._limited  # another call may learn meanwhile that it is refused
        try:
            return await connect(self._options, limited=limited, prepares=self._prepares)
        except psycopg.OperationalError as exc:
            if not limited or not refuses_options(exc):
                raise
        self._limited = False
        return await connect(self._options, limited=False, prepares=self._prepares)

    def stop_preparing(self) -> None:
        """Go on with connections that prepare nothing: a pooler mixes them up."""
        self._prepares = False
        while self._idle:
            self._idle.pop().pgconn.finish()

    async def close(self) -> None:
        """Wait for what is in flight, then close all."""
        for _ in range(self._options.pool_size):
            await self._permits.acquire()
        while self._idle:
            self._idle.pop().pgconn.finish()


class Transaction:
    """Several statements of one call: a query opens a cursor, which is then read bit by bit.

    None is prepared: a call of several statements is not repeated when a pooler mixed them up.
    """

    def __init__(self, pool: Pool, connection: Connection, operation: str) -> None:
        self._pool = pool
        self._connection = connection
        self._operation = operation

    async def open_cursor(self, statement: str, arguments: Sequence[Any]) -> None:
        """Run a statement that takes the call's number first and opens a cursor."""
        self._number = self._pool.next_number()
        query = self._pool.render("{statement}", statement)
        await self._connection.execute(query, (self._number, *arguments), prepare=False)

    async def fetch_on(self, cursor_name: str, most: int) -> list[Row]:
        """Return the cursor's next rows; each begins with the number, which is checked."""
        query = f"FETCH {most} FROM {cursor_name}".encode()
        cursor = await self._connection.execute(query, prepare=False, binary=True)
        rows = await cursor.fetchall()
        if any(row[0] != self._number for row in rows):
            self._connection.pgconn.finish()
            raise _foreign_reply(self._operation)
        return rows


class Pool:
    """Connections for every event loop that uses the engine."""

    def __init__(self, options: Options) -> None:
        """Connect to nothing yet: each loop opens connections as it needs them."""
        self._options = options
        self._loops = PerLoop(self._open, _LoopPool.close)
        self._closed = False
        self._numbers = count(randbits(62))
        self._rendered: dict[tuple[str, str], bytes] = {}

    async def _open(self) -> _LoopPool:
        return _LoopPool(self._options)

    async def one(self, operation: str, statement: str, arguments: Sequence[Any]) -> Row:
        """Run a statement that gives exactly one row, and return it.

        Args:
            operation: What it is for, in errors.
            statement: A query with ``%b`` for arguments and ``{schema}`` for the schema.
            arguments: Bound by the driver.

        Raises:
            DaybookError: The driver's error, mapped; `StoreClosedError` after `close`.
        """
        rows = await self._run(operation, _ONE_ROW, statement, arguments)
        return rows[0]

    async def fetch(
        self, operation: str, statement: str, arguments: Sequence[Any] = ()
    ) -> list[Row]:
        """Run a statement and return its rows; as `one`, but for any number of rows."""
        return [row[:-2] for row in await self.fetch_marked(operation, statement, arguments)]

    async def fetch_marked(
        self, operation: str, statement: str, arguments: Sequence[Any] = ()
    ) -> list[Row]:
        """Do what `fetch` does; each row keeps two more columns, which belong to the pool.

        Taking them off ten thousand rows takes longer than some of them are worth.
        """
        rows = await self._run(operation, _ANY_ROWS, statement, arguments)
        return rows if rows[0][-2] else []

    async def _run(
        self, operation: str, wrapper: str, statement: str, arguments: Sequence[Any]
    ) -> list[Row]:
        query = self.render(wrapper, statement)
        async with deadline(self._options.timeout_s, engine=ENGINE, operation=operation):
            pool = await self._pool(operation)
            for attempt in range(_MOST_ATTEMPTS):
                with map_errors(operation):
                    connection = await pool.take()
                    try:
                        return await self._ask(connection, operation, query, arguments)
                    except psycopg.Error as exc:
                        if is_unprepared(exc):
                            connection.pgconn.finish()
                            pool.stop_preparing()
                        elif not is_raced(exc) or attempt == _MOST_ATTEMPTS - 1:
                            raise
                    finally:
                        pool.give(connection)
                pause = min(0.001 * 2**attempt, _LONGEST_PAUSE_S)
                await asyncio.sleep(pause * random.random())  # noqa: S311 - jitter
        raise AssertionError("the last attempt returns or raises")

    async def _ask(
        self, connection: Connection, operation: str, query: bytes, arguments: Sequence[Any]
    ) -> list[Row]:
        """Run a query and check that the reply is its own."""
        number = self.next_number()
        cursor = await connection.execute(query, (number, *arguments), binary=True)
        rows = await cursor.fetchall()
        if rows and rows[0][-1] == rows[-1][-1] == number:
            return rows
        connection.pgconn.finish()
        raise _foreign_reply(operation)

    @asynccontextmanager
    async def transaction(self, operation: str) -> AsyncIterator[Transaction]:
        """Lend a connection for several statements in one transaction, within one deadline."""
        async with deadline(self._options.timeout_s, engine=ENGINE, operation=operation):
            with map_errors(operation):
                pool = await self._pool(operation)
                connection = await pool.take()
                try:
                    async with connection.transaction():
                        yield Transaction(self, connection, operation)
                finally:
                    pool.give(connection)

    async def _pool(self, operation: str) -> _LoopPool:
        if self._closed:
            raise _closed(operation)
        pool = await self._loops.get()
        if self._closed:  # meanwhile
            raise _closed(operation)
        return pool

    def render(self, wrapper: str, statement: str) -> bytes:
        """Return a statement inside its wrapper, for the installation's schema."""
        rendered = self._rendered.get((wrapper, statement))
        if rendered is None:
            inner = statement.replace("{schema}", self._options.schema)
            rendered = wrapper.replace("{statement}", inner).encode()
            self._rendered[wrapper, statement] = rendered
        return rendered

    def next_number(self) -> int:
        """Return the number that marks a call and its reply."""
        return next(self._numbers)

    async def close(self) -> None:
        """Let calls in flight finish, refuse new ones, close everything. Repeatable."""
        self._closed = True
        await self._loops.close()


def _foreign_reply(operation: str) -> StoreUnavailableError:
    return StoreUnavailableError(
        "the reply belonged to another call and was thrown away, with the connection; retry",
        engine=ENGINE,
        operation=operation,
    )


def _closed(operation: str) -> StoreClosedError:
    return StoreClosedError(
        "the engine is closed: open it again", engine=ENGINE, operation=operation
    )
