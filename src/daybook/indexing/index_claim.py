"""Which index follows a store whose engine has none of its own.

What has been indexed is settled in the store, once for all. So a store has one index: a second one
would never hear of what the first settled, and would miss it in silence. The first index that
follows a store is written down in it; any other is told where that one is.
"""

from __future__ import annotations

import platform

from daybook.errors import ConflictError
from daybook.model.codec import encode_json
from daybook.model.memory_record import NewRecord, Provenance
from daybook.model.scope import Scope, internal_tenant
from daybook.protocols.record_store import RecordStore

__all__ = ["claim_index", "place_of", "take_index"]

_SCOPE = Scope(internal_tenant(""))
_PLACE = (("store",), "index")


def place_of(index_url: str) -> str:
    """Return where an index is, without its password: a file with its host, or a server."""
    scheme, _, rest = index_url.partition("://")
    location = rest.partition("?")[0].rpartition("@")[2]
    return f"{scheme}://{location}" + (f" on {platform.node()}" if scheme == "sqlite" else "")


async def claim_index(records: RecordStore, place: str) -> str:
    """Return the place of the index that follows a store: this one, if none did so far."""
    while True:
        found = (await records.get(_SCOPE, [_PLACE]))[0]
        if found is not None:
            return str(found.value["place"])
        try:
            await records.put(_SCOPE, [_claim(place, expected_version=0)])
        except ConflictError:
            continue  # another process was quicker
        return place


async def take_index(records: RecordStore, place: str) -> None:
    """Let the index at a place follow a store from now on, whichever did before."""
    await records.put(_SCOPE, [_claim(place, expected_version=None)])


def _claim(place: str, expected_version: int | None) -> NewRecord:
    return NewRecord(
        namespace=_PLACE[0],
        key=_PLACE[1],
        value=encode_json({"place": place}),
        provenance=Provenance(source="indexing"),
        expected_version=expected_version,
    )
