"""A batch of messages as the arguments of the functions that append. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from daybook.enginekit.packed_bodies import pack_body
from daybook.enginekit.packed_ids import id_to_column
from daybook.engines.postgresql.binary_arrays import bytea_array, int4_array, int8_array, uuid_array
from daybook.errors import InvalidInputError
from daybook.model.entry import NewEntry
from daybook.model.message import ROLES

__all__ = ["Batch", "batch_of"]

_ROLE_NUMBER: dict[str, int] = {role: number for number, role in enumerate(ROLES)}
_MOST_TOKENS = 2**29 - 1


class Batch(Struct, frozen=True):
    """What both append functions take.

    Attributes:
        ids: The messages' ids, each once, in the order of the batch.
        clash: An id that stands twice with two bodies, or None.
        repeated: How many messages of the batch stood in it before.
        columns: Ids, fingerprints, roles with tokens, and bodies, packed.
        tokens: Of all messages.
        roles: How many of each role, packed.
    """

    ids: tuple[str, ...]
    clash: str | None
    repeated: int
    columns: tuple[Any, ...]
    tokens: int
    roles: Any


def batch_of(entries: Sequence[NewEntry]) -> Batch:
    """Pack a batch; of an id that stands twice only the first message is kept.

    Raises:
        InvalidInputError: A message has more tokens than there is room for.
    """
    kept = list(entries)
    clash = None
    if len(entries) > 1:
        first: dict[str, NewEntry] = {}
        for entry in entries:
            seen = first.setdefault(entry.id, entry)
            if seen.fingerprint != entry.fingerprint:
                clash = entry.id
        kept = list(first.values())
    roles = [0, 0, 0, 0]
    metas: list[int] = []
    for entry in kept:
        if entry.tokens > _MOST_TOKENS:
            raise InvalidInputError(
                f"message {entry.id} has {entry.tokens} tokens; at most {_MOST_TOKENS} are kept"
            )
        role = _ROLE_NUMBER[entry.role]
        roles[role] += 1
        metas.append(entry.tokens * 4 + role)
    stored = [_id_and_body(entry) for entry in kept]
    return Batch(
        ids=tuple(entry.id for entry in kept),
        clash=clash,
        repeated=len(entries) - len(kept),
        columns=(
            uuid_array([message_id for message_id, _ in stored]),
            int8_array([int.from_bytes(entry.fingerprint, "big", signed=True) for entry in kept]),
            int4_array(metas),
            bytea_array([body for _, body in stored]),
        ),
        tokens=sum(entry.tokens for entry in kept),
        roles=int4_array(roles),
    )


def _id_and_body(entry: NewEntry) -> tuple[bytes, bytes]:
    """Return a UUID's bytes, or those of a hash of any other id, and the body as it is stored."""
    column = id_to_column(entry.id)
    if isinstance(column, bytes):
        return column, pack_body(entry.role, entry.id, entry.body)
    hashed = blake2b(column.encode(), digest_size=16).digest()
    return hashed, pack_body(entry.role, None, entry.body)
