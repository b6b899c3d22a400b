"""Anthropic's messages, through the official SDK."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from daybook.errors import ConfigError, MissingDependencyError
from daybook.language_models.anthropic_messages import anthropic_body
from daybook.language_models.anthropic_replies import AnthropicAssembler, anthropic_reply
from daybook.language_models.provider_model import ProviderModel
from daybook.language_models.retrying import with_retries
from daybook.language_models.sdk_wire import SdkWire
from daybook.language_models.spec import check_timeout, from_options
from daybook.model.reply import ModelRequest, Reply
from daybook.protocols.language_model import LanguageModel

try:
    from anthropic import AnthropicError, AsyncAnthropic, AsyncStream
except ImportError as exc:
    raise MissingDependencyError("the Anthropic model", "pip install 'daybook[anthropic]'") from exc

__all__ = ["AnthropicModel", "from_spec"]

_PATH = "/v1/messages"
_CREDENTIALS = ("api_key", "auth_token", "credentials")


class AnthropicModel(ProviderModel[Any, Any]):
    """A model of Anthropic's, or of a server that speaks its protocol.

    It does not retry: `daybook.language_models.retrying` does, and a name's model by default.
    """

    def __init__(
        self,
        name: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout_s: float = 300.0,
        max_tokens: int = 8192,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take what names and reaches the model; connections are opened on first use.

        Args:
            name: For example ``claude-sonnet-4-5``.
            api_key: The key; left out, the SDK looks for credentials in the environment, but only
                for a base URL that was not given here: a key goes nowhere it was not made for.
            base_url: Another server's.
            timeout_s: Longest wait in one call.
            max_tokens: Longest answer where a request names none.
            headers: More headers for every call.

        Raises:
            ConfigError: There is no key, or an option is wrong.
        """
        check_timeout("anthropic", timeout_s)
        if type(max_tokens) is not int or max_tokens < 1:
            raise ConfigError("anthropic: max_tokens must be a number above 0")
        settings: dict[str, Any] = {
            "api_key": api_key or ("none" if base_url else None),
            "base_url": base_url,
            "default_headers": headers,
            "timeout": timeout_s,
            "max_retries": 0,
        }
        wire = _Wire(name, settings, max_tokens)
        super().__init__(wire, id=f"anthropic:{name}", provider="anthropic", timeout_s=timeout_s)


class _Wire(SdkWire):
    def __init__(self, name: str, settings: dict[str, Any], max_tokens: int) -> None:
        super().__init__(_PATH, AsyncStream[object], partial(_client, settings))
        self._name = name
        self._max_tokens = max_tokens

    def body(self, request: ModelRequest) -> dict[str, Any]:
        return anthropic_body(request, model=self._name, max_tokens=self._max_tokens)

    def read(self, answer: Any) -> Reply:
        return anthropic_reply(answer)

    def assembler(self) -> AnthropicAssembler:
        return AnthropicAssembler()


def _client(settings: dict[str, Any]) -> AsyncAnthropic:
    missing = "anthropic: no key: set ANTHROPIC_API_KEY or give api_key"
    try:
        client = AsyncAnthropic(**settings)
    except AnthropicError:
        raise ConfigError(missing) from None
    if all(getattr(client, name, None) is None for name in _CREDENTIALS):
        raise ConfigError(missing)
    return client


def from_spec(detail: str, *, retries: int = 3, **options: Any) -> LanguageModel:
    """Return the model that stands after ``anthropic:``, retrying unless `retries` is 0.

    Args:
        detail: ``NAME`` or ``NAME@BASE_URL``.
        retries: How often a failed call is repeated at most.
        options: As for `AnthropicModel`.

    Raises:
        ConfigError: No model is named, there is no key, or an option is wrong.
    """
    return with_retries(from_options(AnthropicModel, "anthropic", detail, options), retries)
