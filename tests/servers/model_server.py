"""A server that speaks the protocols of OpenAI, Anthropic and Ollama and does as its script says.

    with model_server() as server:
        server.script(Turn(fault="limited"), Turn())
        model = load_language_model(f"openai:any@{server.url}/v1")

It refuses what the real provider would refuse, keeps every request, and runs in a thread of its
own.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from daybook.testing.model_turn import Turn
from tests.servers import model_wire_anthropic, model_wire_ollama, model_wire_openai
from tests.servers.launch import HOST

_STATUS = {"invalid": 400, "limited": 429, "overloaded": 529}
_WAIT_LIMIT_S = 60.0


class WireModule(Protocol):
    """How one provider speaks."""

    PATH: str
    STREAM_TYPE: str

    def refusal(self, headers: Mapping[str, str], body: dict[str, Any]) -> str | None:
        """Return what is wrong with a request, or None."""
        ...

    def error(self, status: int, message: str) -> dict[str, Any]:
        """Return the body of an error."""
        ...

    def whole(self, turn: Turn, body: dict[str, Any]) -> dict[str, Any]:
        """Return a whole answer."""
        ...

    def stream(self, turn: Turn, body: dict[str, Any]) -> tuple[list[bytes], list[bytes]]:
        """Return a stream's events up to the first piece of text, and those after it."""
        ...

    def stream_error(self, message: str) -> bytes:
        """Return the event of a stream that fails."""
        ...

    def streams(self, body: dict[str, Any]) -> bool:
        """Tell whether a request asks for a stream."""
        ...


_WIRES: dict[str, WireModule] = {
    wire.PATH: wire for wire in (model_wire_openai, model_wire_anthropic, model_wire_ollama)
}


@dataclass(frozen=True)
class Recorded:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


class ModelServer:
    """Made by `model_server`; its methods may be called from any thread.

    Attributes:
        url: Where it listens, without a path.
        requests: What was asked so far, refused requests included.
        gone: Set when a client leaves while it waits for an answer.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Recorded] = []
        self.gone = threading.Event()
        self._turns: list[Turn] = [Turn()]
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="model-server")
        self._tasks: set[asyncio.Task[Any]] = set()

    def script(self, *turns: Turn) -> None:
        """Do these turns from now on, one a call, the last again and again."""
        with self._lock:
            self._turns = list(turns)
        self.requests.clear()
        self.gone.clear()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the requests so far."""
        return [request.body for request in self.requests]

    # ------------------------------------------------------------------------------- lifetime

    def start(self) -> None:
        """Listen; for `model_server`."""
        self._thread.start()
        listening = asyncio.run_coroutine_threadsafe(self._listen(), self._loop)
        self.url = f"http://{HOST}:{listening.result(_WAIT_LIMIT_S)}"

    def stop(self) -> None:
        """Break all connections and end the thread; for `model_server`."""
        asyncio.run_coroutine_threadsafe(self._shut(), self._loop).result(_WAIT_LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_WAIT_LIMIT_S)
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _shut(self) -> None:
        self._server.close()
        here = asyncio.current_task()
        # A client may have come just now: its connection is served before it can be broken.
        while others := asyncio.all_tasks() - {here}:
            await asyncio.sleep(0)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    # ---------------------------------------------------------------------------- connections

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while (request := await _request(reader)) is not None:
                self.requests.append(request)
                if not await self._answer(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _answer(
        self, request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Do the next turn; tell whether the connection goes on."""
        wire = _WIRES.get(request.path)
        if wire is None:
            return await _send(writer, 404, {"error": "no such path"})
        wrong = wire.refusal(request.headers, request.body)
        if wrong is not None:
            return await _send(writer, 400, wire.error(400, wrong))
        with self._lock:
            turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
        if turn.fault in _STATUS:
            status = _STATUS[turn.fault]
            # As real ones may, it says again what it was sent.
            message = json.dumps([request.body, dict(request.headers)])
            waits = {"retry-after": "7"} if turn.fault == "limited" else {}
            return await _send(writer, status, wire.error(status, message), waits)
        if turn.fault == "silent":
            return await self._until_gone(reader)
        if turn.echo:
            turn = Turn(pieces=(_last_user_text(request.body),))
        if wire.streams(request.body):
            return await self._stream(wire, turn, request.body, reader, writer)
        return await self._whole(wire, turn, request.body, reader, writer)

    async def _whole(
        self,
        wire: WireModule,
        turn: Turn,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        answer = json.dumps(wire.whole(turn, body)).encode()
        if turn.fault == "stalled":
            return await self._until_gone(reader)
        if turn.fault == "failing":
            return await _send(writer, 500, wire.error(500, "".join(turn.pieces)))
        if turn.fault == "garbled":
            answer = answer[: len(answer) // 2]
        length = len(answer) + (turn.fault in ("cut", "unfinished"))
        writer.write(_head(200, {"content-type": "application/json", "content-length": length}))
        writer.write(answer)
        await writer.drain()
        if turn.fault in ("cut", "unfinished"):
            writer.transport.abort()
        return turn.fault not in ("cut", "unfinished")

    async def _stream(
        self,
        wire: WireModule,
        turn: Turn,
        body: dict[str, Any],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        first, rest = wire.stream(turn, body)
        writer.write(_head(200, {"content-type": wire.STREAM_TYPE, "transfer-encoding": "chunked"}))
        for event in first:
            writer.write(_chunk(event))
        await writer.drain()
        if turn.fault == "stalled":
            return await self._until_gone(reader)
        if turn.fault == "cut":
            await asyncio.sleep(0)
            writer.transport.abort()
            return False
        if turn.fault == "failing":
            rest = [wire.stream_error("".join(turn.pieces))]
        elif turn.fault == "garbled":
            rest = [b"event: message_delta\ndata: {not json\n\n"]
        elif turn.fault == "unfinished":
            rest = []
        for event in rest:
            writer.write(_chunk(event))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def _until_gone(self, reader: asyncio.StreamReader) -> bool:
        with suppress(ConnectionError):
            await reader.read(1)
        self.gone.set()
        return False


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Run a server on a free port for the length of a block."""
    server = ModelServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def _request(reader: asyncio.StreamReader) -> Recorded | None:
    """Read one request, or None if the client has left."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    raw = await reader.readexactly(int(headers.get("content-length", "0")))
    return Recorded(first.split(" ")[1], headers, json.loads(raw))


async def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: dict[str, Any],
    headers: Mapping[str, str] | None = None,
) -> bool:
    raw = json.dumps(body).encode()
    fixed = {"content-type": "application/json", "content-length": len(raw)}
    writer.write(_head(status, {**fixed, **(headers or {})}) + raw)
    await writer.drain()
    return True


def _head(status: int, headers: Mapping[str, object]) -> bytes:
    lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _last_user_text(body: dict[str, Any]) -> str:
    content = body["messages"][-1]["content"]
    if isinstance(content, str):
        return content
    text: str = content[-1]["text"]
    return text
