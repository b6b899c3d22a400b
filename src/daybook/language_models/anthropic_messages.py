"""Our requests as bodies of Anthropic's messages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from daybook.language_models.call_ids import sent_call_id
from daybook.language_models.media import Media, media_of, stand_in
from daybook.language_models.tool_arguments import arguments_object
from daybook.model.message import ContentPart, Message
from daybook.model.reply import ModelRequest, Tool

__all__ = ["anthropic_body"]

_MOST_MARKS = 4
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})
# Blocks of Anthropic's own that a later request repeats as they came.
_OWN_BLOCKS = frozenset(
    {
        "bash_code_execution_tool_result",
        "code_execution_tool_result",
        "container_upload",
        "search_result",
        "server_tool_use",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "web_fetch_tool_result",
        "web_search_tool_result",
    }
)
_IMAGES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
# Said first where a context begins with an answer: a conversation must open with the user.
_OPENING = "[The conversation goes on from here.]"

Block = dict[str, Any]


def anthropic_body(request: ModelRequest, *, model: str, max_tokens: int) -> dict[str, Any]:
    """Return the body of a call, `request.options` last.

    System messages become the system prompt, in order; results of tools become blocks of the
    user's turn, first in it; messages of one role in a row become one turn. Cache marks stand at
    the last four of `request.cache_after`.

    Args:
        request: What is asked.
        model: The model's name.
        max_tokens: Longest answer where the request names none: the provider demands a number.
    """
    blocks = [_blocks(message) for message in request.messages]
    for place in [p for p in sorted(set(request.cache_after)) if 0 <= p < len(blocks)][
        -_MOST_MARKS:
    ]:
        _mark(blocks[place])
    system = [
        block
        for message, made in zip(request.messages, blocks, strict=True)
        if message.role == "system"
        for block in made
    ]
    limit = request.max_output_tokens  # 0 is one: it fills the prompt cache
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": max_tokens if limit is None else limit,
        "messages": _turns(request.messages, blocks),
    }
    if system:
        body["system"] = system
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return {**body, **request.options}


def _turns(messages: Sequence[Message], blocks: Sequence[list[Block]]) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    for message, made in zip(messages, blocks, strict=True):
        if message.role == "system" or not made:
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += made
        else:
            turns.append({"role": role, "content": list(made)})
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, {"role": "user", "content": [{"type": "text", "text": _OPENING}]})
    for turn in turns:
        turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    if turns and turns[-1]["role"] == "assistant":
        _end_without_space(turns[-1])
    return turns


def _end_without_space(turn: dict[str, Any]) -> None:
    """Cut the white space at the end of an answer to go on with: it is refused there."""
    last = turn["content"][-1]
    if last["type"] == "text":
        last["text"] = last["text"].rstrip()


def _blocks(message: Message) -> list[Block]:
    """Return a message's blocks; texts of white space alone are refused and left out."""
    parts = message.content
    if isinstance(parts, str):
        parts = (ContentPart("text", parts),)
    made = [block for part in parts if (block := _block(part, message.role)) is not None]
    if message.role == "tool":
        return [_result(message, made)]
    made += [
        {
            "type": "tool_use",
            "id": sent_call_id(call.id),
            "name": call.name,
            "input": arguments_object(call.arguments),
        }
        for call in message.tool_calls
    ]
    return made


def _result(message: Message, made: list[Block]) -> Block:
    result: Block = {"type": "tool_result", "tool_use_id": sent_call_id(message.tool_call_id or "")}
    if len(made) == 1 and set(made[0]) == {"type", "text"}:
        result["content"] = made[0]["text"]
    elif made:
        result["content"] = made
    if message.metadata.get("is_error") is True:
        result["is_error"] = True
    return result


def _block(part: ContentPart, role: str) -> Block | None:
    if part.type in _THOUGHTS:
        signed = part.data.get("signature") or part.type == "redacted_thinking"
        return {"type": part.type, **part.data} if role == "assistant" and signed else None
    if part.type == "reasoning":  # another provider's thoughts, which this one cannot check
        return None
    if part.type in _OWN_BLOCKS:
        text = {"text": part.text} if part.text is not None else {}
        return {"type": part.type, **text, **part.data}
    if role in ("user", "tool"):
        media = media_of(part)
        made = _MEDIA[media.kind](media) if media else None
        if made is not None:
            return made
    return _text(part)


def _text(part: ContentPart) -> Block | None:
    text = part.text or "" if part.type == "text" else stand_in(part)
    if not text.strip():
        return None
    citations = part.data.get("citations") if part.type == "text" else None
    return {"type": "text", "text": text, **({"citations": citations} if citations else {})}


def _image(media: Media) -> Block | None:
    if media.base64 is not None and media.mime not in _IMAGES:
        return None
    source = _source(media)
    return {"type": "image", "source": source} if source else None


def _document(media: Media) -> Block | None:
    readable = media.readable
    source: Block | None = None
    if readable is not None:
        source = {"type": "text", "media_type": "text/plain", "data": readable}
    elif media.base64 is None or media.mime == "application/pdf":
        source = _source(media)
    if source is None:
        return None
    return {"type": "document", "source": source, **({"title": media.name} if media.name else {})}


def _no_sound(media: Media) -> None:  # noqa: ARG001 - one of three
    return None


def _source(media: Media) -> Block | None:
    if media.base64 is not None:
        return {"type": "base64", "media_type": media.mime, "data": media.base64}
    if media.url is not None:
        return {"type": "url", "url": media.url}
    return {"type": "file", "file_id": media.file_id} if media.file_id else None


_MEDIA: dict[str, Callable[[Media], Block | None]] = {
    "image": _image,
    "audio": _no_sound,
    "file": _document,
}


def _tool(tool: Tool) -> dict[str, Any]:
    made: dict[str, Any] = {"name": tool.name, "input_schema": dict(tool.parameters)}
    if tool.description:
        made["description"] = tool.description
    return made


def _mark(blocks: list[Block]) -> None:
    """Set a cache mark at the end of a message; thoughts cannot carry one."""
    for block in reversed(blocks):
        if block["type"] not in _THOUGHTS:
            block["cache_control"] = {"type": "ephemeral"}
            return
