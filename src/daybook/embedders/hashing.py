"""An embedder for tests and for trying things out: similar wording gives similar vectors.

Words and their three-letter parts are hashed to signed dimensions. It knows no meaning: "car" and
"automobile" are strangers. The same text gives the same vector on every machine and run.
"""

from __future__ import annotations

import functools
import zlib
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from daybook.embedders.inline_or_thread import embed_inline_or_in_thread
from daybook.embedders.word_tokenizer import words
from daybook.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from daybook.protocols.embedder import Purpose

__all__ = ["HashEmbedder", "from_spec"]

# About 1 ms of work.
_INLINE_CHARACTERS = 4_000
_WORD_SHARE, _TRIGRAM_SHARE = 1.0, 0.5
_DEFAULT_DIMENSIONS, _MOST_DIMENSIONS = 64, 4_096


class HashEmbedder:
    """Signed feature hashing of words and character trigrams."""

    def __init__(self, dimensions: int = _DEFAULT_DIMENSIONS) -> None:
        """Choose the width.

        Raises:
            ConfigError: `dimensions` is not between 1 and 4096.
        """
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise ConfigError(
                f"hash embedder: dimensions is {dimensions}, give 1 to {_MOST_DIMENSIONS}"
            )
        self._dimensions = dimensions

    @property
    def id(self) -> str:
        """Name, version and width."""
        return f"hash-1-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        """Width of a vector."""
        return self._dimensions

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit row for each text; a text without words gives a zero row."""
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word, count in Counter(words(text)).items():
                for digest, share in _features(word):
                    sign = 1 if digest >> 31 else -1
                    row[digest % self._dimensions] += sign * share * count
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        norms[norms == 0] = 1
        rows /= norms
        return rows

    async def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose = "document",  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Return one row for each text; documents and queries are treated alike."""
        return await embed_inline_or_in_thread(
            self.encode, texts, inline_characters=_INLINE_CHARACTERS
        )


@functools.lru_cache(maxsize=8_192)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    return tuple(_hashed(word))


def _hashed(word: str) -> Iterator[tuple[int, float]]:
    yield zlib.crc32(word.encode("utf-8", "surrogatepass")), _WORD_SHARE
    framed = f"<{word}>"
    for start in range(len(framed) - 2):
        trigram = framed[start : start + 3].encode("utf-8", "surrogatepass")
        yield zlib.crc32(trigram), _TRIGRAM_SHARE


def from_spec(spec: str) -> HashEmbedder:
    """Return an embedder of the width that `spec` names, 64 for "".

    Raises:
        ConfigError: `spec` is not a whole number from 1 to 4096.
    """
    if not spec:
        return HashEmbedder()
    if not (spec.isascii() and spec.isdecimal()):
        raise ConfigError(f"hash embedder: {spec!r} is not a number of dimensions, try hash:64")
    return HashEmbedder(int(spec))
