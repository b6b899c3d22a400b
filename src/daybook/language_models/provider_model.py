"""How every provider is called: one timeout, one mapping of errors, streams that always end.

A provider is a `Wire`: it sends, and reads what came. Whatever it needs is opened on first use, for
each event loop its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic, Protocol, TypeVar

from daybook.language_models.provider_errors import calling, reading, timed_out
from daybook.model.reply import ModelRequest, Reply

__all__ = ["Assembler", "ProviderModel", "Wire"]

A = TypeVar("A")
E = TypeVar("E")
E_contra = TypeVar("E_contra", contravariant=True)


class _Ended:
    """Stands for the end of a stream."""


_ENDED = _Ended()


class Assembler(Protocol[E_contra]):
    """Puts the events of one stream together."""

    def add(self, event: E_contra) -> str | None:
        """Take the next event; return the piece of text that it brought."""
        ...

    def reply(self) -> Reply:
        """Return the whole answer; raises `NotAnAnswerError` if the stream broke off before."""
        ...


class Wire(Protocol[A, E]):
    """One provider: how it is asked, and how its answers are read."""

    async def ask(self, request: ModelRequest) -> A:
        """Send a request and return the whole answer, unread."""
        ...

    def events(self, request: ModelRequest) -> AsyncGenerator[E]:
        """Send a request and yield the answer's events; closing it closes the connection."""
        ...

    def read(self, answer: A) -> Reply:
        """Read a whole answer."""
        ...

    def assembler(self) -> Assembler[E]:
        """Return what reads one stream."""
        ...

    async def close(self) -> None:
        """Close connections. Repeatable."""
        ...


class ProviderModel(Generic[A, E]):
    """A `LanguageModel` around a wire."""

    def __init__(self, wire: Wire[A, E], *, id: str, provider: str, timeout_s: float) -> None:  # noqa: A002 - the protocol's own word
        """Take the wire.

        Args:
            wire: Talks to the provider.
            id: Provider and model.
            provider: What errors name.
            timeout_s: Longest wait for the provider in one call, in sum; the time that a stream's
                reader takes for itself does not count.
        """
        self._wire = wire
        self._id = id
        self._provider = provider
        self._timeout_s = timeout_s

    @property
    def id(self) -> str:
        """Provider and model."""
        return self._id

    async def generate(self, request: ModelRequest) -> Reply:
        """Return the whole answer; see `LanguageModel.generate`."""
        try:
            async with asyncio.timeout(self._timeout_s):
                with calling(self._provider):
                    answer = await self._wire.ask(request)
        except TimeoutError:
            raise timed_out(self._provider, self._timeout_s) from None
        with reading(self._provider):
            return self._wire.read(answer)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Yield pieces, then the answer; see `LanguageModel.stream`."""
        assembler = self._wire.assembler()
        async with aclosing(self._wire.events(request)) as events:
            waited = 0.0
            while True:
                began = asyncio.get_running_loop().time()
                event = await self._next(events, self._timeout_s - waited)
                if isinstance(event, _Ended):
                    break
                waited += asyncio.get_running_loop().time() - began
                with reading(self._provider):
                    piece = assembler.add(event)
                if piece:
                    yield piece
        with reading(self._provider):
            reply = assembler.reply()
        yield reply

    async def _next(self, events: AsyncGenerator[E], seconds: float) -> E | _Ended:
        """Return the next event; the limit stands around this wait alone, never the reader's."""
        try:
            async with asyncio.timeout(seconds):
                with calling(self._provider):
                    return await anext(events, _ENDED)
        except TimeoutError:
            raise timed_out(self._provider, self._timeout_s) from None

    async def close(self) -> None:
        """Close connections. Repeatable."""
        await self._wire.close()
