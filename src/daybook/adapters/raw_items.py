"""A framework's own item beside our message: kept as it came, given back as it came. Pure.

What a framework hands in stands whole in ``metadata[<adapter>]``; our fields are a view of it, for
recall, contexts and people. So what the view has no word for is not lost.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from daybook.errors import InvalidInputError
from daybook.model.codec import check_message
from daybook.model.json_value import check_json
from daybook.model.message import Message

__all__ = ["has_item", "item_of", "packed", "readable", "unpacked", "with_item"]

_DEEPER = 3  # levels of a message around an item


def with_item(message: Message, shelf: str, item: Any) -> Message:
    """Return a message that also holds a raw item; `shelf` is the adapter's name in its metadata.

    Where the message itself could not be stored (an empty tool name, an id that is too long), it
    is reduced to its text; the item stays whole.

    Raises:
        InvalidInputError: The item is not JSON.
    """
    metadata = {**message.metadata, shelf: packed(item)}
    whole = replace(message, metadata=metadata)
    try:
        check_message(whole, "message")
    except InvalidInputError:
        return Message(
            id=message.id,
            role=message.role if message.role != "tool" else "assistant",
            content=readable(message.text),
            created_at=message.created_at,
            metadata=metadata,
        )
    return whole


def has_item(message: Message, shelf: str) -> bool:
    """Tell whether a message holds a raw item of an adapter's."""
    kept = message.metadata.get(shelf)
    return isinstance(kept, dict) and ("item" in kept or "json" in kept)


def item_of(message: Message, shelf: str) -> Any:
    """Return the raw item that a message holds."""
    return unpacked(message.metadata[shelf])


def readable(text: str) -> str:
    """Return a text that can be stored: a lone surrogate becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def packed(item: Any) -> dict[str, Any]:
    """Return an item as our JSON; as ASCII text if it holds what our JSON refuses.

    Raises:
        InvalidInputError: It is no JSON at all.
    """
    try:
        check_json(item, "item", depth=_DEEPER)
    except InvalidInputError as refused:
        # A lone surrogate, a number without end, an integer of any size, a tuple.
        try:
            return {"json": json.dumps(item, ensure_ascii=True)}
        except (TypeError, ValueError, RecursionError):
            raise refused from None
    return {"item": item}


def unpacked(kept: dict[str, Any]) -> Any:
    """Return the item that `packed` was given."""
    return kept["item"] if "item" in kept else json.loads(kept["json"])
