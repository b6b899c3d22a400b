"""Our language models keep the contract of `LanguageModel`, real SDKs on a scripted server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from daybook.protocols.language_model import LanguageModel
from daybook.registry import load_language_model
from daybook.testing.language_model_contract import SECRET, LanguageModelContract
from daybook.testing.model_turn import Turn
from tests.language_models.scripted import scripted_callable, scripted_langchain
from tests.servers.model_server import ModelServer


class OnServer(LanguageModelContract):
    """A model that is reached over HTTP."""

    name: str
    path = ""

    @pytest.fixture(autouse=True)
    def _serve(self, model_server: ModelServer) -> None:
        self.server = model_server

    @asynccontextmanager
    async def serving(self, *turns: Turn, patience_s: float = 30.0) -> AsyncIterator[LanguageModel]:
        """Script the server."""
        self.server.script(*turns)
        options: dict[str, Any] = {"api_key": SECRET, "timeout_s": patience_s, "retries": 0}
        model = load_language_model(
            f"{self.name}:some-model@{self.server.url}{self.path}", **options
        )
        try:
            yield model
        finally:
            await model.close()


class TestOpenAI(OnServer):
    """OpenAI's SDK."""

    name, path = "openai", "/v1"


class TestAnthropic(OnServer):
    """Anthropic's SDK."""

    name = "anthropic"


class TestOllama(OnServer):
    """Ollama over HTTP; it tells neither refusals nor the cache, and sends arguments as objects."""

    name = "ollama"
    keeps_usage_details = False
    makes_call_ids = True
    takes_raw_arguments = False
    refuses = False


class TestLangChain(LanguageModelContract):
    """A LangChain chat model that does as it is told."""

    @asynccontextmanager
    async def serving(self, *turns: Turn, patience_s: float = 30.0) -> AsyncIterator[LanguageModel]:
        """Script the model."""
        yield scripted_langchain(turns, patience_s)


class TestCallable(LanguageModelContract):
    """A function that does as it is told."""

    @asynccontextmanager
    async def serving(self, *turns: Turn, patience_s: float = 30.0) -> AsyncIterator[LanguageModel]:
        """Script the function."""
        yield scripted_callable(turns, patience_s)
