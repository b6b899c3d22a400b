"""Models on an Ollama server, over plain HTTP.

Without the package `ollama`: it drops the headers of an error (how long to wait), reads a file from
disk where an image's text happens to be a path, and adds nothing that is needed here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from daybook.enginekit.per_loop import PerLoop
from daybook.errors import MissingDependencyError
from daybook.language_models.ollama_messages import OllamaAssembler, ollama_body, ollama_reply
from daybook.language_models.provider_model import ProviderModel
from daybook.language_models.retrying import with_retries
from daybook.language_models.spec import check_timeout, from_options
from daybook.model.reply import ModelRequest, Reply
from daybook.protocols.language_model import LanguageModel

try:
    from httpx2 import AsyncClient
except ImportError as exc:
    raise MissingDependencyError("the Ollama model", "pip install 'daybook[ollama]'") from exc

__all__ = ["OllamaModel", "from_spec"]

_PATH = "/api/chat"
_HERE = "http://127.0.0.1:11434"


class OllamaModel(ProviderModel[Any, Any]):
    """A model on an Ollama server.

    It does not retry: `daybook.language_models.retrying` does, and a name's model by default.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 300.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take what names and reaches the model; connections are opened on first use.

        Args:
            name: For example ``llama3.2:3b``.
            base_url: The server; by default port 11434 on this machine.
            api_key: For a server that wants one.
            timeout_s: Longest wait in one call, loading the model included.
            headers: More headers for every call.

        Raises:
            ConfigError: An option is wrong.
        """
        check_timeout("ollama", timeout_s)
        authorization = {"authorization": f"Bearer {api_key}"} if api_key else {}
        settings: dict[str, Any] = {
            "base_url": base_url or _HERE,
            "headers": {**authorization, **(headers or {})},
            "timeout": timeout_s,
        }
        wire = _Wire(name, settings)
        super().__init__(wire, id=f"ollama:{name}", provider="ollama", timeout_s=timeout_s)


class _StreamError(Exception):
    """The server says inside a stream that it failed; a stream is no place for a status."""

    code = "server_error"


class _Wire:
    def __init__(self, name: str, settings: dict[str, Any]) -> None:
        self._name = name
        self._settings = settings
        self._clients = PerLoop(self._open, _close)

    async def ask(self, request: ModelRequest) -> Any:
        body = {**ollama_body(request, model=self._name), "stream": False}
        client = await self._clients.get()
        response = await client.post(_PATH, json=body)
        response.raise_for_status()
        return response.json()

    async def events(self, request: ModelRequest) -> AsyncGenerator[Any]:
        body = {**ollama_body(request, model=self._name), "stream": True}
        client = await self._clients.get()
        async with client.stream("POST", _PATH, json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if not line.strip():
                    continue
                event = json.loads(line)
                if isinstance(event, dict) and "error" in event:
                    raise _StreamError
                yield event

    def read(self, answer: Any) -> Reply:
        return ollama_reply(answer)

    def assembler(self) -> OllamaAssembler:
        return OllamaAssembler()

    async def close(self) -> None:
        await self._clients.close()

    async def _open(self) -> AsyncClient:
        return AsyncClient(**self._settings)


async def _close(client: AsyncClient) -> None:
    await client.aclose()


def from_spec(detail: str, *, retries: int = 3, **options: Any) -> LanguageModel:
    """Return the model that stands after ``ollama:``, retrying unless `retries` is 0.

    Args:
        detail: ``NAME`` or ``NAME@BASE_URL``.
        retries: How often a failed call is repeated at most.
        options: As for `OllamaModel`.

    Raises:
        ConfigError: No model is named, or an option is wrong.
    """
    return with_retries(from_options(OllamaModel, "ollama", detail, options), retries)
