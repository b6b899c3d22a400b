"""The contract of `LanguageModel`: inherit `LanguageModelContract`, implement ``serving``."""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager, aclosing
from typing import ClassVar

import pytest

from daybook.errors import BadModelOutputError, ProviderError
from daybook.model.message import Message
from daybook.model.reply import FinishReason, ModelRequest, Reply, Tool
from daybook.protocols.language_model import LanguageModel
from daybook.testing.model_turn import Fault, ScriptedCall, Turn

__all__ = ["SECRET", "SPOKEN", "LanguageModelContract"]

SECRET = "sk-canary-8841f0"  # noqa: S105 - made up, to be looked for in errors
SPOKEN = "canary-words-2f9e"
REQUEST = ModelRequest(messages=(Message.system("Be brief."), Message.user(SPOKEN)))
WEATHER = Tool(
    name="weather",
    description="Tells the weather.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)
_CALL = ScriptedCall("call_1", "weather", '{"city": "Oslo", "days": 2}')
_RAW = '{"city": "Oslo", days'


class LanguageModelContract(ABC):
    """Every promise of `daybook.protocols.language_model`.

    Attributes:
        reports_usage: What tokens the provider reports reach the reply, prompt cache included.
        keeps_usage_details: The counts of the prompt cache do, too.
        makes_call_ids: The model's calls may come under ids of ours.
        takes_raw_arguments: The provider can send arguments that are no JSON.
        refuses: A refusal is told from an answer.
    """

    reports_usage: ClassVar[bool] = True
    keeps_usage_details: ClassVar[bool] = True
    makes_call_ids: ClassVar[bool] = False
    takes_raw_arguments: ClassVar[bool] = True
    refuses: ClassVar[bool] = True

    @abstractmethod
    def serving(
        self, *turns: Turn, patience_s: float = 30.0
    ) -> AbstractAsyncContextManager[LanguageModel]:
        """Return a model whose provider does these turns, one a call, the last again and again.

        Args:
            turns: What happens; a fault that the provider cannot have may be a similar one.
            patience_s: The model's timeout.

        The model's key, if there is one, is `SECRET`; it does not retry.
        """

    def test_an_answer(self) -> None:
        """Whole, from the assistant, with what it cost."""

        async def check() -> None:
            async with self.serving(Turn()) as model:
                reply = await model.generate(REQUEST)
            assert reply.message.role == "assistant"
            assert reply.message.content == "A fine answer."
            assert reply.finish_reason == "stop"
            assert reply.model
            assert model.id
            self._check_usage(reply)

        asyncio.run(check())

    def test_a_stream_is_the_answer_in_pieces(self) -> None:
        """Pieces, then one reply, the same as when asked for the whole."""

        async def check() -> None:
            async with self.serving(Turn()) as model:
                pieces, reply = await _streamed(model)
                whole = await model.generate(REQUEST)
            assert len(pieces) > 1
            assert "".join(pieces) == reply.message.text == "A fine answer."
            assert _essence(reply) == _essence(whole)
            self._check_usage(reply)

        asyncio.run(check())

    def test_calls_of_tools(self) -> None:
        """With text before them or none; two at once; arguments as an object."""

        async def check() -> None:
            other = ScriptedCall("call_2", "weather", "{}")
            request = ModelRequest(messages=REQUEST.messages, tools=(WEATHER,))
            for pieces in (("Let me", " look."), ()):
                turn = Turn(pieces=pieces, calls=(_CALL, other), finish="tool_calls")
                async with self.serving(turn) as model:
                    whole = await model.generate(request)
                    _, streamed = await _streamed(model, request)
                for reply in (whole, streamed):
                    calls = reply.message.tool_calls
                    assert reply.finish_reason == "tool_calls"
                    assert reply.message.text == "".join(pieces)
                    assert [call.name for call in calls] == ["weather", "weather"]
                    assert [call.arguments for call in calls] == [{"city": "Oslo", "days": 2}, {}]
                    assert len({call.id for call in calls}) == 2
                    assert self.makes_call_ids or [c.id for c in calls] == ["call_1", "call_2"]

        asyncio.run(check())

    def test_arguments_that_are_no_json_stay_as_they_came(self) -> None:
        """Neither dropped nor mended."""
        if not self.takes_raw_arguments:
            return

        async def check() -> None:
            request = ModelRequest(messages=REQUEST.messages, tools=(WEATHER,))
            for text in (_RAW, '{"city": "Oslo"', '["Oslo"]'):
                turn = Turn(pieces=(), calls=(ScriptedCall("call_1", "weather", text),))
                async with self.serving(turn) as model:
                    _, streamed = await _streamed(model, request)
                (call,) = streamed.message.tool_calls
                assert call.arguments == text

        asyncio.run(check())

    @pytest.mark.parametrize("finish", ["length", "refused"])
    def test_why_it_ended(self, finish: FinishReason) -> None:
        """A limit and a refusal are told from an end."""
        if finish == "refused" and not self.refuses:
            return

        async def check() -> None:
            async with self.serving(Turn(finish=finish)) as model:
                whole = await model.generate(REQUEST)
                _, streamed = await _streamed(model)
            assert [whole.finish_reason, streamed.finish_reason] == [finish, finish]
            assert whole.message.text == streamed.message.text == "A fine answer."

        asyncio.run(check())

    @pytest.mark.parametrize(
        ("fault", "retryable", "wait_s"),
        [("invalid", False, None), ("limited", True, 7.0), ("overloaded", True, None)],
    )
    def test_a_refusal_says_whether_to_come_again(
        self, fault: Fault, retryable: bool, wait_s: float | None
    ) -> None:
        """And when, if the provider said so."""
        for error in self._failures(Turn(fault=fault)):
            assert (error.retryable, error.retry_after_s) == (retryable, wait_s)

    def test_silence_ends_with_the_timeout(self) -> None:
        """A call that is never answered can be tried again."""
        for error in self._failures(Turn(fault="silent"), patience_s=0.1):
            assert error.retryable

    def test_a_stream_that_stalls_ends_with_the_timeout(self) -> None:
        """After what came."""
        pieces, error = self._broken_stream(Turn(fault="stalled"), patience_s=0.3)
        assert pieces in ([], ["A"])  # none on a machine that is too slow for it
        assert error.retryable

    @pytest.mark.parametrize("fault", ["cut", "unfinished", "failing"])
    def test_a_stream_that_breaks_off_raises(self, fault: Fault) -> None:
        """It never ends without a reply, and what came before stays."""
        pieces, error = self._broken_stream(Turn(fault=fault))
        assert pieces in ([], ["A"])  # a network may lose what was on its way
        assert error.retryable

    def test_what_is_no_answer_is_said_so(self) -> None:
        """What cannot be read, and what says nothing."""
        for turn in (Turn(fault="garbled"), Turn(pieces=())):
            for error in self._failures(turn):
                assert isinstance(error, BadModelOutputError)

    @pytest.mark.parametrize(
        "fault", ["invalid", "limited", "overloaded", "silent", "garbled", "cut", "failing"]
    )
    def test_errors_hold_no_words_and_no_keys(self, fault: Fault) -> None:
        """Neither what was said nor the key, in the error and all that is shown with it."""
        for error in self._failures(Turn(fault=fault, pieces=(SPOKEN, "more")), patience_s=0.3):
            shown = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
            assert SPOKEN not in shown
            assert SECRET not in shown

    def test_a_stream_may_be_left_early(self) -> None:
        """The model goes on serving."""

        async def check() -> None:
            async with self.serving(Turn(fault="stalled"), Turn()) as model:
                async with aclosing(model.stream(REQUEST)) as stream:
                    assert await anext(stream) == "A"
                assert (await model.generate(REQUEST)).message.text == "A fine answer."

        asyncio.run(check())

    def test_a_cancelled_call_ends_as_such(self) -> None:
        """Cancellation passes through, and the next call is answered."""

        async def check() -> None:
            async with self.serving(Turn(fault="stalled"), Turn(fault="stalled"), Turn()) as model:
                for _ in range(2):
                    began = asyncio.Event()

                    async def listen(began: asyncio.Event) -> None:
                        async with aclosing(model.stream(REQUEST)) as stream:
                            try:
                                await anext(stream)
                            finally:
                                began.set()
                            await anext(stream)

                    task = asyncio.ensure_future(listen(began))
                    await began.wait()
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                assert (await model.generate(REQUEST)).message.text == "A fine answer."

        asyncio.run(check())

    def test_fifty_callers_at_once_get_their_own_answers(self) -> None:
        """Calls do not mix, whole or streamed."""

        async def check() -> None:
            async with self.serving(Turn(echo=True)) as model:
                said = [f"caller {number}" for number in range(50)]
                requests = [ModelRequest(messages=(Message.user(text),)) for text in said]
                whole = await asyncio.gather(*(model.generate(one) for one in requests[:25]))
                parts = await asyncio.gather(*(_streamed(model, one) for one in requests[25:]))
            assert [reply.message.text for reply in whole] == said[:25]
            assert [reply.message.text for _, reply in parts] == said[25:]

        asyncio.run(check())

    def test_it_serves_several_event_loops(self) -> None:
        """At once, and one after another."""

        async def check() -> None:
            async with self.serving(Turn(echo=True)) as model:

                def elsewhere(text: str) -> list[str]:
                    request = ModelRequest(messages=(Message.user(text),))
                    return [asyncio.run(model.generate(request)).message.text for _ in range(2)]

                said = ["one", "two", "three"]
                here = await model.generate(ModelRequest(messages=(Message.user("here"),)))
                found = await asyncio.gather(*(asyncio.to_thread(elsewhere, x) for x in said))
            assert here.message.text == "here"
            assert found == [[text, text] for text in said]

        asyncio.run(check())

    def test_closing_twice_is_no_error(self) -> None:
        """Before the first call, and after one."""

        async def check() -> None:
            async with self.serving(Turn()) as model:
                await model.close()
            async with self.serving(Turn()) as model:
                await model.generate(REQUEST)
                await model.close()
                await model.close()

        asyncio.run(check())

    # ------------------------------------------------------------------------------- helpers

    def _check_usage(self, reply: Reply) -> None:
        if not self.reports_usage:
            return
        usage = reply.message.usage
        assert usage is not None
        assert (usage.input_tokens, usage.output_tokens) == (120, 30)
        if self.keeps_usage_details:
            assert usage.details["cached_tokens"] == 70
            assert usage.details["cache_write_tokens"] == 20

    def _failures(self, turn: Turn, *, patience_s: float = 30.0) -> list[ProviderError]:
        """Return what a whole call and a stream raise; each must raise."""

        async def fail() -> list[ProviderError]:
            async with self.serving(turn, patience_s=patience_s) as model:
                with pytest.raises(ProviderError) as whole:
                    await model.generate(REQUEST)
                with pytest.raises(ProviderError) as streamed:
                    await _streamed(model)
            return [whole.value, streamed.value]

        return asyncio.run(fail())

    def _broken_stream(
        self, turn: Turn, *, patience_s: float = 30.0
    ) -> tuple[list[str | Reply], ProviderError]:
        async def fail() -> tuple[list[str | Reply], ProviderError]:
            pieces: list[str | Reply] = []
            async with self.serving(turn, patience_s=patience_s) as model:
                with pytest.raises(ProviderError) as caught:
                    await _listen(model, pieces)
            return pieces, caught.value

        return asyncio.run(fail())


async def _listen(model: LanguageModel, pieces: list[str | Reply]) -> None:
    async with aclosing(model.stream(REQUEST)) as stream:
        async for piece in stream:
            pieces.append(piece)  # noqa: PERF401 - those that came before an error count


async def _streamed(
    model: LanguageModel, request: ModelRequest = REQUEST
) -> tuple[list[str], Reply]:
    """Return a stream's pieces and its reply, which must be its last element and the only one."""
    async with aclosing(model.stream(request)) as stream:
        found = [piece async for piece in stream]
    assert [isinstance(piece, Reply) for piece in found] == [*[False] * (len(found) - 1), True]
    *pieces, reply = found
    assert isinstance(reply, Reply)
    texts = [piece for piece in pieces if isinstance(piece, str)]
    assert "".join(texts) == reply.message.text
    return texts, reply


def _essence(reply: Reply) -> tuple[object, ...]:
    message = reply.message
    return message.content, message.usage, reply.model, reply.finish_reason
