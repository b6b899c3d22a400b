"""The turns nearest to some questions, by brute force over all vectors of a file's index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from daybook.engines.sqlite.connection import connect_reader
from daybook.engines.sqlite.document_reads import read_documents
from daybook.recall.columns.document_batch import DocumentBatch
from daybook.registry import load_embedder

__all__ = ["Wanted", "documents_of", "nearest_turns"]

_FARTHEST = -9.0
_ALIKE = 1e-6
_SPAN = 1 << 32


@dataclass(frozen=True)
class Wanted:
    """One filter: what restricts the search, and what each question should find under it.

    Attributes:
        name: For the table.
        only: Arguments of `CandidateQuery` that restrict.
        queries: Vectors of the questions.
        embedder: Who made them.
        nearest: Keys of the nearest turns of each question.
    """

    name: str
    only: dict[str, object]
    queries: NDArray[np.float32]
    embedder: str
    nearest: list[list[str]]


def documents_of(path: Path) -> Iterator[DocumentBatch]:
    """Yield all turns of the only user of a file."""
    connection = connect_reader(path)
    try:
        [(scope,)] = connection.execute(
            "SELECT row FROM index_scopes WHERE collection = 'turns'"
        ).fetchall()
        groups = connection.execute("SELECT row, name FROM index_groups")
        embedders = connection.execute("SELECT row, name FROM index_embedders")
        yield from read_documents(
            connection,
            after=scope * _SPAN,
            before=scope * _SPAN + _SPAN,
            groups=dict(groups.fetchall()),
            embedders=dict(embedders.fetchall()),
        )
    finally:
        connection.close()


async def nearest_turns(path: Path, texts: list[str], count: int) -> list[Wanted]:
    """Return the nearest turns of each question, without a filter and with several."""
    embedder = load_embedder("static")
    queries = await embedder.embed(texts, purpose="query")
    keys: list[str] = []
    groups: list[str] = []
    created: list[NDArray[np.int64]] = []
    similarities: list[NDArray[np.float32]] = []
    for batch in documents_of(path):
        if batch.vectors is None:
            raise RuntimeError("turns without vectors: was the file written by this benchmark?")
        keys += batch.keys
        groups += batch.groups
        created.append(np.asarray(batch.created_at, np.int64))
        similarities.append(queries @ batch.vectors.T)
    similarity = np.concatenate(similarities, axis=1)
    said = np.concatenate(created)
    names = list(dict.fromkeys(groups))
    numbers = dict(zip(names, range(len(names)), strict=True))
    group = np.fromiter((numbers[one] for one in groups), np.int64, len(groups))
    begin, late, end = (int(np.quantile(said, share)) for share in (0.5, 0.6, 0.61))
    some = names[:: max(1, min(97, len(names) // 3))]
    filters: list[tuple[str, dict[str, object], NDArray[np.bool_]]] = [
        ("no filter", {}, np.ones(len(said), np.bool_)),
        ("1 % by time", {"since": late, "until": end}, (said >= late) & (said < end)),
        ("half by time", {"since": begin}, said >= begin),
        (
            "1 % of sessions",
            {"groups": frozenset(some)},
            np.isin(group, [numbers[one] for one in some]),
        ),
        ("one session", {"groups": frozenset(names[-1:])}, group == numbers[names[-1]]),
    ]
    return [
        Wanted(name, dict(only), queries, embedder.id, _best(similarity, passes, keys, count))
        for name, only, passes in filters
    ]


def _best(
    similarity: NDArray[np.float32], passes: NDArray[np.bool_], keys: list[str], count: int
) -> list[list[str]]:
    """Return the keys of the highest rows that pass; of a tie at the end, none."""
    found: list[list[str]] = []
    for line in similarity:
        scores = np.where(passes, line, np.float32(_FARTHEST))
        count = min(count, int(passes.sum()))
        order = np.argpartition(-scores, count - 1)[:count]
        last = float(scores[order].min())
        if np.count_nonzero(scores >= last - _ALIKE) > count:
            order = order[scores[order] > last + _ALIKE]
        found.append([keys[row] for row in order.tolist()])
    return found
