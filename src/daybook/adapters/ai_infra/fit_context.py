"""`fit_context`: a conversation within a number of tokens, trimmed or summarised.

The library has it and its documentation of memory does not; here it never exceeds its budget.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from daybook.adapters.ai_infra.language_model import ModelChoice, chosen_model, run_on_thread
from daybook.adapters.ai_infra.messages import as_messages, leading_systems, user_message_like
from daybook.adapters.ai_infra.summaries import SUMMARY_HEADER, first_kept, summary_of
from daybook.adapters.ai_infra.token_counts import count_tokens_approximate
from daybook.adapters.ai_infra.trimming import trim_messages
from daybook.context.notes import fitting_prose
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.errors import BudgetError
from daybook.model.message import Message

__all__ = ["ContextResult", "afit_context", "fit_context"]

_TAIL_SHARE = 0.75
_COUNTER = ApproximateTokenCounter()


@dataclass
class ContextResult:
    """What `fit_context` returns.

    Attributes:
        messages: What to send.
        summary: The summary to hand in with the next turn; None if there is none.
        tokens: What the messages take, by the estimate; never more than was allowed.
        action: What was done: ``none``, ``trimmed`` or ``summarized``.
        original_count: Messages that were given.
        final_count: Messages to send.
    """

    messages: list[Any] = field(default_factory=list)
    summary: str | None = None
    tokens: int = 0
    action: Literal["none", "trimmed", "summarized"] = "none"
    original_count: int = 0
    final_count: int = 0


def fit_context(
    messages: Sequence[Any],
    max_tokens: int,
    *,
    summarize: bool = False,
    summary: str | None = None,
    keep: int = 10,
    llm: ModelChoice | None = None,
) -> ContextResult:
    """Return a conversation that takes at most so many tokens.

    Args:
        messages: LangChain messages, dictionaries or ours.
        max_tokens: What may be sent, by the estimate.
        summarize: Summarise what has to go; otherwise it is left out.
        summary: What was said before these messages; it stands before them.
        keep: With `summarize`, the newest so many stay as they are, as far as they fit.
        llm: Who writes the summary; see `choose_model`.

    Raises:
        BudgetError: The system messages and the newest message do not fit.
        ProviderError: The model failed.
    """
    return run_on_thread(
        afit_context(messages, max_tokens, summarize=summarize, summary=summary, keep=keep, llm=llm)
    )


async def afit_context(
    messages: Sequence[Any],
    max_tokens: int,
    *,
    summarize: bool = False,
    summary: str | None = None,
    keep: int = 10,
    llm: ModelChoice | None = None,
) -> ContextResult:
    """Do what `fit_context` does, for async code."""
    things = list(messages)
    ours = as_messages(things)
    systems = leading_systems(ours)
    whole = [*things[:systems], *_told(summary, things), *things[systems:]]
    if count_tokens_approximate(whole) <= max_tokens:
        return _result(whole, summary, "none", len(things))
    room = max_tokens - count_tokens_approximate(things[:systems])
    if not summarize:
        tail = _tail(things[systems:], room - count_tokens_approximate(_told(summary, things)))
        kept = [*things[:systems], *_told(summary, things), *tail]
        return _result(kept, summary, "trimmed", len(things))
    cut = first_kept(ours, systems, keep)
    tail = _tail(things[cut:] or things[systems:], room)
    gone = len(things) - _length_from(things, tail)
    said = [Message.user(f"{SUMMARY_HEADER}\n{summary}")] if summary else []
    async with chosen_model(llm) as model:
        text = await summary_of([*said, *ours[systems:gone]], model)
    text = _cut_to(text, room - count_tokens_approximate(tail), things)
    kept = [*things[:systems], *_told(text, things), *tail]
    return _result(kept, text or None, "summarized" if text else "trimmed", len(things))


def _tail(things: Sequence[Any], room: int) -> list[Any]:
    """Return the newest messages in three quarters of the room; in all of it if one needs it."""
    try:
        return trim_messages(
            things, "token", max_tokens=int(room * _TAIL_SHARE), preserve_system=False
        )
    except BudgetError:
        return trim_messages(things, "token", max_tokens=room, preserve_system=False)


def _length_from(things: Sequence[Any], tail: Sequence[Any]) -> int:
    """Return how many messages there are from the first of `tail` on."""
    first = next((at for at, thing in enumerate(things) if tail and thing is tail[0]), len(things))
    return len(things) - first


def _cut_to(text: str, room: int, things: Sequence[Any]) -> str:
    """Return as many whole sentences of a summary as its message has room for."""
    frame = count_tokens_approximate(_told("x", things))
    return fitting_prose(text, room - frame, _COUNTER) if room > frame else ""


def _told(summary: str | None, things: Sequence[Any]) -> list[Any]:
    return [user_message_like(f"{SUMMARY_HEADER}\n{summary}", things)] if summary else []


def _result(
    messages: list[Any],
    summary: str | None,
    action: Literal["none", "trimmed", "summarized"],
    given: int,
) -> ContextResult:
    tokens = count_tokens_approximate(messages)
    return ContextResult(messages, summary, tokens, action, given, len(messages))
