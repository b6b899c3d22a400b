"""Scripted models, the engines a chat is tried on, and the server that real SDKs talk to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from daybook.chat import AsyncChatApplication
from tests.chat.scripted_models import echo
from tests.servers.model_server import ModelServer, model_server

LOCAL = {
    "inmemory": "inmemory://",
    "sqlite": "sqlite:///{}/chat.db",
    "file": "file:///{}/chat",
}
SERVERS = {
    "redis": "redis_url",
    "postgresql": "postgres_url",
    "mongodb": "mongodb_url",
    "dynamodb": "dynamodb_url",
}
ENGINES = (*LOCAL, *SERVERS)
# A server that is held up for a while is no failure here.
PATIENCE = "timeout_s=60"


@pytest.fixture(name="model_server")
def _model_server() -> Iterator[ModelServer]:
    """A scripted provider of its own for each test."""
    with model_server() as server:
        yield server


@pytest.fixture
async def time_passes(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let so many seconds pass at once for everything that waits on the test's event loop."""
    loop = asyncio.get_running_loop()
    real, passed = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: real() + sum(passed))
    return passed.append


@pytest.fixture
async def chat() -> AsyncIterator[AsyncChatApplication]:
    """A chat in memory whose model says again what it was told."""
    async with AsyncChatApplication("inmemory://", embedder="hash", model=echo) as made:
        yield made


@pytest.fixture
def url_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return a fresh place on an engine; servers start when they are first asked for."""

    def url(engine: str) -> str:
        if engine in LOCAL:
            return LOCAL[engine].format(tmp_path)
        name = f"chat_{uuid4().hex[:12]}"
        base: str = request.getfixturevalue(SERVERS[engine])
        head, _, options = base.partition("?")
        if engine == "redis":
            return f"{base}?prefix={name}&{PATIENCE}"
        if engine == "postgresql":
            return f"{base}?schema={name}&connect_timeout_s=60&{PATIENCE}"
        if engine == "mongodb":
            return f"{head.rpartition('/')[0]}/{name}?{options}&{PATIENCE}"
        return f"{head}/{name.replace('_', '-')}?{options}&{PATIENCE}"

    return url
