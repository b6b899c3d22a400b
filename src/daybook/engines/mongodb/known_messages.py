"""Which messages of a batch a session has already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pymongo.asynchronous.client_session import AsyncClientSession

from daybook.engines.mongodb.blocks import Known, places_in, tail_places
from daybook.engines.mongodb.connection import Document, Handles
from daybook.engines.mongodb.keys import owners_blocks
from daybook.engines.mongodb.schema import BLOCK_IDS_INDEX
from daybook.engines.mongodb.session_cache import SessionFacts, facts_of
from daybook.errors import ConflictError
from daybook.model.entry import AppendResult, NewEntry

__all__ = ["check_batch", "find_known", "find_sealed", "is_consistent", "new_among", "result_of"]

_FIELDS = {"k": 1, "s": 1, "i": 1, "f": 1}


def is_consistent(entries: Iterable[NewEntry], by_id: dict[str, NewEntry]) -> bool:
    """Tell whether each id of a batch stands for one body."""
    return all(by_id[entry.id].fingerprint == entry.fingerprint for entry in entries)


def check_batch(session_id: str, entries: Iterable[NewEntry], by_id: dict[str, NewEntry]) -> None:
    """Refuse a batch in which an id stands for two bodies.

    Raises:
        ConflictError: One does.
    """
    for entry in entries:
        if by_id[entry.id].fingerprint != entry.fingerprint:
            raise _conflict(session_id, entry.id)


def new_among(session_id: str, batch: dict[str, NewEntry], known: Known) -> list[NewEntry]:
    """Return the messages of a batch that are not stored yet.

    Raises:
        ConflictError: An id is stored with another body.
    """
    for name, (fingerprint, _) in known.items():
        if batch[name].fingerprint != fingerprint:
            raise _conflict(session_id, name)
    return [entry for name, entry in batch.items() if name not in known]


def _conflict(session_id: str, message_id: str) -> ConflictError:
    return ConflictError(
        f"message {message_id!r} of session {session_id!r} is already there with another body; "
        "nothing of this batch was stored: give the new message its own id"
    )


def result_of(
    batch: Sequence[NewEntry], known: Known, added: int, last_seq: int, user_id: str
) -> AppendResult:
    """Return where a batch stands, of which `added` messages are new, up to `last_seq`."""
    places = [seq for _, seq in known.values()]
    if added:
        places += [last_seq - added + 1, last_seq]
    return AppendResult(min(places), max(places), len(batch) - added, user_id)


async def find_known(
    handles: Handles,
    header: Document,
    ids: Sequence[str],
    session: AsyncClientSession | None = None,
) -> Known:
    """Return what a session has under these ids, in its tail and in its blocks."""
    return {
        **await find_sealed(handles, facts_of(header), ids, session),
        **tail_places(header, set(ids)),
    }


async def find_sealed(
    handles: Handles,
    facts: SessionFacts,
    ids: Sequence[str],
    session: AsyncClientSession | None = None,
) -> Known:
    """Return what a session's blocks hold under these ids.

    Cost: nothing if all are greater than those in the blocks, as ids made in the order of time are.
    """
    sealed = facts.sealed
    if not sealed or min(ids) > facts.top:
        return {}
    streams = [window.stream for window in sealed]
    low, high = owners_blocks(streams[0])
    wanted = {"k": {"$in": streams}, "i": {"$in": list(ids)}, "_id": {"$gte": low, "$lte": high}}
    cursor = handles.blocks.find(wanted, _FIELDS, session=session).hint(BLOCK_IDS_INDEX)
    return places_in(await cursor.to_list(), sealed, set(ids))
