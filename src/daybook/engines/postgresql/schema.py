"""The database's tables and functions, as numbered steps; opening it runs the steps it lacks.

Everything is in a schema of its own. A step's statements hold ``{schema}`` for its name, and, where
a function says whose data its transaction is about, one of the words of `_SETTINGS`.
"""

from __future__ import annotations

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql.driver_errors import ENGINE
from daybook.engines.postgresql.schema_append import APPEND_FUNCTIONS
from daybook.engines.postgresql.schema_columns import INDEX_COLUMNS
from daybook.engines.postgresql.schema_extend import EXTEND_RECORDS
from daybook.engines.postgresql.schema_index import SEARCH_INDEX
from daybook.engines.postgresql.schema_listing import INDEX_LISTING
from daybook.engines.postgresql.schema_packed import PACKED_BODIES
from daybook.engines.postgresql.schema_reads import READ_FUNCTIONS
from daybook.engines.postgresql.schema_records import RECORD_FUNCTIONS
from daybook.engines.postgresql.schema_sessions import SESSION_FUNCTIONS
from daybook.engines.postgresql.schema_tables import TABLES
from daybook.engines.postgresql.schema_token_vectors import TOKEN_VECTORS
from daybook.errors import ConfigError, SchemaVersionError

__all__ = ["STEPS", "VERSION", "prepare", "render"]

_LOG_AND_RECORDS = (
    *TABLES,
    *SESSION_FUNCTIONS,
    *APPEND_FUNCTIONS,
    *READ_FUNCTIONS,
    *RECORD_FUNCTIONS,
)

STEPS: tuple[tuple[str, ...], ...] = (
    _LOG_AND_RECORDS,
    SEARCH_INDEX,
    EXTEND_RECORDS,
    INDEX_LISTING,
    INDEX_COLUMNS,
    TOKEN_VECTORS,
    PACKED_BODIES,
)
VERSION = len(STEPS)

_TENANT = "set_config('daybook.tenant', encode(p_tenant, 'hex'), true)"
_USER = "set_config('daybook.user', coalesce(encode(p_user, 'hex'), ''), true)"
_MAINTENANCE = "set_config('daybook.maintenance', 'on', true)"
# An assignment to `v_setting` costs a fifth of a query, so frequent functions declare it.
_SETTINGS = {
    "set_scope": f"v_setting := {_TENANT} || {_USER};",
    "set_tenant": f"v_setting := {_TENANT};",
    "set_maintenance": f"v_setting := {_MAINTENANCE};",
    "set_some_scope": (
        f"IF p_tenant IS NULL THEN v_setting := {_MAINTENANCE}; "
        f"ELSE v_setting := {_TENANT} || {_USER}; END IF;"
    ),
    "enter": f"PERFORM {_TENANT}, {_USER};",
    "enter_all": f"PERFORM {_MAINTENANCE};",
    "enter_some": (
        f"IF p_tenant IS NULL THEN PERFORM {_MAINTENANCE}; ELSE PERFORM {_TENANT}, {_USER}; END IF;"
    ),
}
_INSTALLATION = (
    "CREATE TABLE IF NOT EXISTS {schema}.installation (version integer NOT NULL)",
    """INSERT INTO {schema}.installation SELECT 0
        WHERE NOT EXISTS (SELECT FROM {schema}.installation)""",
)
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('daybook:' || %s, 0))"


def render(statement: str, schema: str) -> str:
    """Return a step's statement for a schema; its name is a checked, plain identifier."""
    for word, setting in _SETTINGS.items():
        statement = statement.replace(f"{{{word}}}", setting)
    return statement.replace("{schema}", schema)


async def prepare(connection: AsyncConnection, schema: str) -> None:
    """Create what is missing in the database, at the present version.

    Atomicity: one transaction, and one caller at a time; a crash leaves the version that was there.
    A database that is up to date is only read.

    Raises:
        SchemaVersionError: A newer Daybook prepared it.
        ConfigError: The schema belongs to another program, or the role may not create what is
            missing.
    """
    version = await _version(connection, schema)
    if version == VERSION:
        return
    _check(version, schema)
    try:
        async with connection.transaction():
            await connection.execute(_LOCK, (schema,))
            await _migrate(connection, schema)
    except psycopg.errors.InsufficientPrivilege:
        raise ConfigError(
            f"postgresql: this role may not prepare schema {schema}: let an administrator run "
            f"CREATE SCHEMA {schema} AUTHORIZATION <this role>, or open it once as a role that may "
            "create schemas in this database"
        ) from None


async def _version(connection: AsyncConnection, schema: str) -> int:
    """Return a schema's version: 0 if there is none, -1 if it holds something else."""
    cursor = await connection.execute(
        "SELECT to_regclass(%s) IS NOT NULL, EXISTS ("
        "SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = %s)",
        (f"{schema}.installation", schema),
    )
    ours, used = await cursor.fetchone() or (False, False)
    if not ours:
        return -1 if used else 0
    try:
        found = await connection.execute(
            SQL("SELECT version FROM {}.installation").format(Identifier(schema))
        )
    except psycopg.errors.InsufficientPrivilege:
        raise ConfigError(
            f"postgresql: this role may not use schema {schema}: GRANT USAGE ON SCHEMA and the "
            "rights on its tables and sequences, as docs/engines/postgresql.md says"
        ) from None
    row = await found.fetchone()
    return int(row[0]) if row else 0


def _check(version: int, schema: str) -> None:
    if version < 0:
        raise ConfigError(
            f"postgresql: schema {schema} holds tables of another program: choose another one "
            "with ?schema="
        )
    if version > VERSION:
        raise SchemaVersionError(
            f"schema {schema} has version {version} and this Daybook knows up to {VERSION}: "
            "upgrade daybook to open it; nothing was changed",
            engine=ENGINE,
            operation="open",
        )


async def _migrate(connection: AsyncConnection, schema: str) -> None:
    """Run the missing steps; the caller holds the lock."""
    version = await _version(connection, schema)  # another caller may have been first
    _check(version, schema)
    known = await connection.execute("SELECT to_regnamespace(%s) IS NOT NULL", (schema,))
    if not (await known.fetchone() or (False,))[0]:
        await connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    if version == 0:
        for statement in _INSTALLATION:
            await connection.execute(render(statement, schema).encode())
    for step in STEPS[version:]:
        for statement in step:
            await connection.execute(render(statement, schema).encode())
    await connection.execute(
        SQL("UPDATE {}.installation SET version = %s").format(Identifier(schema)), (VERSION,)
    )
