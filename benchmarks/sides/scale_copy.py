"""Copies the documents of a file's index into another engine's."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

from benchmarks.sides.nearest_turns import documents_of
from daybook.engines.postgresql import open_engine
from daybook.model.index_document import IndexDocument
from daybook.model.scope import Scope
from daybook.protocols.clock import SystemClock
from daybook.recall.columns.blob_column import BlobColumn
from daybook.recall.columns.document_batch import DocumentBatch
from daybook.registry import parse_url

__all__ = ["copy_index"]

_AT_ONCE = 4_096
_SIZE = (
    "SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class AS c "
    "JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relkind = 'r'"
)


async def copy_index(path: Path, url: str, schema: str, user: str) -> dict[str, float]:
    """Put every document into PostgreSQL's index; return the rate and the bytes it takes."""
    engine = await open_engine(parse_url(url), clock=SystemClock())
    count, taken = 0, 0.0
    scope = Scope("default", user)
    for batch in documents_of(path):
        documents = _documents(batch)
        start = time.perf_counter()
        for first in range(0, len(documents), _AT_ONCE):
            await engine.index.put(scope, "turns", documents[first : first + _AT_ONCE])
        taken += time.perf_counter() - start
        count += len(documents)
    await engine.close()
    with psycopg.connect(url.partition("?")[0]) as connection:
        row = connection.execute(_SIZE, (schema,)).fetchone()
    return {"rate": count / taken, "disk": float(row[0] if row else 0)}


def _documents(batch: DocumentBatch) -> list[IndexDocument]:
    columns = zip(
        batch.keys, batch.groups, map(int, batch.positions), map(int, batch.created_at),
        map(int, batch.roles), batch.speakers, map(int, batch.traits), map(int, batch.lengths),
        BlobColumn.of(batch.terms).listed(), BlobColumn.of(batch.tokens).listed(),
        [None] * len(batch.keys) if batch.vectors is None else batch.vectors, strict=True,
    )  # fmt: skip
    return [
        IndexDocument(
            key=key, group=group, position=position, created_at=created_at, role=role,
            speaker=speaker, traits=traits, length=length, terms=terms, tokens=tokens,
            vector=vector, embedder=batch.embedder,
        )
        for key, group, position, created_at, role, speaker, traits, length, terms, tokens, vector
        in columns
    ]  # fmt: skip
