"""Searching scopes too large to be held: pgvector and a tsvector answer both legs.

`schema_legs` has the tables. What the database finds are rows of `OutsideColumns`; from there on
the search is the one of every engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from daybook.enginekit.column_cache import ScopeName
from daybook.engines.postgresql.index_columns import Database, Held, scope_arguments
from daybook.model.candidates import CandidateQuery, Candidates
from daybook.recall.outside_columns import NumberedVectors, OutsideColumns
from daybook.recall.term_blobs import unpack_many_terms
from daybook.recall.vector_blobs import unpack_vectors

__all__ = ["Legs"]

_SCOPE = "%b::bytea, %b::bytea, %b::text"
_UNFILLED = f"SELECT * FROM {{schema}}.index_unfilled({_SCOPE}, %b::int8)"
_FILL = (
    f"SELECT {{schema}}.index_fill({_SCOPE}, %b::int8, %b::int8, %b::int8[], %b::int4[], "
    "%b::float4[], %b::text[], %b::text[], %b::bytea[])"
)
_NEAR = f"SELECT * FROM {{schema}}.index_near({_SCOPE}, %b::bytea, %b::text)"
_WORDED = f"SELECT * FROM {{schema}}.index_worded({_SCOPE}, %b::text[])"
_PARTS = f"SELECT * FROM {{schema}}.index_parts({_SCOPE}, %b::int8[], %b::bool)"

# Documents filled in at once: about a second, and 3 MB on the way.
_AT_ONCE = 2_000
_SCALE_BYTES = 4
# An array as bytes: 20 of a header, then each element behind its length.
_HEADER = 20
_NUMBERS = np.dtype([("size", ">i4"), ("value", ">i8")])
_COSINES = np.dtype([("size", ">i4"), ("value", ">f4")])

Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]


class Legs:
    """Both legs of a search, for scopes of which only `OutsideColumns` are held."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fill(self, name: ScopeName) -> None:
        """Make every document of a scope, written before this call, known to both legs.

        Several may do so at once: each piece is added by one of them. Repeatable.
        """
        scope = scope_arguments(name)
        while True:
            arguments = (*scope, _AT_ONCE)
            (begin, *_), *rows = await self._database.fetch("index", _UNFILLED, arguments)
            if not rows:
                return
            arguments = (*scope, begin, *_leg_arguments(rows))
            [row] = await self._database.fetch("index", _FILL, arguments)
            if row[0] and len(rows) < _AT_ONCE:
                return  # else there is more, or others were first with less

    async def settle(self, name: ScopeName, held: Held, columns: OutsideColumns) -> None:
        """Compute what the columns do not know of neighbours' vectors."""
        wanted = await held.run(columns.wanted)
        found: list[NumberedVectors] = []
        if len(wanted):
            found = _vectors(await self._parts(name, wanted, vectors=True))
        await held.run(lambda: columns.settle(found))

    async def candidates(
        self, name: ScopeName, held: Held, columns: OutsideColumns, query: CandidateQuery
    ) -> Candidates:
        """Return what may answer a query.

        Cost: a scan of the scope's vectors in the database, 1 to 3 µs a document of 256
        numbers, and three round trips.
        """
        await self.fill(name)
        near, worded = await self._near(name, query), await self._worded(name, query)

        def search() -> tuple[Candidates, Numbers] | None:
            if not columns.is_settled:  # others have added documents meanwhile
                return None
            return columns.candidates(query, columns.legs(query.full_terms, worded, near))

        while (answer := await held.run(search)) is None:
            await self.settle(name, held, columns)
        found, numbers = answer
        rows = await self._parts(name, numbers[found.eligible], vectors=False)
        return _with_tokens(found, numbers, rows)

    async def _near(self, name: ScopeName, query: CandidateQuery) -> tuple[Numbers, Floats]:
        if query.vector is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        vector = _vector_text(query.vector.tolist())
        arguments = (*scope_arguments(name), query.embedder.encode(), vector)
        [(numbers, cosines, *_)] = await self._database.fetch("search", _NEAR, arguments)
        if numbers is None:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        return (
            np.frombuffer(numbers, _NUMBERS, offset=_HEADER)["value"].astype(np.int64),
            np.frombuffer(cosines, _COSINES, offset=_HEADER)["value"].astype(np.float32),
        )

    async def _worded(
        self, name: ScopeName, query: CandidateQuery
    ) -> tuple[Numbers, Sequence[bytes]]:
        rows: list[tuple[Any, ...]] = []
        if query.full_terms:
            stems = [f"{term:x}" for term in query.full_terms]
            arguments = (*scope_arguments(name), stems)
            rows = await self._database.fetch("search", _WORDED, arguments)
        return np.array([row[0] for row in rows], np.int64), [row[1] for row in rows]

    async def _parts(
        self, name: ScopeName, numbers: Numbers, *, vectors: bool
    ) -> list[tuple[Any, ...]]:
        arguments = (*scope_arguments(name), numbers.tolist(), vectors)
        return await self._database.fetch("search", _PARTS, arguments)


def _leg_arguments(rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return the arguments of ``index_fill`` from ``p_to`` on."""
    numbers, embedders, terms, vectors, *_ = zip(*rows, strict=True)
    scales: list[float | None] = []
    embeddings: list[str | None] = []
    for blob in vectors:
        values = np.frombuffer(blob, np.int8, offset=_SCALE_BYTES if blob else 0)
        scales.append(float(1 / np.linalg.norm(values.astype(np.float32))) if blob else None)
        embeddings.append(_vector_text(values.tolist()) if blob else None)
    hashes, _, sizes = unpack_many_terms(terms)
    words = iter(f"{stem:x}" for stem in hashes.tolist())
    stems = [" ".join(next(words) for _ in range(size)) for size in sizes.tolist()]
    return (
        numbers[-1],
        list(numbers),
        list(embedders),
        scales,
        embeddings,
        stems,
        list(terms),
    )


def _vector_text(values: Sequence[float]) -> str:
    return str(values)


def _vectors(rows: Sequence[tuple[Any, ...]]) -> list[NumberedVectors]:
    """Return vectors of ``index_parts`` by embedder."""
    found: list[NumberedVectors] = []
    held = sorted((row for row in rows if row[2]), key=lambda row: (row[1], row[0]))
    for embedder, run in groupby(held, key=lambda row: row[1]):
        part = list(run)
        vectors = unpack_vectors([row[2] for row in part])
        if vectors is not None:
            found.append((embedder.decode(), np.array([row[0] for row in part]), vectors))
    return found


def _with_tokens(
    found: Candidates, numbers: Numbers, rows: Sequence[tuple[Any, ...]]
) -> Candidates:
    """Return candidates with the token ids of the rows that may be returned."""
    blobs = [row[2] for row in rows]
    order = np.argsort(numbers)
    places = order[np.searchsorted(numbers, [row[0] for row in rows], sorter=order)]
    sizes = np.zeros(len(numbers), np.int64)
    sizes[places] = np.array([len(blob) // 2 for blob in blobs], np.int64)
    starts = np.zeros(len(numbers), np.int64)
    ends_of_blobs = np.cumsum(sizes[places])
    starts[places] = ends_of_blobs - sizes[places]
    tokens = np.frombuffer(b"".join(blobs), "<u2").astype(np.uint16)
    return replace(found, token_ids=tokens, token_starts=starts, token_ends=starts + sizes)
