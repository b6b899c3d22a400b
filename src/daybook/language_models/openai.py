"""OpenAI's chat completions, and every server that speaks them, through the official SDK."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from daybook.errors import ConfigError, MissingDependencyError
from daybook.language_models.openai_messages import openai_body
from daybook.language_models.openai_replies import OpenAIAssembler, openai_reply
from daybook.language_models.provider_model import ProviderModel
from daybook.language_models.retrying import with_retries
from daybook.language_models.sdk_wire import SdkWire
from daybook.language_models.spec import check_timeout, from_options
from daybook.model.reply import ModelRequest, Reply
from daybook.protocols.language_model import LanguageModel

try:
    from openai import AsyncOpenAI, AsyncStream, OpenAIError
except ImportError as exc:
    raise MissingDependencyError("the OpenAI model", "pip install 'daybook[openai]'") from exc

__all__ = ["OpenAIModel", "from_spec"]

_PATH = "/chat/completions"


class OpenAIModel(ProviderModel[Any, Any]):
    """A model of OpenAI's, or of a server that speaks its protocol.

    It does not retry: `daybook.language_models.retrying` does, and a name's model by default.
    """

    def __init__(
        self,
        name: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        organization: str | None = None,
        timeout_s: float = 300.0,
        max_tokens_field: str | None = None,
        cache_marks: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take what names and reaches the model; connections are opened on first use.

        Args:
            name: For example ``gpt-5-mini``.
            api_key: The key; left out, the SDK looks in ``OPENAI_API_KEY``, but only for a base
                URL that was not given here: a key goes nowhere it was not made for.
            base_url: Another server's, for example ``http://127.0.0.1:8000/v1``.
            organization: Who pays, where a key serves several.
            timeout_s: Longest wait in one call.
            max_tokens_field: What the limit of an answer is called; by default
                ``max_completion_tokens`` at OpenAI and ``max_tokens`` at another base URL.
            cache_marks: Set cache breakpoints at `ModelRequest.cache_after`; models before
                gpt-5.6 and most other servers refuse them and cache by themselves.
            headers: More headers for every call.

        Raises:
            ConfigError: There is no key, or an option is wrong.
        """
        check_timeout("openai", timeout_s)
        settings: dict[str, Any] = {
            "api_key": api_key or ("none" if base_url else None),
            "base_url": base_url,
            "organization": organization,
            "default_headers": headers,
            "timeout": timeout_s,
            "max_retries": 0,
        }
        field = max_tokens_field or ("max_tokens" if base_url else "max_completion_tokens")
        wire = _Wire(name, settings, max_tokens_field=field, cache_marks=cache_marks)
        super().__init__(wire, id=f"openai:{name}", provider="openai", timeout_s=timeout_s)


class _Wire(SdkWire):
    def __init__(
        self, name: str, settings: dict[str, Any], *, max_tokens_field: str, cache_marks: bool
    ) -> None:
        super().__init__(_PATH, AsyncStream[object], partial(_client, settings))
        self._name = name
        self._field = max_tokens_field
        self._cache_marks = cache_marks

    def body(self, request: ModelRequest) -> dict[str, Any]:
        return openai_body(
            request,
            model=self._name,
            max_tokens_field=self._field,
            cache_marks=self._cache_marks,
        )

    def stream_body(self, request: ModelRequest) -> dict[str, Any]:
        return {"stream_options": {"include_usage": True}, **super().stream_body(request)}

    def read(self, answer: Any) -> Reply:
        return openai_reply(answer)

    def assembler(self) -> OpenAIAssembler:
        return OpenAIAssembler()


def _client(settings: dict[str, Any]) -> AsyncOpenAI:
    try:
        return AsyncOpenAI(**settings)
    except OpenAIError:
        raise ConfigError("openai: no key: set OPENAI_API_KEY or give api_key") from None


def from_spec(detail: str, *, retries: int = 3, **options: Any) -> LanguageModel:
    """Return the model that stands after ``openai:``, retrying unless `retries` is 0.

    Args:
        detail: ``NAME`` or ``NAME@BASE_URL``.
        retries: How often a failed call is repeated at most.
        options: As for `OpenAIModel`.

    Raises:
        ConfigError: No model is named, there is no key, or an option is wrong.
    """
    return with_retries(from_options(OpenAIModel, "openai", detail, options), retries)
