"""One connection to the server, whose late replies can reach nobody."""

from __future__ import annotations

import select
from collections.abc import Generator
from secrets import randbits
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus
from psycopg.waiting import wait_async

from daybook.engines.postgresql.binary_arrays import register
from daybook.engines.postgresql.options import Options

__all__ = ["Connection", "connect", "is_usable", "refuses_options"]

T = TypeVar("T")

_COMES_AGAIN = 2  # statements that ran so often are prepared


class Connection(AsyncConnection[tuple[Any, ...]]):
    """A connection that is given up at once when the call that uses it is cancelled.

    The driver itself would ask the server to stop and wait for its answer, which on a half-open
    connection never comes. Here nobody waits: the statement's outcome is unknown, the pool closes
    the connection, and the server ends what it cannot deliver after its own time limit.
    """

    async def wait(
        self,
        gen: Generator[Any, Any, T],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109 - the driver's own signature
    ) -> T:
        """Run one of the driver's generators; a cancellation passes through at once."""
        return await wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)

    def __del__(self, *_: object) -> None:
        """Close the socket of an event loop that ended without closing its clients."""
        if hasattr(self, "pgconn"):
            self.pgconn.finish()


async def connect(options: Options, *, limited: bool = True, prepares: bool = False) -> Connection:
    """Open a connection in autocommit mode: every statement is a transaction of its own.

    Args:
        options: Where.
        limited: Ask the server to end statements after `options.timeout_s`; some poolers refuse.
        prepares: Prepare statements that come again, which halves what they cost the server. Where
            a pooler gives each transaction another server connection, they are missed there.
    """
    settings = dict(options.connection)
    if limited:
        settings["options"] = f"-c statement_timeout={int(options.timeout_s * 1000)}"
    connection = await Connection.connect(
        **settings,
        autocommit=True,
        prepare_threshold=_COMES_AGAIN if prepares else None,
        connect_timeout=max(2, round(options.connect_timeout_s)),
        client_encoding="utf8",
        fallback_application_name="daybook",
    )
    register(connection)
    # Behind a pooler another program may have prepared something under the driver's first names.
    connection._prepared._prepared_idx = randbits(48)  # noqa: SLF001 - there is no other way
    return connection


def is_usable(connection: Connection) -> bool:
    """Tell whether an idle connection can be used: open, in no transaction, nothing unread.

    An idle connection has nothing to say, so something to read means that the server ended it.
    """
    if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
        return False
    return not _has_news(connection.pgconn.socket)


def _has_news(socket: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([socket], [], [], 0)[0])
    poll = select.poll()
    poll.register(socket, select.POLLIN | select.POLLHUP | select.POLLERR)
    return bool(poll.poll(0))


def refuses_options(error: psycopg.Error) -> bool:
    """Tell whether a connection failed because a pooler takes no ``options``."""
    return error.sqlstate == "08P01" or "unsupported startup parameter" in str(error)
