"""`SummarizationMiddleware`: summarise when a conversation has grown past a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from daybook.adapters.ai_infra.language_model import ModelChoice
from daybook.adapters.ai_infra.summaries import (
    SummarizeResult,
    asummarize_messages,
    summarize_messages,
)
from daybook.adapters.ai_infra.token_counts import count_tokens_approximate

__all__ = ["Processed", "SummarizationMiddleware"]


class Processed(list[Any]):
    """The messages to send, as a list, which also has the fields of a `SummarizeResult`.

    ai-infra's library returns the list and its documentation the result: this is both.
    """

    def __init__(self, result: SummarizeResult) -> None:
        super().__init__(result.messages)
        self.result = result

    @property
    def messages(self) -> list[Any]:
        """The messages to send."""
        return self.result.messages

    @property
    def summary(self) -> str:
        """The summary's text; empty if nothing was summarised."""
        return self.result.summary

    @property
    def original_count(self) -> int:
        """Messages that were given."""
        return self.result.original_count

    @property
    def summarized_count(self) -> int:
        """How many of them the summary stands for."""
        return self.result.summarized_count

    @property
    def kept_count(self) -> int:
        """How many of them stay as they are."""
        return self.result.kept_count


@dataclass
class SummarizationMiddleware:
    """Summarises a conversation that exceeds a limit, and leaves a shorter one alone.

    Attributes:
        trigger_tokens: Summarise when the messages take more than this.
        trigger_messages: Summarise when there are more than this.
        keep_last: The newest so many always stay as they are.
        llm: Who writes the summary; see `summarize_messages`.
        summarize_prompt: A prompt of your own with ``{conversation}`` in it.
        llm_provider: In place of `llm`: the provider.
        llm_model: In place of `llm`: its model.
        keep_messages: Another name of `keep_last`, which it sets.
    """

    trigger_tokens: int | None = None
    trigger_messages: int | None = None
    keep_last: int = 10
    llm: ModelChoice | None = None
    summarize_prompt: str | None = None
    llm_provider: str | None = None
    llm_model: str | None = None
    keep_messages: int | None = None
    last_summary: str | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.keep_messages is not None:
            self.keep_last = self.keep_messages
        self.keep_messages = self.keep_last

    def should_summarize(self, messages: Sequence[Any]) -> bool:
        """Tell whether messages exceed one of the limits."""
        if self.trigger_messages is not None and len(messages) > self.trigger_messages:
            return True
        if self.trigger_tokens is None or not messages:
            return False
        return count_tokens_approximate(messages) > self.trigger_tokens

    def process(self, messages: Sequence[Any]) -> Processed:
        """Return the messages to send: with a summary where a limit is exceeded, else as they are.

        Raises:
            ProviderError: The model failed.
        """
        if not self.should_summarize(messages):
            return _untouched(messages)
        return self._kept(summarize_messages(messages, **self._how()))

    async def aprocess(self, messages: Sequence[Any]) -> Processed:
        """Do what `process` does, for async code."""
        if not self.should_summarize(messages):
            return _untouched(messages)
        return self._kept(await asummarize_messages(messages, **self._how()))

    def _how(self) -> dict[str, Any]:
        return {
            "keep_last": self.keep_last,
            "llm": self.llm,
            "llm_provider": self.llm_provider,
            "llm_model": self.llm_model,
            "summarize_prompt": self.summarize_prompt,
        }

    def _kept(self, result: SummarizeResult) -> Processed:
        self.last_summary = result.summary
        return Processed(result)


def _untouched(messages: Sequence[Any]) -> Processed:
    count = len(messages)
    return Processed(SummarizeResult(list(messages), "", count, 0, count))
