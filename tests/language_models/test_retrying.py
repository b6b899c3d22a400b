"""What is retried, when, how often, and what ends it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from daybook.errors import BadModelOutputError, ConfigError, ProviderError
from daybook.language_models.retry_budget import RetryBudget
from daybook.language_models.retrying import RetryingModel, with_retries
from daybook.model.message import Message
from daybook.model.reply import ModelRequest, Reply

REQUEST = ModelRequest(messages=(Message.user("hello"),))
REPLY = Reply(message=Message.assistant("yes"), model="m")


def again(retry_after_s: float | None = None) -> ProviderError:
    return ProviderError("busy", provider="p", retryable=True, retry_after_s=retry_after_s)


class Flaky:
    """Fails as told, then answers."""

    id = "p:m"

    def __init__(self, *errors: Exception, pieces_first: int = 0) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.pieces_first = pieces_first

    async def generate(self, request: ModelRequest) -> Reply:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return REPLY

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        self.calls += 1
        for _ in range(self.pieces_first):
            yield "y"
        if self.errors:
            raise self.errors.pop(0)
        yield "yes"
        yield REPLY

    async def close(self) -> None:
        pass


class Time:
    """A clock that moves when someone waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def retrying(
    model: Flaky,
    time: Time,
    *,
    chance: float = 0.5,
    budget: RetryBudget | None = None,
    **more: float,
) -> RetryingModel:
    attempts = int(more.get("attempts", 4))
    return RetryingModel(
        model,
        attempts=attempts,
        deadline_s=more.get("deadline_s", 120.0),
        budget=budget,
        pause=time.pause,
        monotonic=time.monotonic,
        chance=lambda: chance,
    )


async def streamed(model: RetryingModel) -> list[str | Reply]:
    return [piece async for piece in model.stream(REQUEST)]


async def test_waits_double_and_are_random() -> None:
    for chance, waits in ((0.5, [0.25, 0.5, 1.0]), (0.0, [0.0, 0.0, 0.0])):
        time, model = Time(), Flaky(again(), again(), again())
        assert await retrying(model, time, chance=chance).generate(REQUEST) == REPLY
        assert time.waits == waits


async def test_waits_have_a_longest() -> None:
    time, model = Time(), Flaky(*[again()] * 9)
    await retrying(model, time, chance=1.0, attempts=10, deadline_s=1e6).generate(REQUEST)
    assert time.waits == [0.5, 1, 2, 4, 8, 16, 20, 20, 20]


async def test_the_wait_that_was_asked_for_is_kept() -> None:
    time, model = Time(), Flaky(again(7.0), again())
    await retrying(model, time).generate(REQUEST)
    assert time.waits == [7.0, 0.5]


@pytest.mark.parametrize(
    "error",
    [
        ProviderError("refused", provider="p"),
        BadModelOutputError("nonsense", provider="p"),
        ValueError("a bug"),
    ],
)
async def test_what_does_not_pass_is_raised_at_once(error: Exception) -> None:
    time, model = Time(), Flaky(error)
    with pytest.raises(type(error)):
        await retrying(model, time).generate(REQUEST)
    model.errors = [error]
    with pytest.raises(type(error)):
        await streamed(retrying(model, time))
    assert (model.calls, time.waits) == (2, [])


async def test_attempts_end() -> None:
    time, model = Time(), Flaky(*[again()] * 9)
    with pytest.raises(ProviderError, match="busy"):
        await retrying(model, time, attempts=3).generate(REQUEST)
    assert model.calls == 3


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    time, model = Time(), Flaky(again(50.0), again(50.0), again(50.0))
    with pytest.raises(ProviderError):
        await retrying(model, time, deadline_s=120.0).generate(REQUEST)
    assert time.waits == [50.0, 50.0]


async def test_a_stream_is_retried_before_its_first_piece_only() -> None:
    time, model = Time(), Flaky(again())
    assert await streamed(retrying(model, time)) == ["yes", REPLY]
    assert (model.calls, len(time.waits)) == (2, 1)

    model = Flaky(again(), pieces_first=1)
    stream = retrying(model, time).stream(REQUEST)
    assert await anext(stream) == "y"
    with pytest.raises(ProviderError):
        await anext(stream)
    assert model.calls == 1


async def test_an_outage_is_not_multiplied() -> None:
    """A hundred calls that all fail make at most a fifth more calls, not three times more."""
    time = Time()
    budget = RetryBudget(share=0.2, at_least=3, monotonic=time.monotonic)
    model = Flaky(*[again()] * 1000)
    wrapped = retrying(model, time, chance=0.0, budget=budget)
    for _ in range(100):
        with pytest.raises(ProviderError):
            await wrapped.generate(REQUEST)
    assert 100 < model.calls <= 120

    unbounded = Flaky(*[again()] * 1000)  # the control
    wrapped = retrying(unbounded, time, chance=0.0, budget=RetryBudget(share=1.0, at_least=1000))
    for _ in range(100):
        with pytest.raises(ProviderError):
            await wrapped.generate(REQUEST)
    assert unbounded.calls == 400


def test_a_budget_slides() -> None:
    time = Time()
    budget = RetryBudget(share=0.5, window_s=60, at_least=0, monotonic=time.monotonic)
    for _ in range(4):
        budget.called()
    assert [budget.take() for _ in range(3)] == [True, True, False]
    time.now += 30
    assert not budget.take()
    for _ in range(2):
        budget.called()
    assert [budget.take(), budget.take()] == [True, False]
    time.now += 37  # the first four calls and two retries have left; two calls, one retry stay
    assert not budget.take()
    budget.called()
    budget.called()
    assert [budget.take(), budget.take()] == [True, False]


async def test_a_budget_is_shared() -> None:
    time = Time()
    budget = RetryBudget(share=0.0, at_least=1, monotonic=time.monotonic)
    one, other = Flaky(again()), Flaky(again())
    assert await retrying(one, time, budget=budget).generate(REQUEST) == REPLY
    with pytest.raises(ProviderError):
        await retrying(other, time, budget=budget).generate(REQUEST)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="attempts"):
        RetryingModel(Flaky(), attempts=0)
    with pytest.raises(ConfigError, match="share"):
        RetryBudget(share=2.0)
    with pytest.raises(ConfigError, match="retries"):
        with_retries(Flaky(), -1)


def test_no_retries_leave_the_model_alone() -> None:
    model = Flaky()
    assert with_retries(model, 0) is model
    assert isinstance(with_retries(model, 1), RetryingModel)
    assert with_retries(model, 1).id == "p:m"
