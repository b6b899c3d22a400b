"""Any LangChain chat model as a language model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

from daybook.errors import MissingDependencyError
from daybook.language_models.provider_model import ProviderModel
from daybook.language_models.spec import check_timeout
from daybook.model.reply import ModelRequest, Reply

try:
    from daybook.language_models.langchain_messages import (
        LangChainAssembler,
        langchain_message,
        langchain_reply,
        langchain_tool,
    )
except ModuleNotFoundError as exc:
    raise MissingDependencyError(
        "a LangChain model", "pip install 'langchain-core>=1.3.3,<2'"
    ) from exc

__all__ = ["LangChainModel"]


class LangChainModel(ProviderModel[Any, Any]):
    """Wraps a `BaseChatModel`.

    Retries are the wrapped model's own affair; most have a setting. `ModelRequest.cache_after` has
    no common form there and is left out; a limit and a temperature go as ``max_tokens`` and
    ``temperature``, `ModelRequest.options` as further keywords of the call.
    """

    def __init__(self, model: Any, *, id: str | None = None, timeout_s: float = 300.0) -> None:  # noqa: A002 - the protocol's own word
        """Take the model.

        Args:
            model: A `BaseChatModel`; it is not closed with this one.
            id: Provider and model; by default ``langchain:`` and the model's name.
            timeout_s: Longest wait in one call.

        Raises:
            ConfigError: `timeout_s` is no number above 0.
        """
        check_timeout("langchain", timeout_s)
        names = (getattr(model, field, None) for field in ("model_name", "model"))
        name = next((name for name in names if isinstance(name, str)), type(model).__name__)
        super().__init__(
            _Wire(model), id=id or f"langchain:{name}", provider="langchain", timeout_s=timeout_s
        )


class _Wire:
    def __init__(self, model: Any) -> None:
        self._model = model

    async def ask(self, request: ModelRequest) -> Any:
        messages = [langchain_message(message) for message in request.messages]
        return await self._with_tools(request).ainvoke(messages, **_settings(request))

    async def events(self, request: ModelRequest) -> AsyncGenerator[Any]:
        messages = [langchain_message(message) for message in request.messages]
        chunks = self._with_tools(request).astream(messages, **_settings(request))
        async with aclosing(cast("AsyncGenerator[Any]", chunks)):
            async for chunk in chunks:
                yield chunk

    def read(self, answer: Any) -> Reply:
        return langchain_reply(answer)

    def assembler(self) -> LangChainAssembler:
        return LangChainAssembler()

    async def close(self) -> None:
        """Do nothing: the wrapped model belongs to its maker."""

    def _with_tools(self, request: ModelRequest) -> Any:
        if not request.tools:
            return self._model
        return self._model.bind_tools([langchain_tool(tool) for tool in request.tools])


def _settings(request: ModelRequest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if request.max_output_tokens is not None:
        found["max_tokens"] = request.max_output_tokens
    if request.temperature is not None:
        found["temperature"] = request.temperature
    return {**found, **request.options}
