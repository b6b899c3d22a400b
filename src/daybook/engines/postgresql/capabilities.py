"""What this engine declares, after a look at how the server is set up."""

from __future__ import annotations

from msgspec import Struct

from daybook.engines.postgresql.connection import Connection
from daybook.engines.postgresql.driver_errors import ENGINE
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import MAX_MESSAGE_BYTES

__all__ = ["ServerFacts", "describe", "read_facts"]

_FACTS = (
    "SELECT current_setting('server_version_num')::integer, "
    "current_setting('synchronous_commit'), current_setting('fsync'), "
    "current_setting('full_page_writes'), r.rolsuper OR r.rolbypassrls "
    "FROM pg_roles AS r WHERE r.rolname = current_user"
)
_DURABILITY = {
    "on": "an append returns after its commit is on disk, on a synchronous standby too",
    "local": "an append returns after its commit is on the server's disk",
    "remote_write": "an append returns after its commit is on the server's disk",
    "remote_apply": "an append returns after its commit is on disk and visible on the standbys",
}


class ServerFacts(Struct, frozen=True):
    """What was found on the server when the engine was opened.

    Attributes:
        version: As ``server_version_num``: 150018 is 15.18.
        synchronous_commit: The setting that holds for this role in this database.
        fsync: ``on`` or ``off``.
        full_page_writes: ``on`` or ``off``.
        bypasses_policies: Whether row-level security does not hold for this role.
    """

    version: int
    synchronous_commit: str
    fsync: str
    full_page_writes: str
    bypasses_policies: bool


async def read_facts(connection: Connection) -> ServerFacts:
    """Look at the server's settings and the role's rights."""
    cursor = await connection.execute(_FACTS)
    return ServerFacts(*(await cursor.fetchall())[0])


def describe(facts: ServerFacts) -> EngineCapabilities:
    """Return what can be promised on such a server."""
    durable = facts.synchronous_commit != "off" and facts.fsync == "on"
    if durable:
        durability = _DURABILITY[facts.synchronous_commit]
    elif facts.synchronous_commit == "off":
        durability = "an append survives a crash of its caller; one of the server may undo it"
    else:
        durability = "an append survives a crash of the server; one of its machine may undo it"
    return EngineCapabilities(
        engine=ENGINE,
        ack="durable" if durable else "volatile",
        durability=durability,
        atomicity="each call is one transaction",
        order="a counter in the session's row, advanced in the commit",
        several_processes=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        limits="2**31 messages in a session; 2**29 tokens in a message; 2**31 sessions ever made",
        warnings=tuple(_warnings(facts)),
    )


def _warnings(facts: ServerFacts) -> list[str]:
    warnings: list[str] = []
    if facts.synchronous_commit == "off":
        warnings.append(
            "synchronous_commit is off: a crash of the server loses the commits of its last "
            "moments; set it to on for this role or database"
        )
    if facts.fsync != "on":
        warnings.append(
            "the server runs with fsync=off: a power loss or a crash of its machine can lose or "
            "damage everything; use it for tests only"
        )
    if facts.fsync == "on" and facts.full_page_writes != "on":
        warnings.append(
            "the server runs with full_page_writes=off: a power loss can damage pages, unless the "
            "file system writes them whole"
        )
    if facts.bypasses_policies:
        warnings.append(
            "this role is a superuser or has BYPASSRLS, so row-level security does not stand "
            "behind Daybook's own checks: use a role without either"
        )
    return warnings
