"""The vectors that one embedder made of a scope's documents, in 5 bits a number instead of 32.

Each vector is kept less the centre of its space: the signs of its numbers, by which a million
vectors are compared with a query in some milliseconds, and its numbers in 15 steps, from which a
cosine comes within about 0.007 (standard deviation; 256 numbers of the bundled table).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daybook.recall.columns.growing_array import GrowingArray
from daybook.recall.columns.vector_space import VectorSpace

__all__ = ["CodeSpace"]

_STEPS = 7  # to each side of 0
_WORD_BITS = 64
_FARTHEST = np.iinfo(np.uint16).max
# Rows at a time: codes of so many, and what is computed of them, stay in a core's cache.
_SCANNED = 32_768
_DECODED = 1_024
_PACKED = 1_024
# The centre of fewer vectors says little of those to come.
_FEWEST_CENTRED = 1_024
_MOST_CENTRED = 16_384
# Signs count three times where the query's number is among its largest: nearly what its exact
# numbers would tell (of the ten nearest of 500,000 all among the best 4,000; by bare signs alone
# 97.8 %, but all among the best 16,000).
_LARGE_SHARE = 0.35
# The query is moved half as far to the centre as the vectors: of the ten nearest of 60,000 99.2 %
# are then among the best 500; 98.1 % if it is not moved, 98.8 % if it is moved as far.
_QUERY_CENTRED = np.float32(0.5)
# A byte holds a number of the first half and one of the second, 16 times as high; 0 is kept as 8.
_ZERO = np.float32(_STEPS + 1)
_LOW, _HIGH, _LOWERED = np.uint8(15), np.uint8(240), np.float32(1 / 16)

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Words = list[NDArray[np.uint64]]


@dataclass(frozen=True, slots=True, eq=False)
class _AskedSigns:
    """A query as words of bits: its signs, and where its numbers are large, if that counts."""

    signs: NDArray[np.uint64]
    large: NDArray[np.uint64] | None


class CodeSpace:
    """Codes of a stretch of document rows; some rows may have none."""

    def __init__(self, width: int, first_row: int, centre: Floats | None = None) -> None:
        """Start empty; no document before `first_row` will have a vector here."""
        self._first = first_row
        self._width = width
        self._centre = np.zeros(width, np.float32) if centre is None else centre
        self._words: list[GrowingArray[np.uint64]] = [
            GrowingArray(np.uint64) for _ in range(-(-width // _WORD_BITS))
        ]
        # Half precision is ten times finer than the numbers in steps.
        self._steps: GrowingArray[np.float16] = GrowingArray(np.float16)
        self._along: GrowingArray[np.float16] = GrowingArray(np.float16)  # products with the centre
        self._codes: GrowingArray[np.uint8] = GrowingArray(np.uint8, (width + 1) // 2)
        self._present: GrowingArray[np.bool_] = GrowingArray(np.bool_)

    @classmethod
    def around(cls, vectors: Floats, first_row: int) -> CodeSpace:
        """Return an empty space whose centre is that of `vectors`, if they are many."""
        some = vectors[:: max(1, len(vectors) // _MOST_CENTRED)]
        some = some[some.any(axis=1)]
        centre = some.mean(axis=0) if len(some) >= _FEWEST_CENTRED else None
        return cls(vectors.shape[1], first_row, centre)

    @classmethod
    def of(cls, space: VectorSpace) -> CodeSpace:
        """Return codes of whole vectors."""
        codes = cls.around(space.vectors, space.first_row)
        codes.extend(space.first_row, space.vectors)
        return codes

    @property
    def width(self) -> int:
        """Numbers in a vector."""
        return self._width

    @property
    def nbytes(self) -> int:
        """Bytes taken."""
        return sum(column.nbytes for column in self._columns())

    def reserve(self, rows: int) -> None:
        """Make room for so many document rows in all."""
        for column in self._columns():
            column.reserve(rows - self._first)

    def extend(self, first_row: int, vectors: Floats) -> None:
        """Add the vectors of document rows from `first_row` on, beyond all rows added before.

        Cost: about 1 µs a vector of 256 numbers.
        """
        gap = first_row - self._first - len(self._present)
        if gap:
            self._append(np.zeros((gap, self._width), np.float32))
        for begin in range(0, len(vectors), _PACKED):
            self._append(vectors[begin : begin + _PACKED])

    def presence(self, rows: Rows) -> NDArray[np.bool_]:
        """Return which of some document rows have a vector."""
        return self._inside(rows)

    def distances(self, query: Floats, distances: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Write how many signs of each document row differ from those of `query`.

        Args:
            query: A vector.
            distances: Filled: one for each row; without a vector it is farthest, at 65,535.

        Cost: 4 ns a row of 256 numbers.
        """
        asked = _AskedSigns(_bit_words((self._moved(query) > 0)[None])[0], None)
        words = [column.view for column in self._words]
        held = len(self._present)
        for begin in range(0, held, _SCANNED):
            end = min(begin + _SCANNED, held)
            found = distances[self._first + begin : self._first + end]
            _compare([column[begin:end] for column in words], asked, found)
        for missing in (distances[: self._first], distances[self._first + held :]):
            missing[:] = _FARTHEST
        if not self._present.view.all():
            distances[self._first : self._first + held][~self._present.view] = _FARTHEST
        return distances

    def finer_distances(self, query: Floats, rows: Rows) -> NDArray[np.uint16]:
        """Return such distances of some rows, differences where the query is large counted thrice.

        They compare with each other only. Cost: about 20 ns a row of 256 numbers.
        """
        moved = self._moved(query)
        amounts = np.abs(moved)
        large = amounts > np.quantile(amounts, 1 - _LARGE_SHARE)
        asked = _AskedSigns(_bit_words((moved > 0)[None])[0], _bit_words(large[None])[0])
        places, inside = self._places(rows)
        distances = np.full(len(rows), _FARTHEST, np.uint16)
        found = np.empty(len(places), np.uint16)
        _compare([column.take(places) for column in self._words], asked, found)
        distances[inside] = found
        return distances

    def similarity(self, query: Floats, rows: Rows) -> Floats:
        """Return the cosines of some document rows to `query`; 0 without a vector.

        Cost: about 0.15 µs a row of 256 numbers.
        """
        places, inside = self._places(rows)
        products = self._products(query.astype(np.float32), places)
        similarity = np.zeros(len(rows), np.float32)
        similarity[inside] = products * self._steps.take(places) + np.dot(self._centre, query)
        return similarity

    def _products(self, query: Floats, places: Rows) -> Floats:
        """Return the products of `query` with vectors' numbers, in steps from the centre.

        A whole byte is a number of the first half and 16 times one of the second, and so the
        second half need not be cut out of it.
        """
        lower, upper = np.pad(query, (0, self._width % 2)).reshape(2, -1)
        upper = upper * _LOWERED
        lower = lower - upper
        products = np.empty(len(places), np.float32)
        for begin in range(0, len(places), _DECODED):
            codes = self._codes.take(places[begin : begin + _DECODED])
            found = products[begin : begin + _DECODED]
            np.vecdot(codes.astype(np.float32), upper, out=found)
            codes &= _LOW
            found += np.vecdot(codes.astype(np.float32), lower)
        products -= _ZERO * query.sum()
        return products

    def dots(self, left: Rows, right: Rows) -> Floats:
        """Return the dot products of pairs of document rows; 0 where one has no vector here."""
        products = np.zeros(len(left), np.float32)
        both = np.flatnonzero(self._inside(left) & self._inside(right))
        left, right = left[both] - self._first, right[both] - self._first
        for begin in range(0, len(both), _DECODED):
            part = slice(begin, begin + _DECODED)
            products[both[part]] = self._pair_dots(left[part], right[part])
        return products

    def _pair_dots(self, left: Rows, right: Rows) -> Floats:
        found: Floats = np.zeros(len(left), np.float32)
        for ours, theirs in zip(self._halves(left), self._halves(right), strict=True):
            found += np.vecdot(ours, theirs)
        for rows in (left, right):
            found *= self._steps.take(rows)
        for rows in (left, right):
            found += self._along.take(rows)
        found += np.dot(self._centre, self._centre)
        return found

    def kept(self, rows: Rows) -> CodeSpace:
        """Return the space in which the ascending document `rows` are numbered from 0 on."""
        inside = np.flatnonzero((rows >= self._first) & (rows < self._first + len(self._present)))
        space = CodeSpace(self._width, int(inside[0]) if len(inside) else 0, self._centre)
        places = rows[inside] - self._first
        for ours, theirs in zip(self._columns(), space._columns(), strict=True):
            theirs.extend(ours.take(places))
        return space

    def _columns(self) -> list[GrowingArray[np.generic]]:
        return [*self._words, self._steps, self._along, self._codes, self._present]  # type: ignore[list-item] # of several dtypes

    def _append(self, vectors: Floats) -> None:
        centred = vectors - self._centre
        for column, bits in zip(self._words, _bit_words(centred > 0).T, strict=True):
            column.extend(bits)
        steps = np.maximum(centred.max(axis=1), -centred.min(axis=1)) / np.float32(_STEPS)
        steps = steps.astype(np.float16).astype(np.float32)
        self._steps.extend(steps)
        self._along.extend(centred @ self._centre)
        centred *= 1 / np.where(steps > 0, steps, np.float32(1))[:, None]
        centred += _ZERO
        numbers = np.rint(centred, out=centred).astype(np.uint8)
        if self._width % 2:
            numbers = np.pad(numbers, ((0, 0), (0, 1)), constant_values=_STEPS + 1)
        half = numbers.shape[1] // 2
        upper = numbers[:, half:] << np.uint8(4)
        upper |= numbers[:, :half]
        self._codes.extend(upper)
        self._present.extend(vectors.any(axis=1))

    def _moved(self, query: Floats) -> Floats:
        moved: Floats = query - _QUERY_CENTRED * self._centre
        return moved

    def _inside(self, rows: Rows) -> NDArray[np.bool_]:
        inside = (rows >= self._first) & (rows < self._first + len(self._present))
        inside[inside] = self._present.take(rows[inside] - self._first)
        return inside

    def _places(self, rows: Rows) -> tuple[Rows, NDArray[np.bool_]]:
        """Return the places here of the rows that have a vector, and which rows those are."""
        inside = self._inside(rows)
        return rows[inside] - self._first, inside

    def _halves(self, places: Rows) -> tuple[Floats, Floats]:
        """Return both halves of vectors' numbers, in steps from the centre."""
        codes = self._codes.take(places)
        low, high = (codes & _LOW).astype(np.float32), (codes & _HIGH).astype(np.float32)
        high *= _LOWERED
        low -= _ZERO
        high -= _ZERO
        return low, high


def _bit_words(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Return rows of bits as 64-bit words, the last one filled up with zeros."""
    missing = -bits.shape[1] % _WORD_BITS
    if missing:
        bits = np.pad(bits, ((0, 0), (0, missing)))
    return np.packbits(bits, axis=1).view(np.uint64)


def _compare(words: Words, asked: _AskedSigns, found: NDArray[np.uint16]) -> None:
    """Write into `found` how many signs differ, those of large numbers three times."""
    found[:] = 0
    differing = np.empty(len(found), np.uint64)
    counts = np.empty(len(found), np.uint8)
    for place, column in enumerate(words):
        np.bitwise_xor(column, asked.signs[place], out=differing)
        np.bitwise_count(differing, out=counts)
        found += counts
        if asked.large is not None:
            np.bitwise_and(differing, asked.large[place], out=differing)
            np.bitwise_count(differing, out=counts)
            found += counts
            found += counts
