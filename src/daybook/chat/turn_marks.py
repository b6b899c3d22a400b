"""What a chat notes in the messages it stores, below ``metadata["daybook"]``. Pure.

- ``answers``: the id of the user's message that an answer, or a round of tools, belongs to;
- ``incomplete``: the answer was broken off;
- ``late``: another turn may have come between the question and this answer;
- ``no_model``: the answer was looked up, no model was asked;
- ``user_id``: who asked, in a session that is somebody else's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

from msgspec.structs import replace

from daybook.model.message import Message, ToolCall
from daybook.protocols.clock import IdFactory

__all__ = ["answer_id", "answers", "is_answer", "marked", "of_turn", "with_distinct_calls"]


def answer_id(session_id: str, question_id: str) -> str:
    """Return the id of the one whole answer that a question can have in a session.

    Whoever answers the question a second time meets the first answer under this id.
    """
    key = blake2b(session_id.encode(), digest_size=32).digest()
    digits = blake2b(question_id.encode(), key=key, digest_size=16).hexdigest()
    parts = (digits[:8], digits[8:12], f"8{digits[13:16]}", f"8{digits[17:20]}", digits[20:])
    return "-".join(parts)


def marked(message: Message, marks: Mapping[str, Any], **fields: Any) -> Message:
    """Return a message with marks, beside what its metadata holds, and with other fields."""
    before = message.metadata.get("daybook")
    own = {**(before if isinstance(before, dict) else {}), **marks}
    return replace(message, metadata={**message.metadata, "daybook": own}, **fields)


def answers(message: Message, question_id: str) -> bool:
    """Tell whether a message belongs to the answer of a question."""
    return message.role != "user" and _mark(message, "answers") == question_id


def is_answer(message: Message, question_id: str) -> bool:
    """Tell whether a message is the whole answer of a question."""
    return (
        answers(message, question_id)
        and message.role == "assistant"
        and not message.tool_calls
        and _mark(message, "incomplete") is not True
    )


def of_turn(messages: Sequence[Message], question: Message) -> list[Message]:
    """Return a context for taking a turn again that had begun before.

    What was broken off of its answer is left out, rounds of tools stay; if others spoke since, the
    question comes again at the end, where a model looks for it.
    """
    kept = [
        one
        for one in messages
        if not (answers(one, question.id) and _mark(one, "incomplete") is True)
    ]
    last = kept[-1] if kept else None
    if last is None or not (last.id == question.id or answers(last, question.id)):
        kept.append(question)
    return kept


def with_distinct_calls(message: Message, id_factory: IdFactory) -> Message:
    """Return an answer each of whose tool calls has an id of its own."""
    seen: set[str] = {""}
    calls: list[ToolCall] = []
    for call in message.tool_calls:
        calls.append(call if call.id not in seen else replace(call, id=id_factory()))
        seen.add(calls[-1].id)
    return replace(message, tool_calls=tuple(calls))


def _mark(message: Message, name: str) -> Any:
    found = message.metadata.get("daybook")
    return found.get(name) if isinstance(found, dict) else None
