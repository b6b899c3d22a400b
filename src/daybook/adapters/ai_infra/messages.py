"""Messages of any kind as ours: LangChain's, dictionaries in the common spellings, bare text.

LangChain is recognised by its attributes, so nothing here imports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from daybook.context.tool_groups import units_from_end
from daybook.errors import InvalidInputError
from daybook.importers.message_fields import parse_content, parse_message
from daybook.model.codec import encode_json
from daybook.model.entry import HistoryEntry
from daybook.model.identifiers import new_id
from daybook.model.message import Message, Role, ToolCall, Usage

__all__ = [
    "as_message",
    "as_messages",
    "is_system",
    "is_unnamed",
    "leading_systems",
    "spoken_line",
    "stable_id",
    "units_of",
    "user_message_like",
]

_UNNAMED = "said-"  # begins the id of a message that came without one
_ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "humanmessage": "user",
    "humanmessagechunk": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "system": "system",
    "developer": "system",
    "systemmessage": "system",
    "systemmessagechunk": "system",
    "tool": "tool",
    "function": "tool",
    "toolmessage": "tool",
    "toolmessagechunk": "tool",
}
_SPEAKERS: dict[Role, str] = {
    "user": "Human",
    "assistant": "Assistant",
    "system": "System",
    "tool": "Tool",
}


def as_message(thing: Any) -> Message:
    """Return a message of any kind as ours; for counting and cutting, not for keeping.

    Args:
        thing: A `Message`, a LangChain message, a dictionary with a role and a content, or text,
            which counts as the user's.

    Raises:
        InvalidInputError: It is none of these.
    """
    if isinstance(thing, Message):
        return thing
    if isinstance(thing, str):
        return Message.user(thing)
    if isinstance(thing, Mapping):
        return _from_mapping(thing)
    if isinstance(getattr(thing, "type", None), str) and hasattr(thing, "content"):
        return _from_langchain(thing)
    raise InvalidInputError(
        "a message must be a Message, a LangChain message or a dictionary with a role and a "
        f"content, got {type(thing).__name__}"
    )


def as_messages(things: Iterable[Any]) -> list[Message]:
    """Return messages of any kind as ours, in order."""
    return [as_message(thing) for thing in things]


def is_unnamed(message: Message) -> bool:
    """Tell whether a message came without an id."""
    return message.id.startswith((_UNNAMED, "lc-"))


def is_system(message: Message) -> bool:
    """Tell whether a message is an instruction of the application's."""
    return message.role == "system"


def leading_systems(messages: Sequence[Message]) -> int:
    """Return how many system messages a conversation begins with."""
    return next(
        (at for at, message in enumerate(messages) if not is_system(message)), len(messages)
    )


def units_of(messages: Sequence[Message], tokens: Sequence[int] | None = None) -> list[list[int]]:
    """Return the places of messages that belong together, in order: a call and its results.

    What no provider accepts, a result without its call or a call that lacks a result, is left out,
    except for calls at the very end: they wait for their results.
    """
    entries = [
        HistoryEntry(at, message, tokens[at] if tokens else 0)
        for at, message in enumerate(messages)
    ]
    units = list(units_from_end(entries))
    units.reverse()
    last = len(messages) - 1
    kept = [
        [entry.seq for entry in unit.entries]
        for unit in units
        if not unit.broken or _waits(unit.entries, last)
    ]
    return sorted(kept, key=max)


def spoken_line(message: Message) -> str:
    """Return a message as one paragraph that begins with its speaker."""
    said = message.text
    for call in message.tool_calls:
        arguments = call.arguments
        shown = arguments if isinstance(arguments, str) else encode_json(arguments).decode()
        said = f"{said}\n(calls {call.name} with {shown})".strip()
    return f"{_SPEAKERS[message.role]}: {said}"


def stable_id(message: Message, seen: dict[bytes, int]) -> str:
    """Return an id made from what a message says, so that the same one gets the same again.

    Args:
        message: The message; its own id does not count.
        seen: How often each text came before, of this conversation; this call adds one.
    """
    parts = [message.role, message.name or "", message.tool_call_id or "", message.text]
    parts += [f"{call.id} {call.name} {call.arguments}" for call in message.tool_calls]
    body = "\0".join(parts).encode("utf-8", "surrogatepass")
    digest = blake2b(body, digest_size=12)
    count = seen.get(digest.digest(), 0)
    seen[digest.digest()] = count + 1
    return f"{_UNNAMED}{digest.hexdigest()}-{count}"


def user_message_like(text: str, things: Sequence[Any]) -> Any:
    """Return a user's message of the kind that `things` are: LangChain's, a dictionary or ours."""
    like = next((thing for thing in things if not isinstance(thing, str)), None)
    if isinstance(like, Mapping):
        return {"role": "user", "content": text}
    if like is None or isinstance(like, Message):
        return Message.user(text)
    from langchain_core.messages import HumanMessage  # noqa: PLC0415 - it is loaded already

    return HumanMessage(content=text)


def _waits(entries: Sequence[HistoryEntry], last: int) -> bool:
    """Tell whether a unit is a call at the end whose results are still to come."""
    return bool(entries[0].message.tool_calls) and entries[-1].seq == last


def _from_mapping(thing: Mapping[str, Any]) -> Message:
    fields = dict(thing)
    inner = fields.get("data")
    if isinstance(inner, Mapping) and "content" in inner:  # as LangChain writes one down
        fields = {**inner, "type": fields.get("type")}
    if fields.get("content") is None and "text" not in fields:
        fields["content"] = ""
    if isinstance(fields.get("role"), str):
        fields["role"] = _ROLES.get(fields["role"].lower(), fields["role"])
    elif isinstance(fields.get("type"), str):
        fields["role"] = _ROLES.get(fields.pop("type").lower(), "")
    else:
        fields["role"] = "user"
    return parse_message(fields, fallback_id=_UNNAMED + new_id())


def _from_langchain(thing: Any) -> Message:
    kind = thing.type if thing.type != "chat" else getattr(thing, "role", "")
    role = _ROLES.get(str(kind).lower())
    if role is None:
        raise InvalidInputError("the message's type is none of human, ai, system, tool")
    return Message(
        role=role,
        content=parse_content(thing.content),
        name=getattr(thing, "name", None) or None,
        tool_calls=_calls(thing),
        tool_call_id=getattr(thing, "tool_call_id", None) if role == "tool" else None,
        usage=_usage(getattr(thing, "usage_metadata", None)),
        id=getattr(thing, "id", None) or _UNNAMED + new_id(),
    )


def _calls(thing: Any) -> tuple[ToolCall, ...]:
    found = [*(getattr(thing, "tool_calls", None) or [])]
    broken = [*(getattr(thing, "invalid_tool_calls", None) or [])]
    return tuple(
        ToolCall(call.get("id") or "", call.get("name") or "", call.get("args") or {})
        for call in (*found, *broken)
    )


def _usage(reported: Any) -> Usage | None:
    if not isinstance(reported, Mapping):
        return None
    return Usage(int(reported.get("input_tokens") or 0), int(reported.get("output_tokens") or 0))
