"""A TCP proxy in a thread of its own whose faults are switched while it runs.

    with fault_proxy(server.port) as proxy:
        client = connect(proxy.url(server.url))
        proxy.faults = Faults(latency_s=0.2)
        proxy.faults = Faults(cut=Cut(request_contains=b"COMMIT"))   # done, and nobody hears of it
        with proxy.partition():
            ...

A client that asks the server for its address goes past the proxy: use MongoDB with
``directConnection=true``; a Redis Cluster tells its nodes' own ports.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.servers.launch import HOST, free_port

Result = TypeVar("Result")
_CHUNK = 65_536
_CALL_LIMIT_S = 60.0
_BACKLOG = 128


@dataclass(frozen=True, kw_only=True)
class Cut:
    """When to break a connection in the middle of a reply.

    Attributes:
        request_contains: Only replies to requests with these bytes; the server has got the
            request whole. Empty: the next reply.
        after_bytes: How much of the reply the client still gets; 0 drops all of it.
        reset: End with RST, which a client sees as an error; else with FIN.
        times: How many connections to break before all is well again; None for no end.
    """

    request_contains: bytes = b""
    after_bytes: int = 0
    reset: bool = True
    times: int | None = None


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What is wrong with the network; the default is nothing.

    Attributes:
        latency_s: How much later every byte arrives, in each direction.
        jitter_s: How much more than that at most, by chance; order is kept.
        slice_bytes: The most that arrives at once.
        bytes_per_second: The most that arrives in a second, in each direction of a connection.
        silent: Half-open: connections are accepted and read, nothing is passed on or answered.
        refuse: New connections are reset at once.
        cut: When to break a connection in the middle of a reply.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    slice_bytes: int | None = None
    bytes_per_second: float | None = None
    silent: bool = False
    refuse: bool = False
    cut: Cut | None = None


NO_FAULTS = Faults()


class FaultProxy:
    """Stands before a server; made by `fault_proxy`. Every method may be called from any thread."""

    def __init__(self, target_port: int, *, seed: int = 0) -> None:
        self._listener = _bound()
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.cuts = 0
        self._target_port = target_port
        self._faults = NO_FAULTS
        self._cuts_left: int | None = None
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy")
        self._flowing = asyncio.Event()
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._fillers: list[socket.socket] = []
        self._filler_ports: set[int] = set()

    @property
    def faults(self) -> Faults:
        """What is wrong at present."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        """Change it for all that passes from now on, on connections old and new."""

        async def change() -> None:
            self._faults = faults
            self._cuts_left = faults.cut.times if faults.cut else None
            for link in self._links:
                link.forget_request()

        self._call(change())

    @contextmanager
    def faulty(self, faults: Faults) -> Iterator[None]:
        """Have these faults for the length of a block and none after it."""
        self.faults = faults
        try:
            yield
        finally:
            self.faults = NO_FAULTS

    def url(self, url: str) -> str:
        """Return a server's URL with the proxy's port in place of the server's."""
        server = f"{HOST}:{self._target_port}"
        if server not in url:
            raise ValueError(f"{url} does not lead to {server}")
        return url.replace(server, f"{HOST}:{self.port}")

    @contextmanager
    def partition(self) -> Iterator[None]:
        """Part client and server for the length of a block, then deliver what was held back.

        On open connections nothing arrives and nothing fails; a new connection's SYN is not
        answered. The kernel sends that anew after 1 s, 3 s, 7 s, so after the block a client
        that was connecting waits up to that long.
        """
        self._call(self._part())
        try:
            yield
        finally:
            self._call(self._heal())

    def partition_for(self, seconds: float) -> None:
        """Part client and server now and heal it after so many seconds; returns at once."""

        async def part() -> None:
            await self._part()
            self._keep(self._heal_later(seconds))

        self._call(part())

    def reset_all(self) -> int:
        """Break every open connection with RST and return how many there were."""

        async def reset() -> int:
            links = list(self._links)
            for link in links:
                link.end(reset=True)
            self._links.clear()
            return len(links)

        return self._call(reset())

    # ------------------------------------------------------------------------------- lifetime

    def start(self) -> None:
        """Listen; for `fault_proxy`."""
        self._listener.setblocking(False)
        self._listener.listen(_BACKLOG)
        self._thread.start()
        self._call(self._heal())

    def close(self) -> None:
        """Break all connections and end the thread; for `fault_proxy`."""
        self._call(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_LIMIT_S)
        self._loop.close()
        self._listener.close()

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_LIMIT_S)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _shut(self) -> None:
        self._loop.remove_reader(self._listener)
        self._drop_fillers()
        for link in list(self._links):
            link.end(reset=True, wait=False)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --------------------------------------------------------------------------- connections

    def _accept(self) -> None:
        try:
            client, address = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):  # it has gone again
            return
        if address[1] in self._filler_ports or self._faults.refuse:
            self._filler_ports.discard(address[1])
            _reset(client)
            return
        self.connections += 1
        client.setblocking(False)
        # asyncio does so for connections that it opens, not for those it is handed.
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._keep(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        link = await self._linked(client)
        if link is None:
            return
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)
            link.end(reset=False)

    async def _linked(self, client: socket.socket) -> _Link | None:
        """Connect a client to the server; part from it, and leave nothing open, if that fails."""
        server: _Stream | None = None
        try:
            server = await asyncio.open_connection(HOST, self._target_port)
            return _Link(self, await asyncio.open_connection(sock=client), server)
        except BaseException as exc:
            _reset(client)
            if server is not None:
                server[1].transport.abort()
            if not isinstance(exc, OSError):  # the proxy is closed
                raise
            return None

    async def _part(self) -> None:
        self._flowing.clear()
        self._loop.remove_reader(self._listener)
        # The kernel leaves a SYN unanswered while a listener's queue is full: make it as short
        # as it goes and fill it.
        self._listener.listen(0)
        while await self._fill():
            pass

    async def _fill(self) -> bool:
        """Take one more place in the queue and tell whether there was one."""
        filler = socket.socket()
        filler.setblocking(False)
        self._fillers.append(filler)
        try:
            await asyncio.wait_for(self._loop.sock_connect(filler, (HOST, self.port)), 0.1)
        except TimeoutError:
            if not _is_connected(filler):  # else it is this thread that was late
                return False
        self._filler_ports.add(filler.getsockname()[1])
        return True

    async def _heal_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._heal()

    async def _heal(self) -> None:
        self._drop_fillers()
        self._listener.listen(_BACKLOG)
        self._flowing.set()
        self._loop.add_reader(self._listener, self._accept)

    def _drop_fillers(self) -> None:
        for filler in self._fillers:
            _reset(filler)
        self._fillers.clear()

    # ---------------------------------------------------------------------- what links ask for

    def delay_s(self) -> float:
        """Return how late the bytes that came just now are to arrive."""
        return self._faults.latency_s + self._random.uniform(0, self._faults.jitter_s)

    async def until_flowing(self) -> None:
        """Return when there is no partition."""
        await self._flowing.wait()

    def take_cut(self) -> bool:
        """Tell whether one more connection is to be broken, and count it."""
        if self._cuts_left == 0:
            return False
        if self._cuts_left is not None:
            self._cuts_left -= 1
        self.cuts += 1
        return True


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Late = asyncio.Queue[tuple[float, bytes]]


class _Link:
    """One client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy: FaultProxy, client: _Stream, server: _Stream) -> None:
        self._proxy = proxy
        self._client = client
        self._server = server
        self._request_tail = b""
        self._marked = False
        self._passed = 0
        self._ended = False

    async def run(self) -> None:
        """Pass bytes both ways until both ends have closed or one has broken."""
        ways = [
            asyncio.create_task(self._pass(self._client[0], self._server[1], self._note_request)),
            asyncio.create_task(self._pass(self._server[0], self._client[1], self._cut_reply)),
        ]
        try:
            await asyncio.gather(*ways)
        except OSError:
            await self._proxy.until_flowing()  # in a partition the other end learns nothing
            self.end(reset=True)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def end(self, *, reset: bool, wait: bool = True) -> None:
        """Close both connections, with RST towards the client if asked for.

        Without `wait`, what the server has not read yet is dropped: nobody is there to send it.
        """
        if self._ended:
            return
        self._ended = True
        if reset:
            _linger_not(self._client[1].get_extra_info("socket"))
            self._client[1].transport.abort()
        self._client[1].close()
        if not wait:
            self._server[1].transport.abort()
        self._server[1].close()

    def forget_request(self) -> None:
        """Begin to look for marked requests anew: the faults have changed."""
        self._request_tail = b""
        self._marked = False
        self._passed = 0

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        look: Callable[[bytes], bytes | None],
    ) -> None:
        late: _Late = asyncio.Queue()
        deliverer = asyncio.create_task(self._deliver(late, sink, look))
        try:
            while data := await source.read(_CHUNK):
                if not self._proxy.faults.silent:
                    arrival = asyncio.get_running_loop().time() + self._proxy.delay_s()
                    late.put_nowait((arrival, data))
            late.put_nowait((0.0, b""))
            await deliverer
        finally:
            deliverer.cancel()
            await asyncio.gather(deliverer, return_exceptions=True)

    async def _deliver(
        self, late: _Late, sink: asyncio.StreamWriter, look: Callable[[bytes], bytes | None]
    ) -> None:
        while True:
            arrival, data = await late.get()
            await asyncio.sleep(max(0.0, arrival - asyncio.get_running_loop().time()))
            await self._proxy.until_flowing()
            if not data:
                with suppress(OSError):
                    sink.write_eof()
                return
            passed = look(data)
            await self._write(sink, data if passed is None else passed)
            if passed is not None:
                cut = self._proxy.faults.cut
                self.end(reset=cut is None or cut.reset)
                return

    async def _write(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        faults = self._proxy.faults
        size = faults.slice_bytes or len(data) or 1
        if faults.bytes_per_second is not None:
            size = min(size, max(1, int(faults.bytes_per_second / 20)))
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            sink.write(piece)
            await sink.drain()
            pause = 0.0 if faults.bytes_per_second is None else len(piece) / faults.bytes_per_second
            await asyncio.sleep(pause)  # zero lets the piece go out by itself

    def _note_request(self, data: bytes) -> None:
        """Remember whether the request whose reply comes next is to be cut."""
        cut = self._proxy.faults.cut
        if cut is None or self._marked:
            return
        seen = self._request_tail + data
        self._marked = cut.request_contains in seen
        keep = len(cut.request_contains) - 1  # the mark may begin in one piece and end in the next
        self._request_tail = seen[-keep:] if keep > 0 else b""

    def _cut_reply(self, data: bytes) -> bytes | None:
        """Return what is left of a reply that is cut here, or None to pass it whole."""
        cut = self._proxy.faults.cut
        if cut is None or not self._marked:
            return None
        allowed = cut.after_bytes - self._passed
        if allowed >= len(data) and allowed > 0:
            self._passed += len(data)
            return None
        return data[: max(allowed, 0)] if self._proxy.take_cut() else None


def _bound() -> socket.socket:
    """Return a socket on a port of its own."""
    while True:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((HOST, free_port()))
        except OSError:  # somebody was quicker
            bound.close()
            continue
        return bound


def _is_connected(connection: socket.socket) -> bool:
    try:
        connection.getpeername()
    except OSError:
        return False
    return True


def _linger_not(connection: socket.socket | None) -> None:
    """Have a connection's close send RST and drop what is unsent."""
    if connection is not None:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _reset(connection: socket.socket) -> None:
    _linger_not(connection)
    connection.close()


@contextmanager
def fault_proxy(target_port: int, *, seed: int = 0) -> Iterator[FaultProxy]:
    """Run a proxy before a loopback port for the length of a block.

    Args:
        target_port: The server's port, which need not be there yet.
        seed: Where the jitter's chance begins.
    """
    proxy = FaultProxy(target_port, seed=seed)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()
