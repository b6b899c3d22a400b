"""A Claude export: ``conversations.json``, each conversation a list of messages.

A message in which the assistant calls tools holds calls and results together; it becomes several:
what was said with the calls, each result, what was said after.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.claude_messages import split_message
from daybook.importers.source import (
    DEFAULT_USER,
    BadRecord,
    ImportedMessage,
    ImportedSession,
    LeftOut,
    Record,
)
from daybook.importers.source_file import Broken, Element, SourceFile
from daybook.importers.source_times import parse_time
from daybook.importers.stable_ids import stable_id

__all__ = ["looks_like_claude", "read_claude"]

_KEPT = ("created_at", "updated_at", "summary", "model")


def looks_like_claude(value: Any) -> bool:
    """Tell whether a JSON value is a conversation of a Claude export."""
    return isinstance(value, dict) and isinstance(value.get("chat_messages"), list)


def read_claude(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield the conversations of an export.

    Owner is `user_id` if given, else the account the conversation names: an export may hold
    several people's.
    """
    for element in file.elements():
        if isinstance(element, Broken):
            yield BadRecord(file.name, element.position, element.reason)
        elif not looks_like_claude(element.value):
            yield BadRecord(file.name, element.position, "not a conversation: no chat_messages")
        else:
            yield from _conversation(file, element, user_id or _account(element.value))


def _conversation(file: SourceFile, element: Element, user_id: str) -> Iterator[Record]:
    value = element.value
    title = value.get("name")
    metadata = {name: value[name] for name in _KEPT if value.get(name)}
    named = value.get("uuid")
    session = ImportedSession(
        session_id=named
        if isinstance(named, str) and named
        else stable_id("claude", value.get("created_at"), title),
        user_id=user_id,
        title=title if isinstance(title, str) and title else None,
        metadata={"claude": metadata} if metadata else {},
        position=element.position,
    )
    yield session
    last = _first_time(value.get("created_at"))
    current = _current_branch(value)
    for index, message in enumerate(value["chat_messages"]):
        position = f"{element.position}.chat_messages[{index}]"
        if current is not None and isinstance(message, dict) and message.get("uuid") not in current:
            yield LeftOut(1)
            continue
        fallback = stable_id(session.session_id, index)
        try:
            parts = split_message(message, fallback_id=fallback, said_at=last)
        except InvalidInputError as exc:
            yield BadRecord(file.name, position, str(exc))
            continue
        for part in parts:
            last = part.created_at
            yield ImportedMessage(session, part, position)


def _current_branch(value: dict[str, Any]) -> set[str] | None:
    """Return the ids from the root to the current message; None if the export is one line."""
    node = value.get("current_leaf_message_uuid")
    parents = {
        message["uuid"]: message.get("parent_message_uuid")
        for message in value["chat_messages"]
        if isinstance(message, dict) and isinstance(message.get("uuid"), str)
    }
    if not isinstance(node, str) or node not in parents:
        return None
    branch: set[str] = set()
    while isinstance(node, str) and node in parents and node not in branch:
        branch.add(node)
        node = parents[node]
    return branch


def _account(value: dict[str, Any]) -> str:
    account = value.get("account")
    named = account.get("uuid") if isinstance(account, dict) else None
    return named if isinstance(named, str) and named else DEFAULT_USER


def _first_time(value: Any) -> datetime | None:
    try:
        return parse_time(value)
    except InvalidInputError:
        return None
