"""A transaction pooler: every transaction gets the server connection that rested longest.

It is nastier than a real one, which often gives a client the connection it had before: here two
transactions in a row never share one, if there are two. Like pgbouncer it takes no ``options`` and
knows nothing of prepared statements. It also counts round trips. For servers without passwords.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Message = tuple[bytes, bytes]  # its kind, and its body

_HEAD = struct.Struct("!cI")
_ASKS_FOR_ENCRYPTION = {80877103, 80877104}
_LEAVES, _QUERY, _SYNC = b"X", b"Q", b"S"
_ERROR, _READY, _AUTHENTICATION, _PARAMETER = b"E", b"Z", b"R", b"S"


@dataclass
class TransactionPooler:
    """Stands before a server; made by `transaction_pooler`.

    Attributes:
        host: Of the server.
        port: Of the server.
        servers: How many connections to it.
        round_trips: Replies that were waited for so far, by all clients.
        refused: Clients that came with ``options``.
        errors: SQLSTATEs that the server reported.
    """

    host: str
    port: int
    servers: int
    round_trips: int = 0
    refused: int = 0
    errors: list[str] = field(default_factory=list)
    _idle: asyncio.Queue[Stream] = field(default_factory=asyncio.Queue)
    _greeting: bytes = b""
    _startup: bytes = b""
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _clients: set[asyncio.Task[None]] = field(default_factory=set)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until it leaves."""
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            # Whoever cancels it is `close`, which waits for its end.
            with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                if await self._greet(reader, writer):
                    while await self._transaction(reader, writer):
                        pass
        finally:
            self._clients.discard(task)
            writer.close()

    async def close(self) -> None:
        """Part from clients and server."""
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        for writer in self._writers:
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Let a client in; the first one decides role and database."""
        startup = await _read_startup(reader)
        while int.from_bytes(startup[:4], "big") in _ASKS_FOR_ENCRYPTION:
            writer.write(b"N")
            startup = await _read_startup(reader)
        if b"\0options\0" in startup:
            self.refused += 1
            report = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
            writer.write(_packed(_ERROR, report))
            await writer.drain()
            return False
        if not self._startup:
            self._startup = startup
            for _ in range(self.servers):
                await self._connect()
        writer.write(self._greeting + _packed(_READY, b"I"))
        return True

    async def _connect(self) -> None:
        """Open one more connection to the server."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        self._writers.append(writer)
        writer.write(struct.pack("!I", len(self._startup) + 4) + self._startup)
        kept = b""
        kind, body = await _read_message(reader)
        while kind != _READY:
            assert kind != _ERROR, body
            if kind in {_AUTHENTICATION, _PARAMETER}:
                kept += _packed(kind, body)
            kind, body = await _read_message(reader)
        self._greeting = kept
        self._idle.put_nowait((reader, writer))

    async def _transaction(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Serve one transaction; tell whether the client stays."""
        kind, body = await _read_message(reader)
        if kind == _LEAVES:
            return False
        server_reader, server_writer = await self._idle.get()
        status = b"?"
        try:
            while True:
                server_writer.write(_packed(kind, body))
                if kind in {_QUERY, _SYNC}:
                    status = await self._reply(server_reader, writer)
                if status == b"I":
                    break
                kind, body = await _read_message(reader)
        finally:
            if status == b"I":
                self._idle.put_nowait((server_reader, server_writer))
            else:  # the client broke off: its transaction ends with the connection
                server_writer.close()
                await self._connect()
        return True

    async def _reply(self, server: asyncio.StreamReader, client: asyncio.StreamWriter) -> bytes:
        """Pass on a whole reply and return the transaction's status."""
        kind, body = b"", b""
        while kind != _READY:
            kind, body = await _read_message(server)
            if kind == _ERROR:
                fields = {one[:1]: one[1:] for one in body.split(b"\0")}
                self.errors.append(fields[b"C"].decode())
            client.write(_packed(kind, body))
        self.round_trips += 1
        await client.drain()
        return body


@asynccontextmanager
async def transaction_pooler(
    url: str, *, servers: int = 2
) -> AsyncIterator[tuple[TransactionPooler, str]]:
    """Run a pooler before a server; give it and the address that leads through it."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    pooler = TransactionPooler(parts.hostname, parts.port, servers)
    listener = await asyncio.start_server(pooler.accept, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    try:
        yield pooler, url.replace(f":{parts.port}", f":{port}", 1)
    finally:
        listener.close()
        await pooler.close()


async def _read_startup(reader: asyncio.StreamReader) -> bytes:
    length = int.from_bytes(await reader.readexactly(4), "big")
    return await reader.readexactly(length - 4)


async def _read_message(reader: asyncio.StreamReader) -> Message:
    kind, length = _HEAD.unpack(await reader.readexactly(_HEAD.size))
    return kind, await reader.readexactly(length - 4)


def _packed(kind: bytes, body: bytes) -> bytes:
    return _HEAD.pack(kind, len(body) + 4) + body
