"""A language model: a context in, an answer out, whole or as a stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from daybook.model.reply import ModelRequest, Reply

__all__ = ["LanguageModel"]


class LanguageModel(Protocol):
    """Answers contexts. One object serves any number of tasks and event loops.

    Every call ends within the model's own timeout and raises `daybook.errors.ProviderError` alone:
    `retryable` says whether the same call may succeed later, `retry_after_s` when. Errors never
    hold message text. A cancelled call closes its connection.
    """

    @property
    def id(self) -> str:
        """Provider and model, for example ``openai:gpt-5-mini``: names costs and calibration."""
        ...

    async def generate(self, request: ModelRequest) -> Reply:
        """Return the whole answer.

        Raises:
            ProviderError: The provider failed, refused the request or did not answer in time.
            BadModelOutputError: What came is not an answer.
        """
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[str | Reply]:
        """Yield pieces of the answer's text as they come, then the whole answer as a `Reply`.

        Closing the generator early ends the call at the provider. A stream that breaks off raises
        after the pieces that came; it never ends without a `Reply`.
        """
        ...

    async def close(self) -> None:
        """Close connections. Repeatable."""
        ...
