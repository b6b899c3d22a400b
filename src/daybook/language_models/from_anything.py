"""From a name, an object or a function to a language model."""

from __future__ import annotations

from typing import Any, cast

from daybook.errors import ConfigError
from daybook.protocols.language_model import LanguageModel
from daybook.registry import load_language_model

__all__ = ["as_language_model"]


def as_language_model(thing: Any, **options: Any) -> LanguageModel:
    """Return whatever can answer as a language model.

    Args:
        thing: ``provider:model``, a `LanguageModel`, a LangChain chat model, or a function from a
            tuple of messages to an answer (see `daybook.language_models.callable`).
        options: The provider's own settings, beside a name only.

    Raises:
        ConfigError: It is none of these, or an option is wrong.
        MissingDependencyError: The provider's package is not installed.
    """
    if isinstance(thing, str):
        return load_language_model(thing, **options)
    if options:
        raise ConfigError("language model: options belong to a provider:model name only")
    if _has(thing, "generate", "stream", "close") and isinstance(getattr(thing, "id", None), str):
        return cast("LanguageModel", thing)
    # What a LangChain chat model has and other runnables lack; told without importing it.
    if _has(thing, "ainvoke", "astream", "bind_tools", "_generate"):
        from daybook.language_models.langchain import LangChainModel  # noqa: PLC0415 - optional

        return LangChainModel(thing)
    if callable(thing) and not isinstance(thing, type):
        from daybook.language_models.callable import CallableModel  # noqa: PLC0415 - not always used

        return CallableModel(thing)
    raise ConfigError(
        f"language model: {type(thing).__name__} is no provider:model name, LanguageModel, "
        "LangChain chat model or function"
    )


def _has(thing: Any, *methods: str) -> bool:
    return all(callable(getattr(thing, name, None)) for name in methods)
