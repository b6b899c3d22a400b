"""Connections to one server: taken for one exchange at a time, dropped if it was cut short.

Much smaller than redis-py's pool, and stricter: a connection whose exchange was cancelled, timed
out or failed is never used again, so no late reply can reach another call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.exceptions import ConnectionError as DriverConnectionError
from redis.exceptions import RedisError, ResponseError

from daybook.engines.redis.address import Address
from daybook.engines.redis.driver_errors import WrongReplyError

__all__ = ["Command", "NodeConnections", "NotSentError"]

Command = Sequence[bytes | int | str]


class NotSentError(Exception):
    """No connection could be made, so the server has seen nothing of the call."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


class NodeConnections:
    """Connections of one event loop to one server."""

    def __init__(self, address: Address, host: str, port: int) -> None:
        self.place = (host, port)
        self._address = address
        self._idle: list[AbstractConnection] = []
        self._allowed = asyncio.Semaphore(address.max_connections)
        self._closed = False

    async def exchange(
        self, commands: Sequence[Command], nonces: Sequence[bytes | None] = ()
    ) -> list[Any]:
        """Send commands at once and return their replies, error replies as exceptions.

        Args:
            commands: What to send.
            nonces: What each reply must begin with; None, or none at all, for any reply.

        Raises:
            NotSentError: No connection.
            WrongReplyError: A reply does not begin with its nonce: it belongs to another call.
            RedisError: The connection failed; the server may have done any of it.
        """
        async with self._allowed:
            connection = await self._take()
            whole = False
            try:
                packed: list[bytes] = []
                for command in commands:
                    packed += connection.pack_command(*command)
                await connection.send_packed_command(packed)
                replies = [await _read(connection) for _ in commands]
                _check(replies, nonces)
                whole = True
            finally:
                if whole and not self._closed:
                    self._idle.append(connection)
                else:
                    await connection.disconnect(nowait=True)
            return replies

    async def drop_idle(self) -> None:
        """Close every connection that is not in use."""
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    async def close(self) -> None:
        """Close what is idle now and the rest as it comes back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().disconnect()

    async def _take(self) -> AbstractConnection:
        while self._idle:
            connection = self._idle.pop()
            if await _is_usable(connection):
                return connection
            await connection.disconnect(nowait=True)
        connection = self._make()
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as exc:
            await connection.disconnect(nowait=True)
            raise NotSentError(exc) from exc
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    def _make(self) -> Connection:
        address = self._address
        host, port = self.place
        common: dict[str, Any] = {
            "host": host,
            "port": port,
            "db": address.db,
            "username": address.username,
            "password": address.password,
            "socket_timeout": None,
            "socket_connect_timeout": address.timeout_s,
            "socket_keepalive": True,
            "protocol": 2,
        }
        if not address.tls:
            return Connection(**common)
        return SSLConnection(
            **common,
            ssl_ca_certs=address.ca_file,
            ssl_certfile=address.cert_file,
            ssl_keyfile=address.key_file,
            ssl_cert_reqs="required",
            ssl_check_hostname=True,
        )


async def _read(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as exc:
        return exc


def _check(replies: list[Any], nonces: Sequence[bytes | None]) -> None:
    for reply, nonce in zip(replies, nonces, strict=False):
        if nonce is None or isinstance(reply, ResponseError):
            continue
        if not isinstance(reply, list) or not reply or reply[0] != nonce:
            raise WrongReplyError


async def _is_usable(connection: AbstractConnection) -> bool:
    """Tell whether the server neither closed an idle connection nor sent anything on it."""
    look = getattr(connection, "can_read", None) or connection.can_read_destructive
    try:
        return connection.is_connected and not await look()
    except (DriverConnectionError, OSError):
        return False
