"""Which messages of a run's input and output are its turn. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    HumanMessage,
    message_chunk_to_message,
)

from daybook.errors import InvalidInputError

__all__ = ["input_messages", "joined", "new_messages", "output_messages", "whole"]


def input_messages(value: Any, key: str | None) -> list[BaseMessage]:
    """Return the messages of an input: text, a message, messages, or a dict that holds these.

    Raises:
        InvalidInputError: It is none of these.
    """
    if isinstance(value, dict):
        chosen = key or (next(iter(value)) if len(value) == 1 else "input")
        if chosen not in value:
            raise InvalidInputError(f"the input has no {chosen!r}: set input_messages_key")
        value = value[chosen]
    return _messages(value, HumanMessage, "input")


def output_messages(value: Any, key: str | None) -> list[BaseMessage]:
    """Return the messages of an output, in the same way; those of a graph's updates in order.

    Raises:
        InvalidInputError: There are none to be found.
    """
    if isinstance(value, dict):
        if key is None and "messages" in value:
            key = "messages"
        if key not in value and (updates := _updates(value)) is not None:
            return updates
        chosen = key or (next(iter(value)) if len(value) == 1 else "output")
        if chosen not in value:
            raise InvalidInputError(f"the output has no {chosen!r}: set output_messages_key")
        value = value[chosen]
    return [whole(message) for message in _messages(value, AIMessage, "output")]


def new_messages(
    given: Sequence[BaseMessage], sent: Sequence[BaseMessage], made: Sequence[BaseMessage]
) -> list[BaseMessage]:
    """Return a turn's messages: of the input what is new, then of the output what is new.

    An agent's output holds all that was said, an input sometimes too; neither is stored again. An
    answer that is new but has the id of an older one, as models in tests repeat it, loses its id.

    Args:
        given: The history as it was loaded.
        sent: The input.
        made: The output.
    """
    stored = {message.id for message in given if message.id}
    fresh = [message for message in sent if message.id not in stored]
    before = [*given, *fresh]
    if len(made) >= len(before) and all(map(_same, before, made)):
        # A graph gives messages their ids: as they came out.
        asked, answered = made[len(given) : len(before)], made[len(before) :]
        return [*asked, *(_renamed(message, stored) for message in answered)]
    if len(made) == 1:
        return [*fresh, _renamed(made[0], stored)]
    known = stored | {message.id for message in fresh if message.id}
    return [*fresh, *(message for message in made if not message.id or message.id not in known)]


def joined(chunks: Sequence[Any]) -> Any:
    """Return what the chunks of a stream make together, as LangChain adds them; else a list.

    Dicts that do not add up are a graph's updates: they are merged under names of their own.
    """
    whole_value = chunks[0]
    try:
        for chunk in chunks[1:]:
            whole_value = whole_value + chunk
    except TypeError:
        if not all(isinstance(chunk, dict) for chunk in chunks):
            return chunks[-1]
        if any("messages" in chunk for chunk in chunks):
            return next(chunk for chunk in reversed(chunks) if "messages" in chunk)
        return {
            f"{at} {name}": value for at, one in enumerate(chunks) for name, value in one.items()
        }
    return whole_value


def whole(message: BaseMessage) -> BaseMessage:
    """Return a message; of a chunk, the message that it stands for."""
    return message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message


def _messages(value: Any, kind: type[BaseMessage], what: str) -> list[BaseMessage]:
    if isinstance(value, str):
        return [kind(value)]
    if isinstance(value, BaseMessage):
        return [value]
    if isinstance(value, list | tuple):
        if len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        if all(isinstance(one, BaseMessage) for one in value):
            return list(value)
    raise InvalidInputError(
        f"the {what} must be text, a message or a list of messages, got {type(value).__name__}"
    )


def _updates(value: dict[str, Any]) -> list[BaseMessage] | None:
    """Return the messages of a graph's updates by node; None if this is no such thing."""
    nodes = [node for node in value.values() if node is not None]
    if not nodes or not all(isinstance(node, dict) and "messages" in node for node in nodes):
        return None
    return [
        whole(one) for node in nodes for one in _messages(node["messages"], AIMessage, "output")
    ]


def _renamed(message: BaseMessage, taken: set[str]) -> BaseMessage:
    if message.id is None or message.id not in taken:
        return message
    return message.model_copy(update={"id": None})


def _same(before: BaseMessage, after: BaseMessage) -> bool:
    if before.id and after.id:
        return before.id == after.id
    return before.type == after.type and before.content == after.content
