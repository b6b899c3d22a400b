"""`count_tokens`, `count_tokens_approximate`, `get_context_limit`, as ai-infra documents them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence
from typing import Any

from daybook.adapters.ai_infra.messages import as_message
from daybook.context.exact_tokens import load_token_counter
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.errors import ConfigError
from daybook.model_catalog import get_model
from daybook.protocols.token_counter import TokenCounter

__all__ = ["count_tokens", "count_tokens_approximate", "get_context_limit"]

_ESTIMATE = ApproximateTokenCounter()
_DEFAULT_OPENAI = "gpt-4o"
_UNKNOWN_LIMIT = 4096
# What ai-infra's documentation says where the provider's own figure is another.
_AS_DOCUMENTED = {"gpt-4": 128_000}


def count_tokens_approximate(messages: Sequence[Any]) -> int:
    """Return an estimate of the tokens of messages; needs no tokenizer.

    Args:
        messages: LangChain messages, dictionaries, ours, or bare texts. Tool calls, names, pictures
            and the framing of each message count; a bare text has no framing.

    Cost: about a microsecond a message.
    """
    return _count(messages, _ESTIMATE)


def count_tokens(
    messages: Sequence[Any], model: str | None = None, provider: str | None = None
) -> int:
    """Return the tokens of messages by the model's own tokenizer.

    Args:
        messages: As for `count_tokens_approximate`.
        model: The model, for example ``gpt-4o``; None for gpt-4o where `provider` is openai, else
            an estimate.
        provider: Its provider.

    Where the model's tokenizer is not public the count is the estimate. Where it is public and
    tiktoken or its vocabulary is not at hand, the estimate is returned with a warning.
    """
    name = model or (_DEFAULT_OPENAI if (provider or "").lower() == "openai" else None)
    return _count(messages, _ESTIMATE if name is None else _counter(name))


def get_context_limit(model: str, provider: str | None = None) -> int:
    """Return the context window of a model in tokens.

    Args:
        model: Its name, as its provider or a host writes it.
        provider: Its provider; names are looked up with it first.

    A model that nothing is known of gets 4,096 and a warning:
    `daybook.model_catalog.register_model` makes it known.
    """
    documented = _AS_DOCUMENTED.get(model.lower())
    if documented is not None:
        return documented
    facts = (get_model(f"{provider}:{model}") if provider else None) or get_model(model)
    if facts is None:
        warnings.warn(
            f"nothing is known of model {model}: {_UNKNOWN_LIMIT} tokens are assumed; "
            "daybook.model_catalog.register_model makes it known",
            stacklevel=2,
        )
        return _UNKNOWN_LIMIT
    return facts.context_tokens


def _count(messages: Sequence[Any], counter: TokenCounter) -> int:
    return sum(
        counter.count_text(one) if isinstance(one, str) else counter.count(as_message(one))
        for one in messages
    )


def _counter(model: str) -> TokenCounter:
    facts = get_model(model)
    if facts is None or facts.tokenizer is None:
        return _ESTIMATE
    try:
        return _exact(facts.tokenizer)
    except ConfigError as exc:  # the package or its vocabulary is not at hand
        warnings.warn(f"tokens are estimated: {exc}", stacklevel=3)
        return _ESTIMATE


@functools.lru_cache(maxsize=8)
def _exact(tokenizer: str) -> TokenCounter:
    return load_token_counter(f"tiktoken:{tokenizer}")
