"""The database's tables, as numbered steps; opening a file runs the steps it lacks.

A message's key is its session's row number times 2**32 plus its sequence number, so a session's
messages lie side by side, in order, with no second index. A fork reads its older messages where
its ancestors wrote them: `segments` says from which rows, `stream_refs` who refers to a row.
Documents of the search index are keyed by their scope the same way. `pending` has one row for each
session that changed since it was settled; how far it changed stands in the session's own row, or,
if that is gone, in `removed` (its row number). So an append to a session that is pending already
writes no page of it.
Nor does it write `sessions_by_user`: a user's sessions are sorted by activity when they are listed.
Times are microseconds since 1970, UTC.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from daybook.engines.sqlite.driver_errors import ENGINE
from daybook.errors import ConfigError, SchemaVersionError

__all__ = ["APPLICATION_ID", "SPAN", "STEPS", "VERSION", "check_file", "migrate"]

APPLICATION_ID = 0x44415942  # "DAYB" in the file's header
SPAN = 1 << 32

_LOG_AND_RECORDS = (
    """CREATE TABLE sessions (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL, id TEXT NOT NULL, user_id TEXT NOT NULL,
        title TEXT, metadata BLOB,
        created_at INTEGER NOT NULL, last_active_at INTEGER NOT NULL,
        ttl INTEGER, expires_at INTEGER,
        first_seq INTEGER NOT NULL DEFAULT 1, last_seq INTEGER NOT NULL DEFAULT 0,
        message_count INTEGER NOT NULL DEFAULT 0, token_count INTEGER NOT NULL DEFAULT 0,
        changes INTEGER NOT NULL DEFAULT 0)""",
    "CREATE UNIQUE INDEX sessions_by_id ON sessions (tenant, id)",
    "CREATE INDEX sessions_by_user ON sessions (tenant, user_id)",
    "CREATE INDEX sessions_by_expiry ON sessions (expires_at) WHERE expires_at IS NOT NULL",
    """CREATE TABLE messages (
        key INTEGER PRIMARY KEY, role INTEGER NOT NULL, tokens INTEGER NOT NULL,
        body BLOB NOT NULL)""",
    """CREATE TABLE message_ids (
        session INTEGER NOT NULL, id BLOB NOT NULL, seq INTEGER NOT NULL,
        fingerprint BLOB NOT NULL, PRIMARY KEY (session, id)) WITHOUT ROWID""",
    """CREATE TABLE pending (
        row INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL, session_id TEXT NOT NULL, user_id TEXT NOT NULL,
        removed INTEGER NOT NULL DEFAULT 0)""",
    "CREATE UNIQUE INDEX pending_by_session ON pending (tenant, session_id, user_id)",
    """CREATE TABLE records (
        tenant TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL,
        version INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        expires_at INTEGER, provenance BLOB, value BLOB NOT NULL,
        PRIMARY KEY (tenant, namespace, key)) WITHOUT ROWID""",
    "CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL",
    """CREATE TABLE record_versions (
        tenant TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL,
        version INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
        expires_at INTEGER, provenance BLOB, value BLOB NOT NULL,
        PRIMARY KEY (tenant, namespace, key, version)) WITHOUT ROWID""",
)

_SEARCH_INDEX = (
    """CREATE TABLE index_scopes (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        tenant TEXT NOT NULL, user_id TEXT NOT NULL, collection TEXT NOT NULL,
        epoch INTEGER NOT NULL DEFAULT 0, next_document INTEGER NOT NULL DEFAULT 1)""",
    "CREATE UNIQUE INDEX index_scopes_by_name ON index_scopes (tenant, user_id, collection)",
    """CREATE TABLE index_groups (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        scope INTEGER NOT NULL, name TEXT NOT NULL, watermark INTEGER NOT NULL DEFAULT 0)""",
    "CREATE UNIQUE INDEX index_groups_by_name ON index_groups (scope, name)",
    "CREATE TABLE index_embedders (row INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    """CREATE TABLE index_vectors (
        scope INTEGER NOT NULL, embedder INTEGER NOT NULL, documents INTEGER NOT NULL,
        PRIMARY KEY (scope, embedder)) WITHOUT ROWID""",
    """CREATE TABLE index_documents (
        key INTEGER PRIMARY KEY, group_row INTEGER NOT NULL, position INTEGER NOT NULL,
        name BLOB NOT NULL, created_at INTEGER NOT NULL, role INTEGER NOT NULL,
        speaker TEXT NOT NULL, traits INTEGER NOT NULL, length INTEGER NOT NULL,
        embedder INTEGER NOT NULL, terms BLOB NOT NULL, tokens BLOB NOT NULL,
        vector BLOB NOT NULL)""",
    "CREATE UNIQUE INDEX index_documents_by_name ON index_documents (group_row, position, name)",
)

_FORKS_VIEWS_AND_GRANTS = (
    "ALTER TABLE sessions ADD COLUMN conversation_id TEXT",
    "ALTER TABLE sessions ADD COLUMN max_messages INTEGER",
    "ALTER TABLE sessions ADD COLUMN ancestors BLOB",
    "ALTER TABLE sessions ADD COLUMN grants BLOB",
    "ALTER TABLE sessions ADD COLUMN pins BLOB",
    "ALTER TABLE sessions ADD COLUMN segments BLOB",
    """CREATE TABLE stream_refs (
        stream INTEGER NOT NULL, session INTEGER NOT NULL, last_seq INTEGER NOT NULL,
        PRIMARY KEY (stream, session)) WITHOUT ROWID""",
    "CREATE INDEX stream_refs_by_session ON stream_refs (session)",
)

# Beside the documents, because only the best of a search are read.
_TOKEN_VECTORS = (
    "CREATE TABLE index_token_vectors (key INTEGER PRIMARY KEY, vectors BLOB NOT NULL)",
    """CREATE TRIGGER index_documents_gone AFTER DELETE ON index_documents
        BEGIN DELETE FROM index_token_vectors WHERE key = old.key; END""",
)

STEPS: tuple[tuple[str, ...], ...] = (
    _LOG_AND_RECORDS,
    _SEARCH_INDEX,
    _FORKS_VIEWS_AND_GRANTS,
    _TOKEN_VECTORS,
)
VERSION = len(STEPS)


def check_file(connection: sqlite3.Connection, path: Path) -> int:
    """Return the schema version of a file that is ours, or 0 for an empty one; only reads.

    Raises:
        SchemaVersionError: A newer Daybook wrote the file.
        ConfigError: The file belongs to another program.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables or application:
            raise ConfigError(
                f"{path.name} is an SQLite database of another program: choose another file"
            )
    if version > VERSION:
        raise SchemaVersionError(
            f"{path.name} has schema {version} and this Daybook knows up to {VERSION}: upgrade "
            "daybook to open it; nothing was changed",
            engine=ENGINE,
            operation="open",
        )
    return int(version)


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring an open database from `version` to `VERSION`; the caller holds the write lock.

    Atomicity: one transaction; a crash leaves the version that was there.
    """
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in STEPS[version:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
