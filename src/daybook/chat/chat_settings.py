"""How a chat answers, as one checked value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct

from daybook.context.strategy import Relevant, Strategy, Summary, TokenWindow, as_strategy
from daybook.errors import InvalidInputError
from daybook.facets.checks import check_limit, check_ttl
from daybook.facets.new_session import check_max_messages
from daybook.model_catalog import get_context_limit, get_model

__all__ = ["DEFAULT_STRATEGY", "ChatSettings", "as_ttl", "context_tokens"]

DEFAULT_STRATEGY = Summary() + TokenWindow() + Relevant()
"""Nothing is lost when it leaves the window: the summary covers all of it, and what answers the
question comes back word for word, from the user's other sessions too. The window moves in steps, so
that the cached prefix holds. Opening turns (`Early`) would say again what the summary says."""

_MOST_BY_DEFAULT = 32_000
_OF_UNKNOWN_MODELS = 8_000
_ANSWER_TOKENS = 4096


class ChatSettings(Struct, frozen=True, kw_only=True):
    """How a chat answers; see `AsyncChatApplication`."""

    system_prompt: str | None
    max_messages: int | None
    session_ttl: timedelta | None
    strategy: Strategy | None
    max_tokens: int | None
    max_output_tokens: int | None
    temperature: float | None
    model_options: Mapping[str, Any]
    max_tool_rounds: int
    turn_timeout_s: float
    lease_s: float

    @classmethod
    def checked(cls, *, session_ttl: timedelta | float | None, **given: Any) -> ChatSettings:
        """Return settings.

        Raises:
            InvalidInputError: One is wrong; names it.
        """
        prompt, strategy = given.pop("system_prompt"), given.pop("strategy")
        if prompt is not None and not isinstance(prompt, str):
            raise InvalidInputError("system_prompt must be a str or None")
        for name in ("max_tokens", "max_output_tokens"):
            if given[name] is not None:
                check_limit(given[name], name)
        rounds = given["max_tool_rounds"]
        if type(rounds) is not int or rounds < 0:
            raise InvalidInputError("max_tool_rounds must be an int of 0 or more")
        for name in ("turn_timeout_s", "lease_s"):
            if type(given[name]) not in (int, float) or not given[name] > 0:
                raise InvalidInputError(f"{name} must be a number above 0")
        options = given.pop("model_options") or {}
        return cls(
            system_prompt=prompt,
            max_messages=check_max_messages(given.pop("max_messages")),
            session_ttl=as_ttl(session_ttl),
            strategy=None if strategy is None else as_strategy(strategy),
            model_options=dict(options),
            **given,
        )


def as_ttl(value: timedelta | float | None) -> timedelta | None:
    """Return a life given as a timedelta or in seconds.

    Raises:
        InvalidInputError: It is neither, or not positive.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            value = timedelta(seconds=value)
        except (OverflowError, ValueError):
            raise InvalidInputError("session_ttl: so many seconds are no span of time") from None
    try:
        return check_ttl(value)
    except InvalidInputError as exc:
        raise InvalidInputError(f"session_{exc}") from None


def context_tokens(model_id: str | None, max_output_tokens: int | None) -> int:
    """Return how large contexts are by default: the model's window less its answer, 32,000 at most.

    A model of which nothing is known, and none at all, get 8,000.
    """
    facts = None if model_id is None else get_model(model_id)
    if model_id is None or facts is None:
        return _OF_UNKNOWN_MODELS
    # Models of small windows often list an answer as long as the window.
    longest = min(facts.max_output_tokens or _ANSWER_TOKENS, facts.context_tokens // 4)
    kept = max_output_tokens or longest
    return max(1, min(_MOST_BY_DEFAULT, get_context_limit(model_id, output_tokens=kept)))
