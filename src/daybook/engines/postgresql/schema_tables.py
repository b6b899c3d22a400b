"""Step 1: the tables of log and records, and the policies that part tenants and users.

``{schema}`` stands for the installation's schema. An *owner* is the number of one (tenant, user);
sessions and messages are hash-partitioned by owner, records by a hash of owner. A session has a
*number* that is never used again and writes to a *stream*; a fork reads the streams of its
ancestors as well (`daybook.model.lineage`), and `stream_refs` says which parts of a stream sessions
other than its writer still need. Ids and text are ``bytea``: they may hold NUL, and bytes sort like
the text. A message's id is kept as 16 bytes: the UUID, or a hash of any other id;
its body is packed (`daybook.enginekit.packed_bodies`).
Times are microseconds since 1970, UTC. Roles and tokens share a number: tokens times 4, plus role.

Row-level security is the second wall. Every function first says, for its own transaction only,
whose data it is about (``daybook.tenant``, ``daybook.user`` and ``daybook.owner``); rows of others
are then invisible even to a query that forgot its condition, and to the tables' owner.
"""

from __future__ import annotations

__all__ = ["PARTITIONS", "TABLES"]

PARTITIONS = 8

_SESSIONS = (
    "CREATE SEQUENCE {schema}.owner_numbers AS integer",
    "CREATE SEQUENCE {schema}.session_numbers AS integer",
    "CREATE SEQUENCE {schema}.change_numbers",
    """CREATE TABLE {schema}.owners (
        tenant bytea NOT NULL, user_id bytea NOT NULL,
        owner integer NOT NULL DEFAULT nextval('{schema}.owner_numbers') UNIQUE,
        PRIMARY KEY (tenant, user_id))""",
    """CREATE TABLE {schema}.session_ids (
        tenant bytea NOT NULL, id bytea NOT NULL, user_id bytea NOT NULL,
        owner integer NOT NULL, number integer NOT NULL,
        PRIMARY KEY (tenant, id))""",
    """CREATE TABLE {schema}.sessions (
        owner integer NOT NULL, number integer NOT NULL, stream integer NOT NULL,
        first_seq integer NOT NULL, last_seq integer NOT NULL, message_count integer NOT NULL,
        token_count bigint NOT NULL, created_at bigint NOT NULL,
        last_active_at bigint NOT NULL, expires_at bigint, ttl bigint,
        changes bigint NOT NULL DEFAULT 0, settled bigint NOT NULL DEFAULT 0,
        role_counts integer[] NOT NULL, revision integer NOT NULL DEFAULT 0, max_messages bigint,
        segment_streams integer[], segment_firsts integer[], segment_lasts integer[],
        tenant bytea NOT NULL, user_id bytea NOT NULL, id bytea NOT NULL, header bytea NOT NULL,
        PRIMARY KEY (owner, number)) PARTITION BY HASH (owner)""",
    "CREATE INDEX sessions_by_stream ON {schema}.sessions (owner, stream)",
    """CREATE INDEX sessions_by_expiry ON {schema}.sessions (expires_at)
        WHERE expires_at IS NOT NULL""",
    """CREATE TABLE {schema}.messages (
        owner integer NOT NULL, stream integer NOT NULL, fingerprint bigint NOT NULL,
        id uuid NOT NULL, seq integer NOT NULL, meta integer NOT NULL, body bytea NOT NULL,
        PRIMARY KEY (owner, stream, seq)) PARTITION BY HASH (owner)""",
    "CREATE UNIQUE INDEX messages_by_id ON {schema}.messages (owner, stream, id)",
    """CREATE TABLE {schema}.stream_refs (
        owner integer NOT NULL, stream integer NOT NULL, holder integer NOT NULL,
        first_seq integer NOT NULL, last_seq integer NOT NULL,
        PRIMARY KEY (owner, stream, holder))""",
    "CREATE INDEX stream_refs_by_holder ON {schema}.stream_refs (owner, holder)",
    """CREATE TABLE {schema}.pending (
        tenant bytea NOT NULL, user_id bytea NOT NULL, id bytea NOT NULL,
        owner integer NOT NULL, number integer NOT NULL,
        change bigint NOT NULL DEFAULT nextval('{schema}.change_numbers'),
        PRIMARY KEY (tenant, user_id, id))""",
    "CREATE INDEX pending_by_change ON {schema}.pending (change)",
)

# `home` is a hash of the tenant and the first label: a user's records share a partition.
_RECORDS = (
    """CREATE TABLE {schema}.records (
        home bigint NOT NULL, tenant bytea NOT NULL, namespace bytea NOT NULL, key bytea NOT NULL,
        version integer NOT NULL, created_at bigint NOT NULL, updated_at bigint NOT NULL,
        expires_at bigint, provenance bytea, value bytea NOT NULL,
        PRIMARY KEY (tenant, namespace, key, home)) PARTITION BY HASH (home)""",
    "CREATE INDEX records_by_expiry ON {schema}.records (expires_at) WHERE expires_at IS NOT NULL",
    """CREATE TABLE {schema}.record_versions (
        home bigint NOT NULL, tenant bytea NOT NULL, namespace bytea NOT NULL, key bytea NOT NULL,
        version integer NOT NULL, created_at bigint NOT NULL, updated_at bigint NOT NULL,
        expires_at bigint, provenance bytea, value bytea NOT NULL,
        PRIMARY KEY (tenant, namespace, key, version, home)) PARTITION BY HASH (home)""",
)

_PARTITIONED = ("sessions", "messages", "records", "record_versions")
# A session's row is changed by every append: room in its page keeps that off its indexes.
_STORAGE = {"sessions": "WITH (fillfactor = 60)"}


def _partitions() -> list[str]:
    return [
        f"CREATE TABLE {{schema}}.{table}_{part} PARTITION OF {{schema}}.{table} "
        f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part}) {_STORAGE.get(table, '')}"
        for table in _PARTITIONED
        for part in range(PARTITIONS)
    ]


# Settings are read once for each query, not for each row, because they stand in a sub-select.
_OF_TENANT = "tenant = (SELECT decode(current_setting('daybook.tenant', true), 'hex'))"
_OF_USER = "(SELECT current_setting('daybook.user', true)) IN ('', encode(user_id, 'hex'))"
_OF_OWNER = "owner = (SELECT nullif(current_setting('daybook.owner', true), '')::integer)"
_MAINTENANCE = "(SELECT current_setting('daybook.maintenance', true) = 'on')"
_POLICIES = {
    **dict.fromkeys(
        ("owners", "session_ids", "sessions", "pending"), f"{_OF_TENANT} AND {_OF_USER}"
    ),
    **dict.fromkeys(("messages", "stream_refs"), _OF_OWNER),
    **dict.fromkeys(("records", "record_versions"), _OF_TENANT),
}
# Partitions that are written to directly need the policy themselves; all others show nothing.
_ADDRESSED = {
    table: tuple(f"{table}_{part}" for part in range(PARTITIONS))
    for table in ("sessions", "messages")
}
_MAINTAINED = ("owners", "session_ids", "sessions", "pending", "records", "record_versions")


def _policies() -> list[str]:
    statements: list[str] = []
    for table, condition in _POLICIES.items():
        parts = range(PARTITIONS) if table in _PARTITIONED else ()
        for name in (table, *(f"{table}_{part}" for part in parts)):
            statements += [
                f"ALTER TABLE {{schema}}.{name} ENABLE ROW LEVEL SECURITY",
                f"ALTER TABLE {{schema}}.{name} FORCE ROW LEVEL SECURITY",
            ]
        statements += [
            f"CREATE POLICY scope ON {{schema}}.{name} USING ({condition})"
            for name in (table, *_ADDRESSED.get(table, ()))
        ]
        if table in _MAINTAINED:
            statements.append(
                f"CREATE POLICY maintenance ON {{schema}}.{table} USING ({_MAINTENANCE})"
            )
    return statements


TABLES: tuple[str, ...] = (*_SESSIONS, *_RECORDS, *_partitions(), *_policies())
