"""A model that repeats calls which failed for a reason that passes."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from daybook.errors import ConfigError, ProviderError
from daybook.language_models.retry_budget import RetryBudget
from daybook.model.reply import ModelRequest, Reply
from daybook.protocols.language_model import LanguageModel

__all__ = ["RetryingModel", "with_retries"]

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 20.0


class RetryingModel:
    """Wraps a model and repeats what failed and may succeed later.

    Only errors that say `retryable` are retried, after the time that the provider asked for or
    else a random one up to 0.5 s, 1 s, 2 s … 20 s, as long as the budget allows. A stream is
    retried before its first piece and never after it: the reader has seen that one.

    The rules are a few lines, so no library stands in for them.
    """

    def __init__(
        self,
        model: LanguageModel,
        *,
        attempts: int = 4,
        deadline_s: float = 120.0,
        budget: RetryBudget | None = None,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Take the model.

        Args:
            model: What is called.
            attempts: How often a call is tried at most, the first included.
            deadline_s: No attempt begins later than this after the call did; a wait that would
                end later is not begun, and the error is raised at once. An attempt that runs is
                left to the model's own timeout.
            budget: Share one among several models; a fresh one by default.
            pause: Waits so many seconds.
            monotonic: Seconds that never go back.
            chance: A number in [0, 1).

        Raises:
            ConfigError: `attempts` is below 1 or `deadline_s` below 0.
        """
        if attempts < 1 or deadline_s < 0:
            raise ConfigError("retrying: attempts must be at least 1 and deadline_s at least 0")
        self._model = model
        self._attempts = attempts
        self._deadline_s = deadline_s
        self._budget = budget or RetryBudget(monotonic=monotonic)
        self._pause = pause
        self._monotonic = monotonic
        self._chance = chance

    @property
    def id(self) -> str:
        """The wrapped model's."""
        return self._model.id

    async def generate(self, request: ModelRequest) -> Reply:
        """Return the whole answer; see `LanguageModel.generate`."""
        self._budget.called()
        began, attempt = self._monotonic(), 1
        while True:
            try:
                return await self._model.generate(request)
            except ProviderError as exc:
                wait = self._wait(exc, attempt, began)
                if wait is None:
                    raise
            await self._pause(wait)
            attempt += 1

    async def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Yield pieces, then the answer; see `LanguageModel.stream`."""
        self._budget.called()
        began, attempt = self._monotonic(), 1
        while True:
            seen = False
            try:
                async with aclosing(self._model.stream(request)) as pieces:
                    async for piece in pieces:
                        seen = True
                        yield piece
            except ProviderError as exc:
                wait = None if seen else self._wait(exc, attempt, began)
                if wait is None:
                    raise
            else:
                return
            await self._pause(wait)
            attempt += 1

    def _wait(self, exc: ProviderError, attempt: int, began: float) -> float | None:
        """Return how long to wait before the next attempt, or None to give up."""
        if not exc.retryable or attempt >= self._attempts:
            return None
        wait = exc.retry_after_s
        if wait is None:
            wait = self._chance() * min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (attempt - 1))
        if self._monotonic() + wait - began > self._deadline_s or not self._budget.take():
            return None
        return wait

    async def close(self) -> None:
        """Close the model's connections. Repeatable."""
        await self._model.close()


def with_retries(model: LanguageModel, retries: int) -> LanguageModel:
    """Return the model, repeating failed calls up to so often; itself for 0.

    Raises:
        ConfigError: `retries` is no number of 0 or more.
    """
    if type(retries) is not int or retries < 0:
        raise ConfigError("language model: retries must be a number, 0 or more")
    return RetryingModel(model, attempts=retries + 1) if retries else model
