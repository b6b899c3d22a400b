"""Forking sessions, the tree of forks, and what two branches hold apart."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from msgspec.structs import replace

from daybook.errors import InvalidInputError
from daybook.facets.session_access import missing_session
from daybook.model.branch import Branch, BranchDiff
from daybook.model.codec import decode_entry, decode_message, encode_message, fingerprint
from daybook.model.entry import AppendResult, HistoryEntry, NewEntry, StoredEntry
from daybook.model.scope import Scope
from daybook.model.session import Ancestor, Session
from daybook.model.session_rules import check_place, shared_seq
from daybook.protocols.message_log import MessageLog

__all__ = [
    "all_sessions",
    "branches",
    "copy_session",
    "diff",
    "fork",
    "merge",
    "read_all",
    "to_new_entry",
]

_PAGE = 500
_MOST_MERGED = 10_000


async def read_all(
    log: MessageLog, scope: Scope, session_id: str, *, after: int = 0, before: int | None = None
) -> AsyncIterator[list[StoredEntry]]:
    """Yield a session's messages in pages, hidden ones included."""
    while True:
        page = await log.read(scope, session_id, after=after, before=before, limit=_PAGE)
        if page:
            yield page
        if len(page) < _PAGE:
            return
        after = page[-1].seq


def to_new_entry(stored: StoredEntry) -> NewEntry:
    """Return a stored message as it was when it was appended; its bytes stay the same.

    Raises:
        msgspec.MsgspecError: The stored bytes do not decode.
    """
    message = decode_message(stored.body)
    mark = fingerprint(message, stored.body)
    return NewEntry(message.id, stored.body, mark, message.role, stored.tokens)


async def fork(
    log: MessageLog, tenant: str, parent: Session, child: Session, at: int | None
) -> Session:
    """Store a fork: copy-on-write for the parent's owner, a copy for anyone else.

    Raises:
        NotFoundError: The parent is gone.
        InvalidInputError: It has no such place.
    """
    scope = Scope(tenant, child.user_id)
    if child.user_id == parent.user_id:
        made = await log.fork_session(scope, parent.id, child, at=at)
        if made is None:
            raise missing_session(parent.id)
        return made
    place = check_place(parent, at)
    return await copy_session(log, scope, parent, child, place)


async def copy_session(
    log: MessageLog, scope: Scope, parent: Session, child: Session, at: int
) -> Session:
    """Store a copy of another owner's session up to a place; nothing is left if it fails.

    Args:
        log: The log.
        scope: The copy's owner.
        parent: The session to copy.
        child: The copy's id, owner, title, metadata and life.
        at: The last message to copy.
    """
    inherited = tuple(Ancestor(one.session_id, min(one.seq, at)) for one in parent.ancestors)
    described = replace(
        child, first_seq=parent.first_seq, ancestors=(*inherited, Ancestor(parent.id, at))
    )
    made = await log.create_session(scope, described)
    source = Scope(scope.tenant, parent.user_id)
    try:
        async for page in read_all(log, source, parent.id, before=at + 1):
            await log.append(scope, made.id, [to_new_entry(stored) for stored in page])
    except BaseException:
        await log.delete_session(scope, made.id)
        raise
    found = await log.get_session(scope, made.id)
    if found is None:
        raise missing_session(made.id)
    return found


async def branches(log: MessageLog, scope: Scope, session: Session) -> Branch:
    """Return the whole tree that a session belongs to.

    Cost: looks through all sessions of the owner.
    """
    root = session.ancestors[0].session_id if session.ancestors else session.id
    members: dict[str, Session] = {}
    async for one in all_sessions(log, scope):
        if one.id == root or (one.ancestors and one.ancestors[0].session_id == root):
            members[one.id] = one
    parents: dict[str, tuple[str, int]] = {}
    for one in members.values():
        line = [ancestor.session_id for ancestor in one.ancestors] + [one.id]
        for place, ancestor in enumerate(one.ancestors):
            parents.setdefault(line[place + 1], (ancestor.session_id, ancestor.seq))
        if one.ancestors:  # its own word counts more than a descendant's
            parents[one.id] = (line[-2], one.ancestors[-1].seq)
    return _branch(root, None, members, parents)


def _branch(
    name: str,
    forked_at: int | None,
    members: dict[str, Session],
    parents: dict[str, tuple[str, int]],
) -> Branch:
    def age(child: str) -> tuple[float, str]:
        session = members.get(child)
        return (session.created_at.timestamp() if session else 0.0, child)

    children = sorted((one for one, place in parents.items() if place[0] == name), key=age)
    below = tuple(_branch(one, parents[one][1], members, parents) for one in children)
    return Branch(name, members.get(name), forked_at, below)


async def all_sessions(log: MessageLog, scope: Scope) -> AsyncIterator[Session]:
    """Yield every live session of a scope, most recently active first."""
    cursor: str | None = None
    while True:
        page = await log.list_sessions(scope, limit=_PAGE, cursor=cursor)
        for session in page.items:
            yield session
        cursor = page.cursor
        if cursor is None:
            return


async def diff(log: MessageLog, tenant: str, one: Session, other: Session) -> BranchDiff:
    """Return what two branches do not share.

    Raises:
        InvalidInputError: They are not branches of one tree.
    """
    shared = shared_seq(one, other)
    if shared is None:
        raise InvalidInputError(
            f"sessions {one.id} and {other.id} share no past: only branches of one tree differ"
        )
    ours = await _after(log, tenant, one, shared)
    theirs = await _after(log, tenant, other, shared)
    my_ids = {entry.message.id for entry in ours}
    their_ids = {entry.message.id for entry in theirs}
    return BranchDiff(
        shared,
        tuple(entry for entry in ours if entry.message.id not in their_ids),
        tuple(entry for entry in theirs if entry.message.id not in my_ids),
    )


async def _after(log: MessageLog, tenant: str, session: Session, seq: int) -> list[HistoryEntry]:
    scope = Scope(tenant, session.user_id)
    pages = read_all(log, scope, session.id, after=seq)
    return [decode_entry(stored) async for page in pages for stored in page]


async def merge(
    log: MessageLog, scope: Scope, into: str, missing: Sequence[HistoryEntry]
) -> AppendResult | None:
    """Append to a branch what it lacks, in one batch; None if it lacks nothing.

    Raises:
        NotFoundError: The branch is gone, or not the scope's.
        InvalidInputError: More than 10,000 messages are missing.
        ConflictError: It has one of the ids with another body.
    """
    if not missing:
        return None
    if len(missing) > _MOST_MERGED:
        raise InvalidInputError(f"a merge adds at most {_MOST_MERGED:,} messages at once")
    entries = []
    for entry in missing:
        body = encode_message(entry.message)
        mark = fingerprint(entry.message, body)
        entries.append(NewEntry(entry.message.id, body, mark, entry.message.role, entry.tokens))
    result = await log.append(scope, into, entries)
    if result is None:
        raise missing_session(into)
    return result
