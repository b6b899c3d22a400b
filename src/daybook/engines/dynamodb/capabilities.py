"""What the DynamoDB engine declares."""

from __future__ import annotations

from daybook.engines.dynamodb.driver_errors import ENGINE
from daybook.model.capabilities import EngineCapabilities
from daybook.model.codec import MAX_MESSAGE_BYTES

__all__ = ["MAX_ATOMIC_RECORDS", "capabilities"]

MAX_ATOMIC_RECORDS = 100  # TransactWriteItems' limit; one item for each record


def capabilities(warnings: tuple[str, ...] = ()) -> EngineCapabilities:
    """Return the promises of an opened engine."""
    return EngineCapabilities(
        engine=ENGINE,
        ack="durable",
        durability="an append returns after DynamoDB's answer: written in two availability zones",
        atomicity="a session changes by one conditional write of its head; several records by one "
        "transaction; deletions of more than 100 records in steps of 100",
        order="a counter in the session's head, advanced in the commit",
        several_processes=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        limits="title, metadata and grants of a session take 100 kB at most; one put of records "
        "takes 100 of them and 4 MB; lists read all sessions or records of their scope",
        max_atomic_records=MAX_ATOMIC_RECORDS,
        warnings=warnings,
    )
