"""Our messages as LangChain's, and its answers as our replies. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from daybook.language_models.call_ids import fresh_call_id
from daybook.language_models.media import Media, media_of, stand_in
from daybook.language_models.reply_parts import (
    NotAnAnswerError,
    Pieces,
    finished,
    token_count,
    usage_details,
)
from daybook.language_models.tool_arguments import read_arguments
from daybook.model.message import ContentPart, Message, ToolCall, Usage
from daybook.model.reply import FinishReason, Reply, Tool

__all__ = [
    "LangChainAssembler",
    "langchain_message",
    "langchain_reply",
    "langchain_tool",
    "langchain_usage",
]

_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "refused",
    "refusal": "refused",
    "safety": "refused",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
}
_REASON_FIELDS = ("finish_reason", "stop_reason", "done_reason")
_MODEL_FIELDS = ("model_name", "model", "model_id")
# Blocks of an answer's content that say again what stands in its tool calls.
_CALL_BLOCKS = frozenset(
    {"function_call", "input_json_delta", "invalid_tool_call", "tool_call", "tool_call_chunk"}
    | {"tool_use"}
)


def langchain_message(message: Message) -> BaseMessage:
    """Return one message. Images, audio and files are written in LangChain's own blocks."""
    content: Any = message.content
    if not isinstance(message.content, str):
        content = [_block(part, message.role) for part in message.content]
    if message.role == "tool":
        failed = message.metadata.get("is_error") is True
        return ToolMessage(
            content,
            tool_call_id=message.tool_call_id or "",
            name=message.name,
            status="error" if failed else "success",
        )
    if message.role == "assistant":
        return AIMessage(content, name=message.name, **_calls_of(message))
    made = SystemMessage if message.role == "system" else HumanMessage
    return made(content, name=message.name)


def langchain_tool(tool: Tool) -> dict[str, Any]:
    """Return a tool in the form that every LangChain model takes."""
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}


def langchain_reply(answer: BaseMessage) -> Reply:
    """Return the reply in a whole answer.

    Raises:
        NotAnAnswerError: It is no answer.
    """
    if not isinstance(answer, AIMessage):
        raise NotAnAnswerError("the answer is not of the assistant")
    reported = answer.response_metadata
    reason = str(_first(reported, _REASON_FIELDS) or "").lower()
    return finished(
        [_part(block) for _, block in _blocks(answer.content)],
        _calls(answer),
        model=_first(reported, _MODEL_FIELDS),
        finish_reason=_REASONS.get(reason, "stop"),
        usage=langchain_usage(answer.usage_metadata),
    )


def langchain_usage(reported: Mapping[str, Any] | None) -> Usage | None:
    """Return the tokens that were reported; LangChain's input counts what came from a cache."""
    if not reported:
        return None
    sent = reported.get("input_token_details") or {}
    made = reported.get("output_token_details") or {}
    details = {
        "cached_tokens": sent.get("cache_read"),
        "cache_write_tokens": sent.get("cache_creation"),
        "reasoning_tokens": made.get("reasoning"),
    }
    return Usage(
        token_count(reported.get("input_tokens")),
        token_count(reported.get("output_tokens")),
        usage_details(details),
    )


class LangChainAssembler:
    """Puts the chunks of one stream together, as LangChain adds them up."""

    def __init__(self) -> None:
        self._whole: AIMessageChunk | None = None
        self._pieces = Pieces()

    def add(self, event: AIMessageChunk) -> str | None:
        """Take the next chunk; return the text that it brought."""
        whole: Any = event if self._whole is None else self._whole + event
        self._whole = whole
        spoken = ""
        for place, block in _blocks(event.content):
            if block.get("type") == "text":
                spoken += self._pieces.piece(block.get("text") or "", place) or ""
        return spoken or None

    def reply(self) -> Reply:
        """Return the whole answer.

        Raises:
            NotAnAnswerError: Nothing came.
        """
        if self._whole is None:
            raise NotAnAnswerError("the stream ended before the answer did")
        return langchain_reply(self._whole)


def _block(part: ContentPart, role: str) -> dict[str, Any]:
    if part.type == "text":
        return {"type": "text", "text": part.text or "", **part.data}
    if role == "assistant":  # as the model wrote it
        text = {"text": part.text} if part.text is not None else {}
        return {"type": part.type, **text, **part.data}
    media = media_of(part)
    return _media_block(media) if media else {"type": "text", "text": stand_in(part)}


def _media_block(media: Media) -> dict[str, Any]:
    if media.readable is not None:
        return {"type": "text", "text": media.readable}
    fields = {
        "url": media.url,
        "base64": media.base64,
        "file_id": media.file_id,
        "mime_type": media.mime,
        "filename": media.name,
    }
    return {"type": media.kind, **{name: value for name, value in fields.items() if value}}


def _calls_of(message: Message) -> dict[str, Any]:
    """Return an assistant's calls: objects as calls, raw text as LangChain's invalid ones."""
    valid: list[dict[str, Any]] = []
    raw: list[dict[str, Any]] = []
    for call in message.tool_calls:
        made = {"id": call.id, "name": call.name, "args": call.arguments}
        if isinstance(call.arguments, str):
            raw.append({**made, "type": "invalid_tool_call", "error": None})
        else:
            valid.append({**made, "type": "tool_call"})
    return {"tool_calls": valid, "invalid_tool_calls": raw}


def _calls(answer: AIMessage) -> list[ToolCall]:
    """Return the calls of an answer.

    Those of a stream are read from the text that came: LangChain mends broken JSON, and so
    invents arguments.
    """
    if isinstance(answer, AIMessageChunk):
        return [
            _call(chunk, read_arguments(chunk["args"]) if chunk["args"] else {})
            for chunk in answer.tool_call_chunks
        ]
    calls = [_call(call, call["args"]) for call in answer.tool_calls]
    return calls + [_call(call, call["args"] or "") for call in answer.invalid_tool_calls]


def _call(call: Any, arguments: dict[str, Any] | str) -> ToolCall:
    return ToolCall(call["id"] or fresh_call_id(), call["name"] or "", arguments)


def _blocks(content: Any) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """Yield the blocks of a content that are no calls, each with what tells it from the others."""
    for place, block in enumerate([content] if isinstance(content, str) else content):
        if isinstance(block, str):
            yield "text", {"type": "text", "text": block}
        elif block.get("type") not in _CALL_BLOCKS:
            yield block.get("index", place), block


def _part(block: Mapping[str, Any]) -> ContentPart:
    data = {
        name: value
        for name, value in block.items()
        if name not in ("type", "text", "index", "id") and value not in (None, [])
    }
    text = block.get("text")
    return ContentPart(
        str(block.get("type") or "text"), text if isinstance(text, str) else None, data
    )


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name)), None)
