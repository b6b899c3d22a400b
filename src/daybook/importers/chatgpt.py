"""A ChatGPT export: ``conversations.json``, each conversation a tree of messages.

The path to the current node is what its owner last saw; it is imported. Messages on branches that
were edited away or regenerated are counted, not imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.chatgpt_messages import PathReading
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

__all__ = ["looks_like_chatgpt", "read_chatgpt"]

_KEPT = ("create_time", "update_time", "default_model_slug", "gizmo_id", "conversation_template_id")


def looks_like_chatgpt(value: Any) -> bool:
    """Tell whether a JSON value is a conversation of a ChatGPT export."""
    return isinstance(value, dict) and isinstance(value.get("mapping"), dict)


def read_chatgpt(file: SourceFile, user_id: str | None) -> Iterator[Record]:
    """Yield the conversations of an export; `user_id` owns them, if given."""
    for element in file.elements():
        if isinstance(element, Broken):
            yield BadRecord(file.name, element.position, element.reason)
        elif not looks_like_chatgpt(element.value):
            yield BadRecord(file.name, element.position, "not a conversation: it has no mapping")
        else:
            yield from _conversation(file, element, user_id or DEFAULT_USER)


def _conversation(file: SourceFile, element: Element, user_id: str) -> Iterator[Record]:
    value = element.value
    mapping: dict[str, Any] = value["mapping"]
    path = current_path(mapping, value.get("current_node"))
    metadata = {name: value[name] for name in _KEPT if value.get(name) is not None}
    title = value.get("title")
    session = ImportedSession(
        session_id=_session_id(value, mapping),
        user_id=user_id,
        title=title if isinstance(title, str) and title else None,
        metadata={"chatgpt": metadata} if metadata else {},
        position=element.position,
    )
    yield session
    reading = PathReading(_time_or_none(value.get("create_time")))
    for node_id in path:
        position = f"{element.position}.mapping.{node_id}"
        try:
            message = reading.message(mapping[node_id].get("message"), node_id)
        except InvalidInputError as exc:
            yield BadRecord(file.name, position, str(exc))
            continue
        if message is not None:
            yield ImportedMessage(session, message, position)
    aside = sum(_says_something(mapping[node]) for node in mapping.keys() - set(path))
    if aside:
        yield LeftOut(aside)


def current_path(mapping: dict[str, Any], current: Any) -> list[str]:
    """Return the nodes from the root to the current one; to the newest leaf if none is named.

    A loop or a missing parent ends the path: the tree came from outside.
    """
    node = current if isinstance(current, str) and current in mapping else _newest_leaf(mapping)
    path: list[str] = []
    seen: set[str] = set()
    while isinstance(node, str) and node not in seen and isinstance(mapping.get(node), dict):
        path.append(node)
        seen.add(node)
        node = mapping[node].get("parent")
    path.reverse()
    return path


def _newest_leaf(mapping: dict[str, Any]) -> str | None:
    """Return the leaf whose message was made last."""
    leaves = [
        name
        for name, node in mapping.items()
        if isinstance(node, dict) and not node.get("children")
    ]
    return max(leaves, key=lambda name: (_made_at(mapping[name]), name), default=None)


def _made_at(node: dict[str, Any]) -> float:
    message = node.get("message")
    made = message.get("create_time") if isinstance(message, dict) else None
    return float(made) if isinstance(made, int | float) else 0.0


def _session_id(value: dict[str, Any], mapping: dict[str, Any]) -> str:
    for name in ("conversation_id", "id"):
        if isinstance(value.get(name), str) and value[name]:
            return str(value[name])
    return stable_id("chatgpt", value.get("create_time"), *sorted(mapping)[:1])


def _time_or_none(value: Any) -> Any:
    try:
        return parse_time(value)
    except InvalidInputError:
        return None


def _says_something(node: Any) -> bool:
    message = node.get("message") if isinstance(node, dict) else None
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, dict):
        return False
    return any(content.get("parts") or ()) or bool(content.get("text") or content.get("result"))
