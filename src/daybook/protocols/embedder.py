"""Text to vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "TOKEN_WIDTH",
    "Embedder",
    "Purpose",
    "QueryTokens",
    "TokenEmbedder",
    "TokenVectorEmbedder",
]

TOKEN_WIDTH = 64
"""Components of a token vector, one byte each."""

Purpose = Literal["document", "query"]


class Embedder(Protocol):
    """Turns texts into vectors whose dot product says how alike they are."""

    @property
    def id(self) -> str:
        """Name and version: vectors made under equal ids are comparable, others never are."""
        ...

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        ...

    async def embed(
        self, texts: Sequence[str], *, purpose: Purpose = "document"
    ) -> NDArray[np.float32]:
        """Return one row for each text.

        Args:
            texts: Any texts; an empty one gives a zero row, and one that the embedder cannot read
                may.
            purpose: What the vectors are for; some models treat a query otherwise.

        Returns:
            Shape (len(texts), dimensions), float32, rows L2-normalised or zero.

        Raises:
            ProviderError: The model failed; says whether a retry may help.
        """
        ...


class TokenEmbedder(Protocol):
    """Gives each word piece its own vector, for late interaction. No I/O."""

    @property
    def id(self) -> str:
        """Name and version of the table."""
        ...

    def token_ids(self, text: str) -> NDArray[np.uint16]:
        """Return the table's rows of a text, in order."""
        ...

    def encode_ids(self, ids: Sequence[NDArray[np.uint16]]) -> NDArray[np.float32]:
        """Return the text vector of each array of rows: what `embed` gives under the same id."""
        ...

    def token_vectors(self, ids: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Return unit vectors of rows, shape (len(ids), d)."""
        ...

    def token_weights(self, ids: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Return how telling each row is (inverse document frequency), shape (len(ids),)."""
        ...


class QueryTokens(NamedTuple):
    """A question's telling tokens.

    Attributes:
        vectors: Shape (n, 64), int8; only their directions mean something.
        worth: How telling each is, shape (n,), above 0.
    """

    vectors: NDArray[np.int8]
    worth: NDArray[np.float32]


@runtime_checkable
class TokenVectorEmbedder(Embedder, Protocol):
    """An embedder whose model also gives each token of a text a vector, in its context.

    What it gives depends on the model: its id changes when token vectors do. Optional; an embedder
    without it has late interaction by the static table (`TokenEmbedder`).
    """

    async def embed_tokens(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], list[bytes]]:
        """Return `embed(texts)`, and each document's packed token vectors (64 bytes each).

        b"" for a text that has none. `daybook.recall.ranking.token_vectors.as_bytes` packs rows of
        64 numbers; it makes a question's `QueryTokens.vectors` too.

        Raises:
            ProviderError: The model failed; says whether a retry may help.
        """
        ...

    async def embed_question(self, text: str) -> tuple[NDArray[np.float32], QueryTokens]:
        """Return a question's row, shape (dimensions,), and its tokens; none if it has none.

        Raises:
            ProviderError: The model failed; says whether a retry may help.
        """
        ...
