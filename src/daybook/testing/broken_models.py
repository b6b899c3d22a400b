"""Language models that break one promise each: the contract must convict every one of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from msgspec.structs import replace

from daybook.errors import ProviderError
from daybook.model.message import Message
from daybook.model.reply import ModelRequest, Reply
from daybook.protocols.language_model import LanguageModel

__all__ = ["BROKEN_MODELS", "Passing"]


class Passing:
    """Passes everything on, soundly."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    @property
    def id(self) -> str:
        """The wrapped model's."""
        return self._model.id

    async def generate(self, request: ModelRequest) -> Reply:
        """Pass on."""
        return await self._model.generate(request)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Pass on."""
        async with aclosing(self._model.stream(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def close(self) -> None:
        """Pass on."""
        await self._model.close()


class EndsQuietly(Passing):
    """Takes a stream that breaks off for one that ended."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Hide the error and make a reply of what came."""
        text = ""
        try:
            async for piece in super().stream(request):
                text += piece if isinstance(piece, str) else ""
                yield piece
        except ProviderError:
            yield Reply(message=Message.assistant(text), model="m")


class SaysReplyTwice(Passing):
    """Ends a stream with two replies."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Repeat the reply."""
        async for piece in super().stream(request):
            yield piece
            if isinstance(piece, Reply):
                yield piece


class SwallowsLastPiece(Passing):
    """Loses the piece that came with the end."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Hold one piece back, and forget it."""
        held: str | None = None
        async for piece in super().stream(request):
            if isinstance(piece, Reply):
                yield piece
            else:
                if held is not None:
                    yield held
                held = piece


class MendsArguments(Passing):
    """Takes arguments that are no JSON for none."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Put an empty object in the place of raw text."""
        async for piece in super().stream(request):
            yield _mended(piece) if isinstance(piece, Reply) else piece


class TellsWords(Passing):
    """Repeats in its errors what was said."""

    async def generate(self, request: ModelRequest) -> Reply:
        """Raise with the text of the request."""
        try:
            return await super().generate(request)
        except ProviderError as exc:
            words = json.dumps([message.text for message in request.messages])
            raise ProviderError(words, provider="m", retryable=exc.retryable) from None


class AlwaysAgain(Passing):
    """Takes every failure for one that passes."""

    async def generate(self, request: ModelRequest) -> Reply:
        """Raise as retryable."""
        try:
            return await super().generate(request)
        except ProviderError as exc:
            exc.retryable = True
            raise


class CountsNothing(Passing):
    """Leaves out what the answer cost."""

    async def generate(self, request: ModelRequest) -> Reply:
        """Drop the usage."""
        reply = await super().generate(request)
        return replace(reply, message=replace(reply.message, usage=None))


class SwapsAnswers(Passing):
    """Keeps the request in a field of its own, where the next caller's overwrites it."""

    async def generate(self, request: ModelRequest) -> Reply:
        """Ask for what was asked last."""
        self._request = request
        await asyncio.sleep(0)
        return await super().generate(self._request)


class HidesCancelling(Passing):
    """Takes cancelling for the end of a stream."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """End quietly when cancelled."""
        with suppress(asyncio.CancelledError):
            async for piece in super().stream(request):
                yield piece
            return
        yield Reply(message=Message.assistant("cut"), model="m")


def _mended(reply: Reply) -> Reply:
    calls = tuple(
        replace(call, arguments={}) if isinstance(call.arguments, str) else call
        for call in reply.message.tool_calls
    )
    return replace(reply, message=replace(reply.message, tool_calls=calls))


# Each with a test of the contract that must convict it.
BROKEN_MODELS: dict[type[Passing], str] = {
    EndsQuietly: "test_a_stream_that_breaks_off_raises",
    SaysReplyTwice: "test_a_stream_is_the_answer_in_pieces",
    SwallowsLastPiece: "test_a_stream_is_the_answer_in_pieces",
    MendsArguments: "test_arguments_that_are_no_json_stay_as_they_came",
    TellsWords: "test_errors_hold_no_words_and_no_keys",
    AlwaysAgain: "test_a_refusal_says_whether_to_come_again",
    CountsNothing: "test_an_answer",
    SwapsAnswers: "test_fifty_callers_at_once_get_their_own_answers",
    HidesCancelling: "test_a_cancelled_call_ends_as_such",
}
