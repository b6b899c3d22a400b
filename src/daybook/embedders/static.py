"""The default embedder: the static table that ships with Daybook. Needs numpy and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from daybook.embedders.inline_or_thread import embed_inline_or_in_thread
from daybook.embedders.static_table import StaticTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from daybook.protocols.embedder import Purpose

__all__ = ["StaticEmbedder", "from_spec"]

# About 1 ms of work.
_INLINE_CHARACTERS = 16_000


class StaticEmbedder:
    """Embeds texts with a `StaticTable`; also gives each token's vector (`TokenEmbedder`).

    Example:
        >>> embedder = StaticEmbedder()
        >>> dog, puppy, tax = embedder.encode(["my dog", "a puppy", "the tax office"])
        >>> bool(dog @ puppy > dog @ tax)
        True
    """

    def __init__(self, table: StaticTable | None = None) -> None:
        """Use `table`, or the shipped one, which is read now if no one has yet.

        Raises:
            ConfigError: The shipped table is absent or damaged.
        """
        self._table = StaticTable.load() if table is None else table

    @property
    def id(self) -> str:
        """Name and version of the table."""
        return self._table.id

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return self._table.dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row for each text; a zero row where no word is known."""
        return self._table.encode(texts)

    async def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose = "document",  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Return one row for each text; documents and queries are treated alike."""
        return await embed_inline_or_in_thread(
            self._table.encode, texts, inline_characters=_INLINE_CHARACTERS
        )

    def token_ids(self, text: str) -> NDArray[np.uint16]:
        """Return the table's rows of a text, in order."""
        return self._table.token_ids(text)

    def encode_ids(self, ids: Sequence[NDArray[np.uint16]]) -> NDArray[np.float32]:
        """Return one unit row for each array of rows, as `encode` does for their texts."""
        return self._table.encode_ids(ids)

    def token_vectors(self, ids: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Return unit vectors of rows, shape (len(ids), dimensions)."""
        return self._table.token_vectors(ids)

    def token_weights(self, ids: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Return how telling each row is, shape (len(ids),)."""
        return self._table.token_weights(ids)


def from_spec(spec: str) -> StaticEmbedder:
    """Return the shipped table's embedder for "", or one on the table file that `spec` names.

    Raises:
        ConfigError: The file is absent or damaged.
    """
    return StaticEmbedder(StaticTable.from_file(Path(spec)) if spec else None)
