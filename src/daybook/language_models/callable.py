"""Use any function that answers messages as a language model: for tests, and for the unusual."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any

from daybook.enginekit.in_thread import in_thread
from daybook.errors import ProviderError
from daybook.language_models.provider_errors import reading, timed_out
from daybook.language_models.reply_parts import NotAnAnswerError, Pieces, finished
from daybook.language_models.spec import check_timeout
from daybook.model.message import ContentPart, Message
from daybook.model.reply import ModelRequest, Reply

__all__ = ["Answer", "AnswerFunction", "CallableModel"]

# Text, a message of role assistant, a whole reply, or an iterator of pieces of text whose last
# element may be a whole reply.
Answer = str | Message | Reply | Iterator[str | Reply] | AsyncIterator[str | Reply]
AnswerFunction = Callable[[tuple[Message, ...]], Answer | Awaitable[Answer]]

_ENDED = object()


class CallableModel:
    """Wraps `messages -> answer`, sync or async, whole or in pieces, and checks what comes back.

    A sync function and a sync iterator run on worker threads; a thread cannot be stopped, so what
    is cancelled there runs on unheard. What the function raises becomes a `ProviderError` with
    its error as the cause, unless it is one already.

    Example:
        >>> def shout(messages: tuple[Message, ...]) -> str:
        ...     return messages[-1].text.upper()
        >>> model = CallableModel(shout, id="shout-1")
        >>> request = ModelRequest(messages=(Message.user("hello"),))
        >>> asyncio.run(model.generate(request)).message.text
        'HELLO'
    """

    def __init__(
        self,
        function: AnswerFunction,
        *,
        id: str | None = None,  # noqa: A002 - the protocol's own word
        timeout_s: float = 300.0,
    ) -> None:
        """Take the function.

        Args:
            function: Gets the messages of a request.
            id: Name and version; by default ``callable:`` and the function's module and name.
            timeout_s: Longest wait in one call.

        Raises:
            ConfigError: `timeout_s` is no number above 0.
        """
        name = getattr(function, "__qualname__", type(function).__name__)
        module = getattr(function, "__module__", type(function).__module__)
        self._function = function
        self._id = id or f"callable:{module}.{name}"
        self._timeout_s = check_timeout("callable", timeout_s)

    @property
    def id(self) -> str:
        """Name and version."""
        return self._id

    async def generate(self, request: ModelRequest) -> Reply:
        """Return the whole answer; see `LanguageModel.generate`."""
        async with aclosing(self.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Reply):
                    return piece
        raise AssertionError("a stream ends with a reply")  # pragma: no cover

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Yield pieces, then the answer; see `LanguageModel.stream`."""
        limit = _Limit(self._id, self._timeout_s)
        answer = await limit.wait(lambda: self._call(request.messages))
        if isinstance(answer, str | Message | Reply):
            reply = self._checked(answer)
            if reply.message.text:
                yield reply.message.text
            yield reply
            return
        with reading(self._id):
            elements = _elements(answer)
        collected = Pieces(), list[str]()
        async with aclosing(elements):
            while (element := await limit.wait(lambda: anext(elements, _ENDED))) is not _ENDED:
                if isinstance(element, Reply):
                    yield self._checked(element)
                    return
                with reading(self._id):
                    piece = _piece(element, *collected)
                if piece:
                    yield piece
        yield self._checked("".join(collected[1]))

    async def close(self) -> None:
        """Do nothing: the function belongs to its maker."""

    async def _call(self, messages: tuple[Message, ...]) -> Any:
        if _runs_at_once(self._function):
            answer: Any = self._function(messages)
        else:
            answer = await in_thread(self._function, messages)
        return await answer if inspect.isawaitable(answer) else answer

    def _checked(self, answer: str | Message | Reply) -> Reply:
        """Return a whole reply; one that came as such is checked and left as it is."""
        with reading(self._id):
            if isinstance(answer, str):
                parts = [ContentPart("text", answer)]
                return finished(parts, (), model=self._id, finish_reason="stop", usage=None)
            reply = answer if isinstance(answer, Reply) else _reply(answer, self._id)
            message = reply.message
            if message.role != "assistant":
                raise NotAnAnswerError("the function answered with a message of another role")
            if reply.finish_reason == "stop" and not (message.content or message.tool_calls):
                raise NotAnAnswerError("the answer is empty")
        return reply


class _Limit:
    """Lets the waits of one call take so long in sum, and names what a function raised."""

    def __init__(self, provider: str, seconds: float) -> None:
        self._provider = provider
        self._seconds = seconds
        self._waited = 0.0

    async def wait(self, what: Callable[[], Awaitable[Any]]) -> Any:
        clock = asyncio.get_running_loop().time
        began = clock()
        limit = asyncio.timeout(self._seconds - self._waited)
        try:
            async with limit:
                return await what()
        except ProviderError:
            raise
        except Exception as exc:
            if limit.expired():
                raise timed_out(self._provider, self._seconds) from None
            raise ProviderError(
                f"the function raised {type(exc).__name__}", provider=self._provider
            ) from exc
        finally:
            self._waited += clock() - began


def _reply(message: Message, model: str) -> Reply:
    return Reply(
        message=message, model=model, finish_reason="tool_calls" if message.tool_calls else "stop"
    )


def _piece(element: Any, pieces: Pieces, texts: list[str]) -> str | None:
    if not isinstance(element, str):
        raise NotAnAnswerError("the function yielded something other than text")
    texts.append(element)
    return pieces.piece(element, None)


def _elements(answer: Any) -> AsyncGenerator[Any]:
    """Return a generator of what an iterator of either kind yields; it closes it at the end."""
    if isinstance(answer, AsyncIterator):
        return _awaited(answer)
    if isinstance(answer, Iterator):
        return _in_threads(answer)
    raise NotAnAnswerError("the function returned neither text, a message nor a reply")


async def _awaited(answer: AsyncIterator[Any]) -> AsyncGenerator[Any]:
    try:
        async for element in answer:
            yield element
    finally:
        if isinstance(answer, AsyncGenerator):
            await answer.aclose()


async def _in_threads(answer: Iterator[Any]) -> AsyncGenerator[Any]:
    try:
        while (element := await in_thread(next, answer, _ENDED)) is not _ENDED:
            yield element
    finally:
        # One that still runs in its thread cannot be closed, and goes on unheard.
        with suppress(ValueError):
            await in_thread(getattr(answer, "close", lambda: None))


def _runs_at_once(function: Any) -> bool:
    """Tell whether calling the function only makes a coroutine or a generator."""
    for made in (function, getattr(function, "__call__", None)):  # noqa: B004 - its kind matters
        if (
            inspect.iscoroutinefunction(made)
            or inspect.isasyncgenfunction(made)
            or inspect.isgeneratorfunction(made)
        ):
            return True
    return False
