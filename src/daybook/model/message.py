"""One utterance of a conversation, as a frozen value.

A message is never changed after it was made. Its id is set when it is made, so handing the same
object in again after a failure is recognised as the same message.

The values opt out of cycle collection (`gc=False`): they hold JSON values, which have no cycles,
and loading ten thousand of them is twice as fast so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from daybook.model.identifiers import new_id

__all__ = ["ROLES", "Content", "ContentPart", "Message", "Role", "ToolCall", "Usage"]

Role = Literal["system", "user", "assistant", "tool"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")


class ToolCall(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A model's request to run a tool.

    Attributes:
        id: What the tool's result names in ``tool_call_id``.
        name: The tool.
        arguments: The arguments as an object, or the raw text where a model produced no valid one.
    """

    id: str
    name: str
    arguments: dict[str, Any] | str = {}


class ContentPart(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One typed part of a message: text, an image, reasoning, a file, anything a provider sends.

    Attributes:
        type: The kind, in the provider's word (``text``, ``image``, ``reasoning`` …).
        text: The part's readable text, if it has any: what recall and token counts see.
        data: Every other field of the part, kept as it came.
    """

    type: str
    text: str | None = None
    data: dict[str, Any] = {}


class Usage(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """Tokens a provider reported for one answer."""

    input_tokens: int = 0
    output_tokens: int = 0
    details: dict[str, Any] = {}


Content = str | tuple[ContentPart, ...]


class Message(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="v",
    tag=1,
    gc=False,
):
    """One utterance.

    Attributes:
        id: Unique in its session; a fresh time-ordered UUID unless the caller names one.
        role: Who speaks: system, user, assistant or tool.
        content: Text, or typed parts in order.
        name: The speaker's name where a role has several.
        tool_calls: Tools the assistant asks for.
        tool_call_id: The call this message (role tool) answers.
        created_at: When it was said, aware; set from the clock at append if left out.
        usage: Tokens the provider reported.
        metadata: The caller's own JSON object, returned as given.
    """

    role: Role
    content: Content = ""
    id: str = field(default_factory=new_id)
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    created_at: datetime | None = None
    usage: Usage | None = None
    metadata: dict[str, Any] = {}

    @classmethod
    def system(cls, content: Content | list[ContentPart], **fields: Any) -> Message:
        """Make a system message; `fields` are the other attributes."""
        return cls(role="system", **_fixed(content, fields))

    @classmethod
    def user(cls, content: Content | list[ContentPart], **fields: Any) -> Message:
        """Make a user's message; `fields` are the other attributes."""
        return cls(role="user", **_fixed(content, fields))

    @classmethod
    def assistant(cls, content: Content | list[ContentPart] = "", **fields: Any) -> Message:
        """Make an assistant's message; `fields` are the other attributes."""
        return cls(role="assistant", **_fixed(content, fields))

    @classmethod
    def tool(
        cls, content: Content | list[ContentPart], *, tool_call_id: str, **fields: Any
    ) -> Message:
        """Make the result of one tool call; `fields` are the other attributes."""
        return cls(role="tool", tool_call_id=tool_call_id, **_fixed(content, fields))

    @property
    def text(self) -> str:
        """The readable text: the content, or the texts of its parts joined by newlines."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if part.text)


def _fixed(content: Content | list[ContentPart], fields: dict[str, Any]) -> dict[str, Any]:
    """Return a message's fields with lists of parts and of tool calls made into tuples."""
    fields["content"] = tuple(content) if isinstance(content, list) else content
    calls = fields.get("tool_calls")
    if isinstance(calls, list):
        fields["tool_calls"] = tuple(calls)
    return fields
