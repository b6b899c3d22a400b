"""The collections, their documents and their indexes.

``sessions``: one document for each session id of a tenant, `_id` its key. While a session lives:

====== =====================================================================================
t n u  tenant, session id, owner
inc    incarnation: grows each time the id is used anew; stays when the session goes
b      the encoded session: title, metadata, ancestors, grants …; its counts are not believed
rev    counts updates of `b`
k      the session's own stream of messages
seg    older streams of a fork: ``[{k, l}]``, each up to number `l`
ref    `k` and those of `seg`: what must not be removed
cre    created_at; `act` last_active_at; `exp` expires_at; `ttl`: microseconds, or null
first  lowest readable number; `last` highest given; `base` highest that is in a block
top    no message in a block, this session's or an ancestor's, has a greater id
tail   the messages after `base`: ``[{i, f, r, n, b}]`` (id, fingerprint, role, tokens, body)
tn tb  how many the tail holds, and their bytes
cnt    messages; `tok` their tokens; `roles` how many of each role, by the role's number
ch     counts changes that an index must follow
====== =====================================================================================

And, whether it lives or not:

====== =====================================================================================
due    users for whom the id has changes that no `settle` covered; `since` when the first was
left   ``[{u, m}]``: former owners and the last mark of theirs
trim   streams whose blocks have to be looked through
drop   when what is left of a gone session leaves (a TTL index)
====== =====================================================================================

``blocks``: messages that left a tail, `_id` stream and first number. ``k`` stream, ``s`` and ``l``
first and last number, ``i`` ids, ``f`` fingerprints, ``r`` roles, ``n`` tokens, ``p`` bodies,
packed (`daybook.enginekit.packed_bodies`), ``v`` 2; blocks of schema 1 have no ``v``, and bodies as
they are in ``b``.

``records`` and ``record_versions``: see `record_documents`.

A session's small appends change one document and nothing else, so they are atomic without a
transaction and cost one trip; a full tail moves to a block in a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.asynchronous.database import AsyncDatabase

from daybook.engines.mongodb.driver_errors import ENGINE
from daybook.errors import SchemaVersionError

__all__ = [
    "BLOCKS",
    "BLOCK_IDS_INDEX",
    "EARLIEST",
    "META",
    "OWNERS_INDEX",
    "RECORDS",
    "SESSIONS",
    "VERSION",
    "VERSIONS",
    "prepare",
]

VERSION = 2
META, SESSIONS, BLOCKS = "meta", "sessions", "blocks"
RECORDS, VERSIONS = "records", "record_versions"
BLOCK_IDS_INDEX = "by_message_id"
OWNERS_INDEX = "by_owner"
EARLIEST = -(1 << 62)  # before any time that Python can tell

_ENDS: Mapping[str, Any] = {"exp": {"$gt": EARLIEST}}
_INDEXES: dict[str, list[IndexModel]] = {
    SESSIONS: [
        IndexModel(
            [("t", ASCENDING), ("u", ASCENDING), ("act", DESCENDING), ("n", ASCENDING)],
            name="by_user",
        ),
        IndexModel("exp", name="by_expiry", partialFilterExpression=_ENDS),
        IndexModel("since", name="by_change", sparse=True),
        IndexModel(
            [("t", ASCENDING), ("due", ASCENDING), ("since", ASCENDING)],
            name="by_changed_user",
            partialFilterExpression={"since": {"$exists": True}},
        ),
        IndexModel("ref", name="by_stream", sparse=True),
        IndexModel("trim", name="by_trim", sparse=True),
        IndexModel("drop", name="by_drop", expireAfterSeconds=0),
    ],
    BLOCKS: [IndexModel([("k", ASCENDING), ("i", ASCENDING)], name=BLOCK_IDS_INDEX)],
    RECORDS: [
        IndexModel(
            [("o", ASCENDING), ("upd", DESCENDING), ("ns", ASCENDING), ("key", ASCENDING)],
            name=OWNERS_INDEX,
        ),
        IndexModel(
            [("t", ASCENDING), ("upd", DESCENDING), ("ns", ASCENDING), ("key", ASCENDING)],
            name="by_tenant",
        ),
        IndexModel("exp", name="by_expiry", partialFilterExpression=_ENDS),
    ],
    VERSIONS: [],
}


async def prepare(database: AsyncDatabase[dict[str, Any]]) -> None:
    """Make what is missing, and note the version; any number of processes may do so at once.

    Raises:
        SchemaVersionError: A newer Daybook made the database.
    """
    meta = database[META]
    found = await meta.find_one({"_id": "schema"})
    if found is not None and found["version"] > VERSION:
        raise SchemaVersionError(
            f"the database has schema {found['version']} and this Daybook knows up to {VERSION}: "
            "upgrade daybook to open it; nothing was changed",
            engine=ENGINE,
            operation="open",
        )
    if found is not None and found["version"] == VERSION:
        return
    for name, indexes in _INDEXES.items():
        await _make(database, name, indexes)
    await meta.update_one({"_id": "schema"}, {"$max": {"version": VERSION}}, upsert=True)


async def _make(
    database: AsyncDatabase[dict[str, Any]], name: str, indexes: list[IndexModel]
) -> None:
    """Make a collection and its indexes; a transaction of an old server could not make it."""
    if name not in await database.list_collection_names(filter={"name": name}):
        await _create(database, name)
    if indexes:
        await database[name].create_indexes(indexes)


async def _create(database: AsyncDatabase[dict[str, Any]], name: str) -> None:
    # Unlike create_collection, the bare command can be repeated while others do the same.
    await database.command({"create": name}, check=True, allowable_errors=["already exists", 48])
