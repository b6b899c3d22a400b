"""The contract of `Embedder`: inherit `EmbedderContract`, implement ``make``."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from daybook.protocols.embedder import Embedder, Purpose
from daybook.testing.odd_data import ODD_TEXTS

__all__ = ["EmbedderContract"]

_TEXTS = ["My dog is called Rex.", "The train leaves at noon.", "Ich trinke gern Tee.", "今日は"]
_PURPOSES: tuple[Purpose, ...] = ("document", "query")


class EmbedderContract(ABC):
    """Every promise of `daybook.protocols.embedder`.

    Attributes:
        tolerance: How far a vector may move with the batch it is computed in.
        longest: The longest of the odd texts that is tried; slow models cut this.
    """

    tolerance: ClassVar[float] = 1e-4
    longest: ClassVar[int] = 20_000_000

    @abstractmethod
    def make(self) -> Embedder:
        """Return the embedder to test; each call may return the same one."""

    def test_shape_kind_and_length(self) -> None:
        """One float32 row for each text, of length one, as wide as declared.

        A text in a script that the embedder was not made for may have a zero row.
        """
        embedder = self.make()
        for purpose in _PURPOSES:
            rows = asyncio.run(embedder.embed(_TEXTS, purpose=purpose))
            assert rows.shape == (len(_TEXTS), embedder.dimensions)
            assert rows.dtype == np.float32
            lengths = np.linalg.norm(rows, axis=1)
            assert np.allclose(lengths[:-1], 1, atol=1e-3)
            assert np.allclose(lengths[-1], float(rows[-1].any()), atol=1e-3)

    def test_no_texts_give_no_rows(self) -> None:
        """The width is kept."""
        embedder = self.make()
        assert asyncio.run(embedder.embed([])).shape == (0, embedder.dimensions)

    def test_an_empty_text_gives_a_zero_row(self) -> None:
        """Nothing was said, so it is near nothing."""
        rows = asyncio.run(self.make().embed(["", "dog", ""]))
        assert not rows[0].any()
        assert not rows[2].any()
        assert rows[1].any()

    def test_a_vector_depends_on_its_text_only(self) -> None:
        """Not on the texts beside it, their order or how often it was asked."""
        embedder = self.make()
        together = asyncio.run(embedder.embed(_TEXTS))
        alone = np.vstack([asyncio.run(embedder.embed([text])) for text in _TEXTS])
        turned = asyncio.run(embedder.embed(_TEXTS[::-1]))[::-1]
        assert np.allclose(together, alone, atol=self.tolerance)
        assert np.allclose(together, turned, atol=self.tolerance)

    def test_equal_texts_are_nearer_than_others(self) -> None:
        """The dot product says how alike two texts are."""
        rows = asyncio.run(self.make().embed([*_TEXTS, _TEXTS[0]]))
        alike = rows @ rows[0]
        assert alike[-1] > 0.99
        assert all(alike[1:-1] < alike[-1])

    def test_odd_texts_embed_to_finite_rows(self) -> None:
        """NUL, controls, bidi, emoji, and long ones; unit length or zero."""
        texts = [text for text in ODD_TEXTS.values() if len(text) <= self.longest]
        rows = asyncio.run(self.make().embed(texts))
        norms = np.linalg.norm(rows, axis=1)
        assert np.isfinite(rows).all()
        assert np.all((norms < 1e-6) | (np.abs(norms - 1) < 1e-3))

    def test_the_id_names_one_model(self) -> None:
        """Two instances of one kind have one id and the same vectors."""
        one, other = self.make(), self.make()
        assert one.id
        assert (one.id, one.dimensions) == (other.id, other.dimensions)
        first, second = asyncio.run(one.embed(_TEXTS)), asyncio.run(other.embed(_TEXTS))
        assert np.allclose(first, second, atol=self.tolerance)

    def test_callers_at_once_get_their_own_rows(self) -> None:
        """Concurrent calls do not mix."""
        embedder = self.make()

        async def all_at_once() -> list[bool]:
            found = await asyncio.gather(*(embedder.embed([text]) for text in _TEXTS * 5))
            expected = await embedder.embed(_TEXTS * 5)
            return [
                np.allclose(one[0], row, atol=self.tolerance)
                for one, row in zip(found, expected, strict=True)
            ]

        assert all(asyncio.run(all_at_once()))
