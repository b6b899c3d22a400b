"""Transactions and queries over indexed documents: plain functions of a connection."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, cast

from daybook.enginekit.column_cache import ScopeName
from daybook.enginekit.packed_ids import id_from_column, id_to_column
from daybook.engines.sqlite.schema import SPAN
from daybook.model.index_document import Collection, IndexDocument, IndexState
from daybook.model.scope import Scope
from daybook.recall.columns.vector_blobs import pack_vectors

__all__ = [
    "DOCUMENT_COLUMNS",
    "DocumentRow",
    "delete",
    "erase",
    "find_scope",
    "put",
    "stale",
    "state",
    "to_rows",
    "watermark",
]


# Places in what is inserted: key, group, position, name, …, embedder, terms, tokens, vector.
_PLACE = itemgetter(1, 2, 3)
_MADE_BY = itemgetter(9)

# What `to_rows` makes: group, position, name, created_at, role, speaker, traits, length,
# embedder's name, terms, tokens, vector, token vectors.
DocumentRow = tuple[Any, ...]

DOCUMENT_COLUMNS = (
    "position, name, created_at, role, speaker, traits, length, embedder, terms, tokens, vector"
)
_FIND_SCOPE = (
    "SELECT row, epoch, next_document FROM index_scopes "
    "WHERE tenant = ? AND user_id = ? AND collection = ?"
)
_FIND_GROUP = "SELECT row, watermark FROM index_groups WHERE scope = ? AND name = ?"
_INSERT = (
    f"INSERT OR IGNORE INTO index_documents (key, group_row, {DOCUMENT_COLUMNS}) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# Of a document that came twice in a batch only the last is there.
_INSERT_LATE = (
    "INSERT INTO index_token_vectors (key, vectors) "
    "SELECT key, ? FROM index_documents WHERE key = ?"
)
_COUNT = (
    "INSERT INTO index_vectors (scope, embedder, documents) VALUES (?, ?, ?) "
    "ON CONFLICT (scope, embedder) DO UPDATE SET documents = documents + excluded.documents"
)


def to_rows(documents: Sequence[IndexDocument]) -> list[DocumentRow]:
    """Return documents as columns for the database; vectors are packed together."""
    packed = pack_vectors([document.vector for document in documents])
    return [
        (
            document.group,
            document.position,
            id_to_column(document.key),
            document.created_at,
            document.role,
            document.speaker,
            document.traits,
            document.length,
            document.embedder,
            document.terms,
            document.tokens,
            vector,
            document.token_vectors,
        )
        for document, vector in zip(documents, packed, strict=True)
    ]


def find_scope(connection: sqlite3.Connection, name: ScopeName) -> tuple[int, int, int] | None:
    """Return a scope's row, epoch and next document number, or None before its first document."""
    found: tuple[int, int, int] | None = connection.execute(_FIND_SCOPE, name).fetchone()
    return found


def put(
    connection: sqlite3.Connection,
    *,
    name: ScopeName,
    rows: Sequence[DocumentRow],
    watermarks: Sequence[tuple[str, int]],
) -> None:
    """Write documents after all that the scope ever had, so that readers find what is new."""
    found = find_scope(connection, name)
    if found is None:
        connection.execute(
            "INSERT INTO index_scopes (tenant, user_id, collection) VALUES (?, ?, ?)", name
        )
        found = cast("tuple[int, int, int]", find_scope(connection, name))
    scope, _, number = found
    groups: dict[str, int] = {}
    embedders: dict[str, int] = {}
    written: list[tuple[Any, ...]] = []
    late: list[tuple[bytes, int]] = []
    for group, position, key, *middle, embedder, terms, tokens, vector, token_vectors in rows:
        document = scope * SPAN + number
        at = (document, _group(connection, scope, group, groups), position, key)
        made_by = _embedder(connection, embedder, embedders)
        written.append((*at, *middle, made_by, terms, tokens, vector))
        if token_vectors:
            late.append((token_vectors, document))
        number += 1
    _insert(connection, scope, written)
    connection.executemany(_INSERT_LATE, late)
    connection.executemany(
        _COUNT, [(scope, made_by, n) for made_by, n in Counter(map(_MADE_BY, written)).items()]
    )
    connection.execute("UPDATE index_scopes SET next_document = ? WHERE row = ?", (number, scope))
    for group, position in watermarks:
        connection.execute(
            "UPDATE index_groups SET watermark = max(watermark, ?) WHERE row = ?",
            (position, _group(connection, scope, group, groups)),
        )


def _insert(connection: sqlite3.Connection, scope: int, written: list[tuple[Any, ...]]) -> None:
    """Insert documents; those that are there already, or come twice, give way to the last."""
    connection.execute("SAVEPOINT documents")
    if connection.executemany(_INSERT, written).rowcount != len(written):
        connection.execute("ROLLBACK TO documents")
        for document in written:
            _drop(connection, scope, _PLACE(document))
            connection.execute(_INSERT, document)
    connection.execute("RELEASE documents")


def _drop(connection: sqlite3.Connection, scope: int, place: tuple[Any, ...]) -> None:
    """Remove the document at a place, if there is one, and take it out of the counts."""
    found = connection.execute(
        "DELETE FROM index_documents WHERE group_row = ? AND position = ? AND name = ? "
        "RETURNING embedder",
        place,
    ).fetchone()
    if found is not None:
        connection.execute(_COUNT, (scope, found[0], -1))


def _group(connection: sqlite3.Connection, scope: int, name: str, known: dict[str, int]) -> int:
    """Return a group's row; a new group is made."""
    if name not in known:
        found = connection.execute(_FIND_GROUP, (scope, name)).fetchone()
        if found is None:
            found = connection.execute(
                "INSERT INTO index_groups (scope, name) VALUES (?, ?) RETURNING row", (scope, name)
            ).fetchone()
        known[name] = found[0]
    return known[name]


def _embedder(connection: sqlite3.Connection, name: str, known: dict[str, int]) -> int:
    if name not in known:
        connection.execute("INSERT OR IGNORE INTO index_embedders (name) VALUES (?)", (name,))
        (known[name],) = connection.execute(
            "SELECT row FROM index_embedders WHERE name = ?", (name,)
        ).fetchone()
    return known[name]


def delete(
    connection: sqlite3.Connection,
    *,
    name: ScopeName,
    group: str,
    keys: Sequence[str] | None,
    before: int | None,
) -> int:
    """Remove a group, or some of its documents; readers see it by the scope's epoch."""
    found = find_scope(connection, name)
    if found is None:
        return 0
    scope = found[0]
    group_found = connection.execute(_FIND_GROUP, (scope, group)).fetchone()
    if group_found is None:
        return 0
    where, values = _which(group_found[0], keys, before)
    removed = _delete_where(connection, scope, where, values)
    if keys is None and before is None:
        connection.execute("DELETE FROM index_groups WHERE row = ?", (group_found[0],))
    return removed


def _which(
    group_row: int, keys: Sequence[str] | None, before: int | None
) -> tuple[str, list[tuple[Any, ...]]]:
    """Return a condition and its values, once for each statement to run."""
    bound = SPAN if before is None else before
    if keys is None:
        return "group_row = ? AND position < ?", [(group_row, bound)]
    return (
        "group_row = ? AND position < ? AND name = ?",
        [(group_row, bound, id_to_column(key)) for key in keys],
    )


def _delete_where(
    connection: sqlite3.Connection, scope: int, where: str, values: Iterable[tuple[Any, ...]]
) -> int:
    removed = 0
    for one in values:
        counts = connection.execute(
            f"SELECT embedder, count(*) FROM index_documents WHERE {where} GROUP BY embedder",
            one,
        ).fetchall()
        connection.execute(f"DELETE FROM index_documents WHERE {where}", one)
        connection.executemany(_COUNT, [(scope, made_by, -count) for made_by, count in counts])
        removed += sum(count for _, count in counts)
    if removed:
        connection.execute("UPDATE index_scopes SET epoch = epoch + 1 WHERE row = ?", (scope,))
    return removed


def erase(connection: sqlite3.Connection, *, names: Sequence[ScopeName]) -> int:
    """Remove every document, group and count of the named scopes."""
    removed = 0
    for name in names:
        found = find_scope(connection, name)
        if found is None:
            continue
        scope = found[0]
        gone = connection.execute(
            "DELETE FROM index_documents WHERE key > ? AND key < ?",
            (scope * SPAN, scope * SPAN + SPAN),
        )
        removed += gone.rowcount
        connection.execute("DELETE FROM index_groups WHERE scope = ?", (scope,))
        connection.execute("DELETE FROM index_vectors WHERE scope = ?", (scope,))
        connection.execute("DELETE FROM index_scopes WHERE row = ?", (scope,))
    return removed


def watermark(connection: sqlite3.Connection, *, name: ScopeName, group: str) -> int:
    """Return the position up to which a group is indexed; 0 for none."""
    found = find_scope(connection, name)
    group_found = found and connection.execute(_FIND_GROUP, (found[0], group)).fetchone()
    return group_found[1] if group_found else 0


def stale(
    connection: sqlite3.Connection, *, collection: Collection, embedder: str, limit: int
) -> list[tuple[Scope, str, str, int]]:
    """Return documents that were analysed under another embedder, scope by scope."""
    found = connection.execute("SELECT row FROM index_embedders WHERE name = ?", (embedder,))
    current = (found.fetchone() or (-1,))[0]
    scopes = connection.execute(
        "SELECT DISTINCT index_scopes.row, tenant, user_id FROM index_vectors "
        "JOIN index_scopes ON index_scopes.row = index_vectors.scope "
        "WHERE embedder <> ? AND documents > 0 AND collection = ?",
        (current, collection),
    ).fetchall()
    answer: list[tuple[Scope, str, str, int]] = []
    for row, tenant, user_id in scopes:
        documents = connection.execute(
            "SELECT index_groups.name, index_documents.name, position FROM index_documents "
            "JOIN index_groups ON index_groups.row = group_row "
            "WHERE key > ? AND key < ? AND embedder <> ? ORDER BY key LIMIT ?",
            (row * SPAN, row * SPAN + SPAN, current, limit - len(answer)),
        )
        scope = Scope(tenant, user_id)
        for group, key, position in documents:
            answer.append((scope, group, id_from_column(key), position))
        if len(answer) >= limit:
            break
    return answer


def state(connection: sqlite3.Connection, *, scope: Scope | None) -> IndexState:
    """Return documents per embedder, of one user or of all."""
    names = {
        "tenant": scope.tenant if scope else None,
        "user": scope.user_id if scope else None,
    }
    counts = connection.execute(
        "SELECT name, sum(documents) FROM index_vectors "
        "JOIN index_embedders ON index_embedders.row = embedder "
        "JOIN index_scopes ON index_scopes.row = scope "
        "WHERE (:tenant IS NULL OR tenant = :tenant) AND (:user IS NULL OR user_id = :user) "
        "GROUP BY name HAVING sum(documents) > 0",
        names,
    ).fetchall()
    return IndexState(documents=sum(count for _, count in counts), embedders=dict(counts))
