"""LangChain's messages as ours and back, without loss. Pure.

Role, text, calls, usage and name become ours, so that recall, contexts and every other face read
them. What we have no field for stands in ``metadata["langchain"]``; a plain message needs nothing
there. Bodies are our own closed JSON: nothing is revived, imported or unpickled.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    message_chunk_to_message,
)
from msgspec.structs import replace

from daybook.adapters.langchain.tagged_json import is_text, plain, restored
from daybook.errors import InvalidInputError
from daybook.language_models.call_ids import fresh_call_id
from daybook.language_models.langchain_messages import langchain_usage
from daybook.model.identifiers import MAX_ID_BYTES, new_id
from daybook.model.message import Content, ContentPart, Message, Role, ToolCall, Usage

__all__ = ["from_langchain", "readable", "to_langchain"]

_REST = "langchain"
_OURS = "daybook"
_NO_ID = "lc-"  # begins our id of a message that has none of LangChain's
_ROLES: dict[str, Role] = {
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}
_CLASSES: dict[str, type[BaseMessage]] = {
    "user": HumanMessage,
    "assistant": AIMessage,
    "system": SystemMessage,
    "tool": ToolMessage,
}
_PLAIN: dict[str, type[BaseMessage]] = {
    role: _CLASSES[role] for role in ("user", "assistant", "system")
}
_KINDS: tuple[tuple[type[BaseMessage], str], ...] = (
    (AIMessage, "ai"),
    (HumanMessage, "human"),
    (ToolMessage, "tool"),
    (SystemMessage, "system"),
    (ChatMessage, "chat"),
    (FunctionMessage, "function"),
)
_EXACT = dict(_KINDS)
_CALL_KEYS = {"name", "args", "id", "type"}
_MOST_TOKENS = 2**63
_SENT = {"cache_read": "cached_tokens", "cache_creation": "cache_write_tokens"}
_MADE = {"reasoning": "reasoning_tokens"}
_DETAILS = {*_SENT.values(), *_MADE.values()}


def from_langchain(message: BaseMessage) -> Message:
    """Return a message of LangChain's as ours; a chunk as the whole message it stands for.

    One without an id gets a fresh id, and comes back without.

    Raises:
        InvalidInputError: It is no message but a command (`RemoveMessage`), or holds an object
            that cannot be stored.
    """
    if isinstance(message, BaseMessageChunk):
        message = message_chunk_to_message(message)
    if isinstance(message, RemoveMessage):
        raise InvalidInputError("a RemoveMessage is a command, not a message: use clear()")
    if not isinstance(message, BaseMessage):
        raise InvalidInputError(f"a LangChain message is needed, got {type(message).__name__}")
    rest: dict[str, Any] = {}
    fields: dict[str, Any] = {"metadata": {}}
    kind = _EXACT.get(type(message)) or _kind_of(message, rest)
    fields["role"] = role = _role_of(message, kind, rest)
    fields["content"] = _content_from(message.content, rest)
    fields["id"] = _id_from(message.id, rest)
    if message.name is not None:
        fields["name"] = _kept_text("name", message.name, rest)
    if message.additional_kwargs:
        _keep_kwargs(message.additional_kwargs, fields, rest)
    _keep_more(message, rest)
    if role == "assistant" and isinstance(message, AIMessage):
        _keep_answer(message, fields, rest)
    elif isinstance(message, ToolMessage):
        _keep_result(message, fields, rest)
    fields.pop("usage_details", None)
    if rest:
        fields["metadata"][_REST] = rest
    return Message(**fields)


def to_langchain(message: Message) -> BaseMessage:
    """Return one of our messages as LangChain's: what `from_langchain` was given, if it was.

    What LangChain has no field for stands in ``additional_kwargs["daybook"]``, and comes back from
    there; `created_at` is left out.

    Raises:
        ValueError: What stands in ``metadata["langchain"]`` is not what was written there.
    """
    metadata = message.metadata
    if not metadata and (said := _plain_one(message)) is not None:
        return said
    rest: dict[str, Any] = restored(metadata[_REST]) if _REST in metadata else {}
    fields: dict[str, Any] = dict(rest.get("extra", ()))
    fields["content"] = _content_to(message.content, rest)
    fields["id"] = rest.get("id") if message.id.startswith(_NO_ID) else message.id
    name = rest.get("name", message.name)
    if name is not None:
        fields["name"] = name
    kwargs = rest.get("additional_kwargs", {})
    if ours := _own_fields(message, rest):
        kwargs = {**kwargs, _OURS: ours}
    if kwargs:
        fields["additional_kwargs"] = kwargs
    if "response_metadata" in rest:
        fields["response_metadata"] = rest["response_metadata"]
    if "type" in rest:
        return _other_kind(rest, fields)
    if message.role == "assistant":
        return _answer_to(message, fields, rest)
    if message.role == "tool":
        fields["tool_call_id"] = rest.get("tool_call_id", message.tool_call_id or "")
        fields["status"] = "error" if metadata.get("is_error") is True else "success"
        if "artifact" in rest:
            fields["artifact"] = rest["artifact"]
    return _CLASSES[message.role](**fields)


def _plain_one(message: Message) -> BaseMessage | None:
    """Return a message that is text and nothing else, as most are: the quick way."""
    kind = _PLAIN.get(message.role)
    if kind is None or type(message.content) is not str or message.tool_calls:
        return None
    if message.name is not None or message.usage is not None:
        return None
    id_ = None if message.id.startswith(_NO_ID) else message.id
    return kind(content=message.content, id=id_)


def readable(message: Message) -> BaseMessage:
    """Return what `to_langchain` returns, or a marked placeholder: one bad row ends no read."""
    try:
        return to_langchain(message)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return AIMessage(
            "[this message could not be decoded]",
            id=message.id,
            additional_kwargs={_OURS: {"metadata": {_OURS: {"corrupt": True}}}},
        )


def _keep_more(message: BaseMessage, rest: dict[str, Any]) -> None:
    if message.response_metadata:
        rest["response_metadata"] = plain(message.response_metadata, "response_metadata")
    if message.__pydantic_extra__:
        rest.setdefault("extra", {}).update(plain(message.__pydantic_extra__, "extra"))


def _kind_of(message: BaseMessage, rest: dict[str, Any]) -> str:
    """Return the kind of a subclass, and keep its own fields as LangChain's extra ones."""
    base, kind = next(
        ((base, kind) for base, kind in _KINDS if isinstance(message, base)),
        (BaseMessage, str(message.type)),
    )
    own = set(type(message).model_fields) - set(base.model_fields)
    if own:
        rest["extra"] = plain({name: getattr(message, name) for name in sorted(own)}, "extra")
    return kind


def _role_of(message: BaseMessage, kind: str, rest: dict[str, Any]) -> Role:
    """Return our role; keep what it does not say."""
    if kind in ("human", "ai", "system", "tool"):
        return _ROLES[kind]
    rest["type"] = kind
    if kind == "function":
        return "tool"
    spoken: Any = getattr(message, "role", kind)
    rest["role"] = plain(str(spoken), "role")
    role = _ROLES.get(str(spoken).lower(), "user")
    return "user" if role == "tool" else role


def _id_from(value: str | None, rest: dict[str, Any]) -> str:
    if value is None:
        return _NO_ID + new_id()
    if not value.startswith(_NO_ID) and _is_name(value) and len(value.encode()) <= MAX_ID_BYTES:
        return value
    rest["id"] = plain(value, "id")
    return _NO_ID + new_id()


def _kept_text(name: str, value: str, rest: dict[str, Any]) -> str:
    """Return a text; one that is not valid Unicode is kept, and returned with marks in it."""
    if is_text(value):
        return value
    rest[name] = plain(value, name)
    return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _keep_kwargs(given: dict[str, Any], fields: dict[str, Any], rest: dict[str, Any]) -> None:
    ours = given.get(_OURS)
    if isinstance(ours, dict) and _are_own_fields(ours):
        fields["metadata"] = dict(ours.get("metadata", ()))
        fields["usage_details"] = ours.get("usage_details")
        given = {name: value for name, value in given.items() if name != _OURS}
    if given:
        rest["additional_kwargs"] = plain(given, "additional_kwargs")


def _are_own_fields(ours: dict[str, Any]) -> bool:
    known = bool(ours) and set(ours) <= {"metadata", "usage_details"}
    return known and all(_is_own(value) for value in ours.values())


def _is_own(metadata: Any) -> bool:
    """Tell whether this can be a message's own metadata, and would come back the same."""
    return (
        isinstance(metadata, dict)
        and bool(metadata)
        and _REST not in metadata
        and metadata.get("is_error") is not True  # that is a result's status
        and plain(metadata, "metadata") == metadata
    )


def _own_fields(message: Message, rest: dict[str, Any]) -> dict[str, Any]:
    """Return what only we have a field for."""
    made: dict[str, Any] = {}
    if message.usage is not None and set(message.usage.details) - _DETAILS and "usage" not in rest:
        made["usage_details"] = dict(message.usage.details)
    if metadata := message.metadata:
        own = {name: value for name, value in metadata.items() if name != _REST}
        if message.role == "tool" and own.get("is_error") is True:
            del own["is_error"]
        if own:
            made["metadata"] = own
    return made


def _content_from(content: Any, rest: dict[str, Any]) -> Content:
    if isinstance(content, str):
        return _kept_text("content", content, rest)
    kept: dict[str, Any] = {}
    parts = tuple(_part(block, str(at), kept) for at, block in enumerate(content))
    if kept:
        rest["blocks"] = kept
    return parts


def _part(block: Any, at: str, kept: dict[str, Any]) -> ContentPart:
    """Return a block as a part; one that a part cannot hold is kept beside it."""
    if isinstance(block, dict) and _is_name(block.get("type")):
        text = block.get("text")
        spoken = _exact(text) if isinstance(text, str) and is_text(text) else None
        data = {
            name: value
            for name, value in block.items()
            if name != "type" and not (name == "text" and spoken is not None)
        }
        stored = plain(data, f"content[{at}]")
        if stored == data:
            return ContentPart(_exact(block["type"]), spoken, stored)
        kept[at] = plain(block, f"content[{at}]")
        return ContentPart(_exact(block["type"]), spoken)
    kept[at] = plain(block, f"content[{at}]")
    if isinstance(block, str):
        return ContentPart("text", _kept_text("text", _exact(block), {}))
    return ContentPart("unknown")


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and is_text(value)


def _exact(text: str) -> str:
    """Return a text of a subclass, as LangChain's `text` and enumerations are, as a plain one."""
    return str.__str__(text)


def _content_to(content: Content, rest: dict[str, Any]) -> str | list[Any]:
    if isinstance(content, str):
        whole: str = rest.get("content", content)
        return whole
    blocks: list[Any] = [_block(part) for part in content]
    for at, block in rest.get("blocks", {}).items():
        blocks[int(at)] = block
    return blocks


def _block(part: ContentPart) -> dict[str, Any]:
    if part.text is None:
        return {"type": part.type, **part.data}
    return {"type": part.type, "text": part.text, **part.data}


def _keep_answer(message: AIMessage, fields: dict[str, Any], rest: dict[str, Any]) -> None:
    if message.tool_calls or message.invalid_tool_calls:
        calls = [_call_from(call, "tool_call") for call in message.tool_calls]
        invalid = [_call_from(call, "invalid_tool_call") for call in message.invalid_tool_calls]
        fields["tool_calls"] = (*(call for call, _ in calls), *(call for call, _ in invalid))
        if not all(whole for _, whole in calls):
            rest["tool_calls"] = plain([dict(call) for call in message.tool_calls], "tool_calls")
        if not all(whole for _, whole in invalid):
            bad = [dict(call) for call in message.invalid_tool_calls]
            rest["invalid_tool_calls"] = plain(bad, "invalid_tool_calls")
    if message.usage_metadata is not None:
        _keep_usage(dict(message.usage_metadata), fields, rest)


def _call_from(call: Any, kind: str) -> tuple[ToolCall, bool]:
    """Return a call as ours, and whether that says all of it."""
    name, args, id_ = call.get("name"), call.get("args"), call.get("id")
    named = _is_name(name) and len(name.encode()) <= MAX_ID_BYTES
    known = _is_name(id_) and len(id_.encode()) <= MAX_ID_BYTES
    whole = named and known and call.get("type", kind) == kind
    if kind == "tool_call":
        stored = plain(args, "args")
        whole = whole and set(call) == _CALL_KEYS and stored == args
        arguments: dict[str, Any] | str = stored if isinstance(stored, dict) else {}
    else:
        usual = set(call) <= {*_CALL_KEYS, "error"} and call.get("error", "") is None
        whole = whole and usual and set(call) == {*_CALL_KEYS, "error"} and type(args) is str
        whole = whole and is_text(args)
        arguments = args if type(args) is str and is_text(args) else ""
    made = ToolCall(id_ if known else fresh_call_id(), name if named else "unknown", arguments)
    return made, whole


def _keep_usage(reported: dict[str, Any], fields: dict[str, Any], rest: dict[str, Any]) -> None:
    details = fields.pop("usage_details", None)
    counts = [reported.get("input_tokens"), reported.get("output_tokens")]
    if all(type(count) is int and 0 <= count < _MOST_TOKENS for count in counts):
        usage = langchain_usage(reported)
        if usage is not None:
            found = usage.details if details is None else details
            storable = {name: one for name, one in found.items() if plain(one, name) == one}
            fields["usage"] = replace(usage, details=storable)
            if reported == _usage_to(fields["usage"]):
                return
    rest["usage"] = plain(reported, "usage_metadata")


def _usage_to(usage: Usage) -> dict[str, Any]:
    """Return usage as LangChain writes it; details that it has no name for are left out."""
    made: dict[str, Any] = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
    if not usage.details:
        return made
    for field, names in (("input_token_details", _SENT), ("output_token_details", _MADE)):
        found = {
            theirs: usage.details[ours] for theirs, ours in names.items() if ours in usage.details
        }
        if found:
            made[field] = found
    return made


def _keep_result(message: ToolMessage, fields: dict[str, Any], rest: dict[str, Any]) -> None:
    call_id = message.tool_call_id
    if _is_name(call_id) and len(call_id.encode()) <= MAX_ID_BYTES:
        fields["tool_call_id"] = call_id
    else:
        rest["tool_call_id"] = plain(call_id, "tool_call_id")
    if message.status == "error":
        fields["metadata"]["is_error"] = True
    if message.artifact is not None:
        rest["artifact"] = plain(message.artifact, "artifact")


def _answer_to(message: Message, fields: dict[str, Any], rest: dict[str, Any]) -> AIMessage:
    tool_calls = rest.get("tool_calls")
    if tool_calls is None:
        tool_calls = [
            {"name": call.name, "args": call.arguments, "id": call.id, "type": "tool_call"}
            for call in message.tool_calls
            if type(call.arguments) is not str
        ]
    invalid = rest.get("invalid_tool_calls")
    if invalid is None:
        invalid = [
            {
                "name": call.name,
                "args": call.arguments,
                "id": call.id,
                "error": None,
                "type": "invalid_tool_call",
            }
            for call in message.tool_calls
            if type(call.arguments) is str
        ]
    # What is left out is not validated, which is half the cost.
    if tool_calls:
        fields["tool_calls"] = tool_calls
    if invalid:
        fields["invalid_tool_calls"] = invalid
    if "usage" in rest:
        fields["usage_metadata"] = rest["usage"]
    elif message.usage is not None:
        fields["usage_metadata"] = _usage_to(message.usage)
    made = AIMessage(**fields)
    if "additional_kwargs" in fields and made.tool_calls != tool_calls:
        made.tool_calls = tool_calls  # LangChain read some out of additional_kwargs
    return made


def _other_kind(rest: dict[str, Any], fields: dict[str, Any]) -> BaseMessage:
    if rest["type"] == "function":
        return FunctionMessage(**fields)
    return ChatMessage(role=rest["role"], **fields)
