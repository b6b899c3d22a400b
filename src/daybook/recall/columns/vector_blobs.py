"""Vectors as bytes of an engine's rows: a float32 scale, then one int8 for each component.

The largest component becomes 127; cosines change by less than 0.002 for 256 components. A vector
that is all zero, or absent, is an empty blob.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from daybook.recall.columns.blob_column import BlobColumn

__all__ = ["pack_vectors", "unpack_vectors"]

_SCALE_BYTES = 4


def pack_vectors(vectors: Sequence[NDArray[np.float32] | None]) -> list[bytes]:
    """Return a blob for each vector. Cost: about 2 µs a vector."""
    filled = [at for at, vector in enumerate(vectors) if vector is not None]
    blobs = [b""] * len(vectors)
    if not filled:
        return blobs
    rows = np.stack([np.asarray(vectors[at], np.float32) for at in filled])
    scales = np.abs(rows).max(axis=1) / 127
    safe = np.where(scales > 0, scales, 1).astype(np.float32)
    quantised = np.rint(rows / safe[:, None]).astype(np.int8)
    packed = np.hstack([scales.astype("<f4")[:, None].view(np.uint8), quantised.view(np.uint8)])
    width = packed.shape[1]
    joined = packed.tobytes()
    for number, at in enumerate(filled):
        if scales[number] > 0:
            blobs[at] = joined[number * width : (number + 1) * width]
    return blobs


def unpack_vectors(blobs: BlobColumn | Sequence[bytes]) -> NDArray[np.float32] | None:
    """Return blobs as unit rows, shape (n, d), zero rows for empty ones; None if all are empty.

    Args:
        blobs: Blobs of `pack_vectors`, all of the same width or empty.
    """
    column = BlobColumn.of(blobs)
    filled = np.flatnonzero(column.sizes)
    if not len(filled):
        return None
    packed = np.frombuffer(column.joined, np.uint8).reshape(len(filled), -1)
    rows = packed[:, _SCALE_BYTES:].view(np.int8).astype(np.float32)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    rows /= norms[:, None]
    if len(filled) == len(column):
        return rows
    vectors = np.zeros((len(column), rows.shape[1]), np.float32)
    vectors[filled] = rows
    return vectors
