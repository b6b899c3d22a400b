"""Asks a LangChain model from blocking and from async code, and counts tokens by it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage

from daybook.adapters.langchain.messages import from_langchain
from daybook.context.token_estimate import ApproximateTokenCounter

__all__ = ["check_prompt", "predict", "tokens_of"]

_ESTIMATE = ApproximateTokenCounter()


async def predict(llm: Any, prompt: Any, *, blocking: bool, **fields: str) -> str:
    """Return a model's answer to a prompt, as text.

    Args:
        llm: A LangChain model.
        prompt: A prompt template of LangChain's, or text with the fields in braces.
        blocking: Call the model's blocking method, on a thread: a client of the model's belongs to
            the kind of callers that it was made for.
        fields: The prompt's fields.
    """
    if hasattr(prompt, "format_prompt"):
        asked = prompt.format_prompt(**fields)
    else:
        asked = _filled(prompt, fields)
    answer = await (asyncio.to_thread(llm.invoke, asked) if blocking else llm.ainvoke(asked))
    content = getattr(answer, "text", None) if isinstance(answer, BaseMessage) else answer
    return str(content() if callable(content) and not isinstance(content, str) else content)


def check_prompt(prompt: Any, expected: set[str]) -> Any:
    """Return a prompt that has exactly the expected fields.

    Raises:
        ValueError: It has others.
    """
    found = getattr(prompt, "input_variables", None)
    if found is not None and set(found) != expected:
        raise ValueError(
            f"Got unexpected prompt input variables. The prompt expects {list(found)}, but it "
            f"should have {sorted(expected)}."
        )
    return prompt


def tokens_of(llm: Any, messages: Sequence[BaseMessage]) -> int:
    """Return the tokens of messages, by the model where it counts them itself, else an estimate.

    LangChain's own default is GPT-2's tokenizer, which it fetches from the network.
    """
    if not messages:
        return 0
    if not _counts(llm):
        return sum(_ESTIMATE.count(from_langchain(message)) for message in messages)
    return int(llm.get_num_tokens_from_messages(list(messages)))


def _counts(llm: Any) -> bool:
    if getattr(llm, "custom_get_token_ids", None) is not None:
        return True
    names = ("get_num_tokens_from_messages", "get_num_tokens", "get_token_ids")
    return any(getattr(type(llm), name) is not getattr(BaseLanguageModel, name) for name in names)


def _filled(prompt: str, fields: dict[str, str]) -> str:
    """Return a text with its fields filled in."""
    return prompt.format(**fields)
