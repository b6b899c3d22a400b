"""The server that the models of these tests talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers.model_server import ModelServer, model_server


@pytest.fixture(name="model_server")
def _model_server() -> Iterator[ModelServer]:
    """A scripted provider of its own for each test."""
    with model_server() as server:
        yield server
