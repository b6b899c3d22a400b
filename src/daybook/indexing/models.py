"""What turns text into index documents: the analyser, the embedder and the token table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from daybook.errors import DaybookError, ProviderError
from daybook.protocols.embedder import (
    TOKEN_WIDTH,
    Embedder,
    Purpose,
    QueryTokens,
    TokenEmbedder,
    TokenVectorEmbedder,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from daybook.recall.text.analysis import Analysis, Analyzer

__all__ = ["AnalysedText", "Models"]

# Beyond these sizes a text is a document: its beginning stands for it.
_MOST_ANALYSED = 100_000
_MOST_EMBEDDED = 20_000
# About a millisecond of work: less is not worth a thread.
_INLINE_CHARACTERS = 4_000


class AnalysedText(Struct, frozen=True, eq=False):
    """One text as an index keeps it.

    Attributes:
        analysis: Stems, traits, length.
        tokens: Rows of the token table, packed.
        vector: Shape (d,), or None without an embedder or where nothing could be embedded.
        token_vectors: The embedder's vectors of telling tokens, packed; empty if it makes none.
    """

    analysis: Analysis
    tokens: bytes
    vector: NDArray[np.float32] | None
    token_vectors: bytes = b""


class Models:
    """Loads each part when it is first used, so that opening a daybook stays quick."""

    def __init__(
        self, embedder: Embedder | None, load_token_embedder: Callable[[], TokenEmbedder]
    ) -> None:
        self._embedder = embedder
        self._load_token_embedder = load_token_embedder

    @property
    def embedder(self) -> Embedder | None:
        """The embedder, or None: then words alone decide."""
        return self._embedder

    @property
    def embedder_id(self) -> str:
        """Id of the embedder; empty without one."""
        return "" if self._embedder is None else self._embedder.id

    @cached_property
    def _with_tokens(self) -> TokenVectorEmbedder | None:
        """The embedder, if it makes token vectors: asked once, for the answer takes its time."""
        return self._embedder if isinstance(self._embedder, TokenVectorEmbedder) else None

    @cached_property
    def analyzer(self) -> Analyzer:
        """The text analyser."""
        from daybook.recall.text.analysis import Analyzer  # noqa: PLC0415 - numpy loads on first use

        return Analyzer()

    @cached_property
    def token_embedder(self) -> TokenEmbedder:
        """The table of token vectors."""
        return self._load_token_embedder()

    async def analyse(self, texts: Sequence[str]) -> list[AnalysedText]:
        """Return texts analysed and embedded, in order. Much work happens on another thread.

        Raises:
            ProviderError: The embedder failed.
        """
        if sum(map(len, texts)) <= _INLINE_CHARACTERS:
            parts, vectors = self._analyse_all(texts)
        else:
            parts, vectors = await asyncio.to_thread(self._analyse_all, texts)
        packed = [b""] * len(texts)
        if vectors is None and texts:
            vectors, packed = await self._embed_documents([one[:_MOST_EMBEDDED] for one in texts])
        if vectors is None:
            return [AnalysedText(analysis, tokens, None) for analysis, tokens in parts]
        return [
            AnalysedText(analysis, tokens, vector if vector.any() else None, tokens_of_text)
            for (analysis, tokens), vector, tokens_of_text in zip(
                parts, vectors, packed, strict=True
            )
        ]

    async def embed(
        self, texts: Sequence[str], *, purpose: Purpose = "document"
    ) -> NDArray[np.float32] | None:
        """Return a row for each text; None without an embedder.

        Raises:
            ProviderError: The embedder failed.
        """
        if self._embedder is None or not texts:
            return None
        with self._provider_errors():
            return await self._embedder.embed(texts, purpose=purpose)

    async def embed_question(
        self, text: str
    ) -> tuple[NDArray[np.float32] | None, QueryTokens | None]:
        """Return a question's vector, None if it has none, and its tokens.

        None if the embedder makes no token vectors, or none of this text.

        Raises:
            ProviderError: The embedder failed.
        """
        if self._with_tokens is None:
            rows = await self.embed([text], purpose="query")
            return (None if rows is None or not rows[0].any() else rows[0]), None
        with self._provider_errors():
            row, tokens = await self._with_tokens.embed_question(text)
        return (row if row.any() else None), (tokens if len(tokens.worth) else None)

    async def _embed_documents(
        self, texts: Sequence[str]
    ) -> tuple[NDArray[np.float32] | None, list[bytes]]:
        """Return a row and packed token vectors for each text, from one run of the model."""
        if self._with_tokens is None:
            return await self.embed(texts), [b""] * len(texts)
        with self._provider_errors():
            rows, packed = await self._with_tokens.embed_tokens(texts)
        if len(packed) != len(texts) or any(len(one) % TOKEN_WIDTH for one in packed):
            raise ProviderError(
                f"embed_tokens must give, for each of {len(texts)} texts, bytes whose number "
                f"{TOKEN_WIDTH} divides",
                provider=self.embedder_id,
            )
        return rows, packed

    @contextmanager
    def _provider_errors(self) -> Iterator[None]:
        """Turn what an embedder raises into a ProviderError."""
        try:
            yield
        except DaybookError:
            raise
        except Exception as exc:
            raise ProviderError(
                f"the embedder raised {type(exc).__name__}", provider=self.embedder_id
            ) from exc

    def _analyse_all(
        self, texts: Sequence[str]
    ) -> tuple[list[tuple[Analysis, bytes]], NDArray[np.float32] | None]:
        """Return each text's analysis and token rows, and vectors where they come from those."""
        analyse, token_ids = self.analyzer.analyse, self.token_embedder.token_ids
        rows = [token_ids(text[:_MOST_EMBEDDED]) for text in texts]
        parts = [
            (analyse(text[:_MOST_ANALYSED]), ids.tobytes())
            for text, ids in zip(texts, rows, strict=True)
        ]
        if self.embedder_id != self.token_embedder.id:
            return parts, None
        return parts, self.token_embedder.encode_ids(rows)
