"""Messages as they are kept, and as they come back; and what of a conversation is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from msgspec.structs import replace

from daybook.adapters.ai_infra.messages import as_message, is_system, is_unnamed, stable_id
from daybook.model.message import Message

__all__ = ["Change", "kept_form", "kept_messages", "new_messages", "shown_message", "what_changed"]

_MARK = "ai_infra"
_CODEC = "daybook.adapters.langchain.messages"


def kept_form(thing: Any) -> Message:
    """Return a message of any kind as it is kept, with everything that came with it."""
    if isinstance(thing, Message | str | Mapping):
        return as_message(thing)
    try:
        codec = import_module(_CODEC)
        base = import_module("langchain_core.messages").BaseMessage
    except ImportError:
        return as_message(thing)
    if not isinstance(thing, base):
        return as_message(thing)
    kept: Message = codec.from_langchain(thing)
    return replace(kept, metadata={**kept.metadata, _MARK: "langchain"})


def kept_messages(things: Sequence[Any]) -> list[Message]:
    """Return what is kept of a conversation: everything but the application's instructions."""
    ours = [kept_form(thing) for thing in things]
    return [message for message in ours if not is_system(message)]


def shown_message(message: Message) -> Any:
    """Return a kept message in the form in which it was handed in: LangChain's, else ours."""
    if _MARK not in message.metadata:
        return message
    metadata = {name: value for name, value in message.metadata.items() if name != _MARK}
    ours = replace(message, metadata=metadata)
    try:
        codec = import_module(_CODEC)
    except ImportError:  # it was kept where LangChain is installed
        return ours
    return codec.readable(ours)


class Change:
    """What a conversation that is handed in adds to the one that is stored.

    Attributes:
        added: How many of its last messages are new.
        replaces: True if it begins as the stored one and then differs: it is that one, edited.
    """

    def __init__(self, added: int, *, replaces: bool = False) -> None:
        self.added = added
        self.replaces = replaces


def what_changed(stored: Sequence[Message], given: Sequence[Message]) -> Change:
    """Compare a stored conversation with one that is handed in under its name.

    The whole conversation again, a longer one, its newest part with or without more: what is new is
    added. One that begins alike and then differs is the same, edited. Anything else is said after
    what is stored. Two messages are the same if they say the same, under the same id where both
    came with one. Pure.
    """
    old, new = [_Mark(message) for message in stored], [_Mark(message) for message in given]
    same = next(
        (at for at, (one, other) in enumerate(zip(old, new, strict=False)) if one != other),
        min(len(old), len(new)),
    )
    if same == len(new):
        return Change(0)
    for shared in range(min(len(old), len(new)), 0, -1):
        if old[-shared:] == new[:shared]:
            return Change(len(new) - shared)
    return Change(len(new), replaces=same > 0)


def new_messages(stored: Sequence[Message], given: Sequence[Message]) -> list[Message]:
    """Return messages to append after stored ones, each under an id that is not taken.

    A message keeps its own id; one without gets an id made from what it says, the same each time,
    so that a call that is repeated after a failure adds nothing twice.
    """
    seen: dict[bytes, int] = {}
    taken = set[str]()
    for message in stored:
        stable_id(message, seen)
        taken.add(message.id)
    fresh: list[Message] = []
    for message in given:
        made = stable_id(message, seen)
        if message.id in taken or is_unnamed(message):
            made = f"lc-{made}" if message.id.startswith("lc-") else made
            message = replace(message, id=made)  # noqa: PLW2901 - the same one under its id
        fresh.append(message)
        taken.add(fresh[-1].id)
    return fresh


class _Mark:
    """What tells a message from others."""

    __slots__ = ("_id", "_said")

    def __init__(self, message: Message) -> None:
        calls = tuple((call.name, str(call.arguments)) for call in message.tool_calls)
        self._said = message.role, message.text, message.name, calls
        self._id = None if is_unnamed(message) else message.id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Mark) or self._said != other._said:
            return False
        return self._id is None or other._id is None or self._id == other._id

    __hash__ = None  # type: ignore[assignment] # equality is not transitive
