"""Our embedders keep the contract of `Embedder`."""

from __future__ import annotations

from daybook.protocols.embedder import Embedder
from daybook.registry import load_embedder
from daybook.testing.embedder_contract import EmbedderContract


class TestHash(EmbedderContract):
    """Hashed words, for tests."""

    longest = 500_000

    def make(self) -> Embedder:
        return load_embedder("hash")


class TestStatic(EmbedderContract):
    """The table that ships with the package."""

    longest = 500_000

    def make(self) -> Embedder:
        return load_embedder("static")
