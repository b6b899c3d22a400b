"""How a provider's official SDK is asked: a client for each event loop, bodies of our own making.

The SDKs of OpenAI and Anthropic come from one generator and take raw requests alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from typing import Any

from daybook.enginekit.per_loop import PerLoop
from daybook.model.reply import ModelRequest

__all__ = ["SdkWire"]


class SdkWire(ABC):
    """The half of a `daybook.language_models.provider_model.Wire` that sends."""

    def __init__(self, path: str, stream: type[Any], client: Callable[[], Any]) -> None:
        """Make the first event loop's client now, so that a missing key is noticed here.

        Args:
            path: What is posted to.
            stream: The SDK's class of streams.
            client: Makes a client.

        Raises:
            ConfigError: What `client` raises.
        """
        self._path = path
        self._stream = stream
        self._client = client
        self._spare: list[Any] = [client()]
        self._clients = PerLoop(self._open, _close)

    @abstractmethod
    def body(self, request: ModelRequest) -> dict[str, Any]:
        """Return what is posted for a whole answer."""

    def stream_body(self, request: ModelRequest) -> dict[str, Any]:
        """Return what is posted for a stream."""
        return {**self.body(request), "stream": True}

    async def ask(self, request: ModelRequest) -> Any:
        """Send a request and return the whole answer, unread."""
        body = self.body(request)
        client = await self._clients.get()
        return await client.post(self._path, body=body, cast_to=object)

    async def events(self, request: ModelRequest) -> AsyncGenerator[Any]:
        """Send a request and yield the answer's events; closing it closes the connection."""
        body = self.stream_body(request)
        client = await self._clients.get()
        stream = await client.post(
            self._path, body=body, cast_to=object, stream=True, stream_cls=self._stream
        )
        try:
            async for event in stream:
                yield event
        finally:
            await stream.close()

    async def close(self) -> None:
        """Close all connections. Repeatable."""
        await self._clients.close()
        while self._spare:
            await self._spare.pop().close()

    async def _open(self) -> Any:
        try:
            return self._spare.pop()
        except IndexError:
            return self._client()


async def _close(client: Any) -> None:
    await client.close()
