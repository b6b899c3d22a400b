"""A session from its JSON export into a log, as it was."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from daybook.exporters.formats import export_session
from daybook.exporters.json_export import read_export
from daybook.facets.session_access import missing_session
from daybook.facets.session_forks import read_all
from daybook.model.codec import check_message, decode_entry, encode_message, fingerprint
from daybook.model.entry import NewEntry
from daybook.model.export_format import ExportFormat
from daybook.model.identifiers import check_id
from daybook.model.message import Message
from daybook.model.scope import Scope
from daybook.model.session import Session, SessionChanges
from daybook.model.session_rules import is_expired
from daybook.protocols.clock import Clock
from daybook.protocols.message_log import MessageLog
from daybook.protocols.token_counter import TokenCounter

__all__ = ["export_text", "parse_export", "restore"]

_BATCH = 500


async def export_text(log: MessageLog, tenant: str, session: Session, format_: ExportFormat) -> str:
    """Return a whole session as text, what `max_messages` hides included.

    Raises:
        InvalidInputError: The format is unknown.
    """
    pages = read_all(log, Scope(tenant, session.user_id), session.id, before=session.last_seq + 1)
    entries = [decode_entry(stored) async for page in pages for stored in page]
    return "".join(export_session(session, entries, format_))


def parse_export(exported: str | bytes, user_id: str | None) -> tuple[Session, list[Message]]:
    """Return an exported session and its messages, checked, for a user if one is named.

    Raises:
        InvalidInputError: Not an export that this version reads.
    """
    session, messages = read_export(exported)
    if user_id is not None:
        session = replace(session, user_id=check_id(user_id, "user_id"))
    check_id(session.user_id, "user_id")
    check_id(session.id, "session_id")
    for index, message in enumerate(messages):
        check_message(message, f"messages[{index}]")
    return session, messages


async def restore(
    log: MessageLog,
    tenant: str,
    session: Session,
    messages: Sequence[Message],
    *,
    counter: TokenCounter,
    clock: Clock,
) -> Session:
    """Store a session as it was elsewhere; what is there already is left alone.

    Raises:
        ConflictError: The id is another user's, or a message has another body.
    """
    scope = Scope(tenant, session.user_id)
    ended = is_expired(session, clock.now())
    if ended:
        session = replace(session, expires_at=None)
    if await log.get_session(scope, session.id) is None:
        # It must not end while it is being filled.
        await log.create_session(scope, replace(session, expires_at=None))
    for start in range(0, len(messages), _BATCH):
        batch = [_entry(message, counter) for message in messages[start : start + _BATCH]]
        if await log.append(scope, session.id, batch) is None:
            raise missing_session(session.id)
    stored = await log.get_session(scope, session.id)
    if stored is None:
        raise missing_session(session.id)
    if stored.last_seq != session.last_seq:
        return stored  # it went on since
    changes = SessionChanges(last_active_at=session.last_active_at, expires_at=session.expires_at)
    if ended:
        changes = SessionChanges(ttl=session.ttl)
    return await log.update_session(scope, session.id, changes) or stored


def _entry(message: Message, counter: TokenCounter) -> NewEntry:
    body = encode_message(message)
    tokens = counter.count(message)
    return NewEntry(message.id, body, fingerprint(message, body), message.role, tokens)
