"""The end of a session: its head becomes a tombstone, then everything it held goes.

One conditional write ends it; whatever happens after, nothing of it can be read any more.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from daybook.engines.dynamodb.blobs import Blob
from daybook.engines.dynamodb.calls import Calls
from daybook.engines.dynamodb.heads import Head, Loaded, commit, next_mark, tombstone
from daybook.engines.dynamodb.hints import unlist_session
from daybook.engines.dynamodb.keys import new_nonce
from daybook.engines.dynamodb.marks import announce
from daybook.engines.dynamodb.references import drop_references, trim_stream
from daybook.engines.dynamodb.streams import StaleHeadError, flush
from daybook.engines.dynamodb.trash import discard_blobs, note_streams
from daybook.errors import DaybookError
from daybook.model.session import Session
from daybook.protocols.message_log import PendingSession

__all__ = ["drop", "leave_streams", "move_tail", "prepare_to_leave"]


def drop(calls: Calls, before: Loaded, tenant: str) -> Loaded | None:
    """End a session, expired or not; None if its head changed meanwhile."""
    head, session = before.head, before.session
    if head is None or session is None:
        return before
    mark = PendingSession(tenant, session.user_id, session.id, next_mark(before))
    announce(calls, mark, head.mark)
    if not prepare_to_leave(calls, head, session):
        return None
    after = commit(calls, before, tombstone(head))
    if after is None:
        return None
    unlist_session(calls, tenant, head, session)
    leave_streams(calls, head)
    return after


def prepare_to_leave(calls: Calls, head: Head, session: Session) -> bool:
    """Note a session's streams as leftovers to be; False if its head changed meanwhile.

    What stands in the head alone and is long goes to the stream first, to be removed with it.
    """
    note_streams(calls, head.streams())
    if head.staged is not None or any(entry.blob is not None for entry in head.tail):
        try:
            flush(calls, head, session)
        except StaleHeadError:
            return False
    return True


def leave_streams(calls: Calls, head: Head) -> None:
    """Remove what a session held, unless a fork refers to it.

    It is gone from view already. What cannot be removed now stays noted for the next sweep, so a
    failure here is not the caller's: what was asked for has been done.
    """
    early = calls.early()
    try:
        drop_references(early, head.segments, head.stream)
        if head.staged is not None:
            discard_blobs(early, [head.staged])
        for stream in head.streams():
            trim_stream(early, stream)
    except DaybookError as exc:
        calls.postpone(exc)


def move_tail(calls: Calls, before: Loaded) -> Loaded | None:
    """Move the messages that stand in a head to its stream; None if the head changed meanwhile."""
    head, session = before.head, before.session
    if head is None or session is None or not head.tail_count:
        return before
    try:
        flush(calls, head, session)
    except StaleHeadError:
        return None
    slim = replace(head, nonce=new_nonce(), tail=(), staged=None, staged_count=0)
    after = commit(calls, before, slim)
    if after is not None:
        blobs: Sequence[Blob] = [] if head.staged is None else [head.staged]
        discard_blobs(calls, blobs)
    return after
