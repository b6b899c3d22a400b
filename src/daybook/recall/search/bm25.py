"""BM25: how much a document is about a query's words.

Source: Robertson & Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond, 2009,
https://doi.org/10.1561/1500000019. The inverse document frequency is Lucene's, which is never
negative; k1 and b are those that served conversations best in our own measurements.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["inverse_document_frequency", "length_penalty", "saturated"]

_K1 = 0.9
_B = 0.4

Floats = NDArray[np.float32]


def inverse_document_frequency(document_frequency: Floats, document_count: int) -> Floats:
    """Return ln(1 + (n - df + 1/2) / (df + 1/2)) of each term."""
    rarity = (document_count - document_frequency + 0.5) / (document_frequency + 0.5)
    return np.log1p(np.maximum(rarity, 0)).astype(np.float32)


def length_penalty(lengths: Floats, mean_length: float) -> Floats:
    """Return the part of BM25's denominator that depends on the document only."""
    return np.float32(_K1 * (1 - _B)) + lengths * np.float32(_K1 * _B / max(mean_length, 1e-9))


def saturated(counts: Floats, penalty: Floats) -> Floats:
    """Return counts * (k1 + 1) / (counts + penalty), 0 where a term does not occur."""
    return counts * np.float32(_K1 + 1) / (counts + penalty)
