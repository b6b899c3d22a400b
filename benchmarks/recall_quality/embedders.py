"""The embedders that quality is measured with, by name."""

from __future__ import annotations

from pathlib import Path

from benchmarks.recall_quality.indexed_conversation import BlockingEmbedder, CachedEmbedder
from daybook.embedders.static_table import StaticTable

__all__ = ["open_embedder"]


def open_embedder(name: str, cache: Path | None) -> BlockingEmbedder | None:
    """Return the embedder `static`, `minilm` or `none`; MiniLM's vectors kept in `cache`, if given.

    Raises:
        MissingDependencyError: MiniLM's packages are absent.
    """
    if name == "none":
        return None
    if name == "static":
        return StaticTable.load()
    from daybook.embedders.minilm import MiniLMEmbedder  # noqa: PLC0415 - needs an extra

    minilm = MiniLMEmbedder(threads=1)
    return minilm if cache is None else CachedEmbedder(minilm, cache)
