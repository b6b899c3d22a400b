"""A new session, checked, before any engine sees it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from daybook.errors import InvalidInputError
from daybook.facets.checks import check_limit, check_ttl
from daybook.model.identifiers import check_id
from daybook.model.json_value import check_json_object
from daybook.model.session import Session
from daybook.protocols.clock import IdFactory

__all__ = ["check_max_messages", "check_metadata", "check_title", "new_session", "session_id_of"]

_MAX_TITLE = 1000


def new_session(  # noqa: PLR0913 - a session's own fields
    *,
    tenant: str,
    user_id: str,
    session_id: str | None,
    now: datetime,
    id_factory: IdFactory,
    conversation_id: str | None = None,
    title: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    ttl: timedelta | None = None,
    max_messages: int | None = None,
) -> Session:
    """Return a checked, empty session that is not stored yet.

    A generated id begins with a short tag made from tenant and user, so that an engine that shards
    by user finds the shard from the id alone; the tag tells nothing about either.

    Raises:
        InvalidInputError: A value cannot be stored.
    """
    check_id(user_id, "user_id")
    life = check_ttl(ttl)
    if conversation_id is not None:
        if session_id is not None:
            raise InvalidInputError("give session_id or conversation_id, not both")
        session_id = session_id_of(tenant, user_id, conversation_id)
    if session_id is None:
        session_id = f"{_tag(tenant, user_id)}-{id_factory()}"
    return Session(
        id=check_id(session_id, "session_id"),
        user_id=user_id,
        conversation_id=conversation_id,
        title=check_title(title),
        metadata=check_metadata(metadata),
        created_at=now,
        last_active_at=now,
        ttl=life,
        expires_at=None if life is None else now + life,
        max_messages=check_max_messages(max_messages),
    )


def session_id_of(tenant: str, user_id: str, conversation_id: str) -> str:
    """Return the id of a user's conversation: always the same for the same three names.

    Its second part has the form of a UUID, as in every generated id.
    """
    check_id(user_id, "user_id")
    check_id(conversation_id, "conversation_id")
    owner = blake2b(user_id.encode(), key=tenant.encode()[:64], digest_size=32).digest()
    digits = blake2b(conversation_id.encode(), key=owner, digest_size=16).hexdigest()
    parts = (digits[:8], digits[8:12], f"8{digits[13:16]}", f"8{digits[17:20]}", digits[20:])
    return f"{_tag(tenant, user_id)}-{'-'.join(parts)}"


def _tag(tenant: str, user_id: str) -> str:
    return blake2b(user_id.encode(), key=tenant.encode()[:64], digest_size=3).hexdigest()


def check_title(title: Any) -> str | None:
    """Return `title` if it is None or text of at most 1,000 characters.

    Raises:
        InvalidInputError: It is not.
    """
    if title is None:
        return None
    if not isinstance(title, str) or len(title) > _MAX_TITLE:
        raise InvalidInputError(f"title must be None or a str of at most {_MAX_TITLE} characters")
    check_json_object({"title": title}, "session")
    return title


def check_metadata(metadata: Any) -> dict[str, Any]:
    """Return a copy of `metadata` if it is a JSON object, an empty one for None.

    Raises:
        InvalidInputError: It is not.
    """
    if metadata is None:
        return {}
    check_json_object(metadata, "metadata")
    return dict(metadata)


def check_max_messages(value: Any) -> int | None:
    """Return `value` if it is None or an int of 1 or more.

    Raises:
        InvalidInputError: It is not.
    """
    return None if value is None else check_limit(value, "max_messages")
