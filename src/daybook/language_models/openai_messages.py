"""Our requests as bodies of OpenAI's chat completions. Pure.

Also what the many servers take that speak this protocol: llama.cpp, vLLM, Ollama, OpenRouter.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from daybook.language_models.call_ids import sent_call_id
from daybook.language_models.media import Media, media_of, stand_in
from daybook.language_models.tool_arguments import write_arguments
from daybook.model.message import ContentPart, Message
from daybook.model.reply import ModelRequest, Tool

__all__ = ["openai_body", "openai_message"]

_NAME_ODD = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_LENGTH = 64
_MOST_MARKS = 4
# Thoughts are the model's own and are not sent back in this protocol.
_UNSENT = frozenset({"reasoning", "thinking", "redacted_thinking"})


def openai_body(
    request: ModelRequest, *, model: str, max_tokens_field: str, cache_marks: bool
) -> dict[str, Any]:
    """Return the body of a call, `request.options` last.

    Args:
        request: What is asked.
        model: The model's name.
        max_tokens_field: ``max_completion_tokens``, or ``max_tokens`` for older servers.
        cache_marks: Set explicit breakpoints at `request.cache_after`; OpenAI's newest models
            take them, others refuse them.
    """
    messages = [openai_message(message) for message in request.messages]
    if cache_marks:
        places = [place for place in set(request.cache_after) if 0 <= place < len(messages)]
        for place in sorted(places)[-_MOST_MARKS:]:
            _mark(messages[place])
    body: dict[str, Any] = {"model": model, "messages": messages}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.max_output_tokens is not None:
        body[max_tokens_field] = request.max_output_tokens
    if request.temperature is not None:
        body["temperature"] = request.temperature
    return {**body, **request.options}


def openai_message(message: Message) -> dict[str, Any]:
    """Return one message.

    Parts that the role cannot carry (an image from a tool or an assistant) become their text, or
    ``[image]``; a name is cut to the letters that are allowed.
    """
    content = _content(message)
    if message.role == "tool":
        return {
            "role": "tool",
            "tool_call_id": sent_call_id(message.tool_call_id or ""),
            "content": content,
        }
    made: dict[str, Any] = {"role": message.role, "content": content}
    name = _NAME_ODD.sub("_", message.name or "").strip("_")[:_NAME_LENGTH]
    if name:
        made["name"] = name
    if message.tool_calls:
        made["content"] = content or None
        made["tool_calls"] = [
            {
                "id": sent_call_id(call.id),
                "type": "function",
                "function": {"name": call.name, "arguments": write_arguments(call.arguments)},
            }
            for call in message.tool_calls
        ]
    return made


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "parameters": dict(tool.parameters)}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Return text for plain text (all that some servers take), else parts."""
    if isinstance(message.content, str):
        return message.content
    parts = [
        made
        for part in message.content
        if (made := _part(part, message.role)) is not None and made.get("text") != ""
    ]
    if not parts:
        return ""
    if len(parts) == 1 and set(parts[0]) == {"type", "text"}:
        text: str = parts[0]["text"]
        return text
    return parts


def _part(part: ContentPart, role: str) -> dict[str, Any] | None:
    if part.type in _UNSENT:
        return None
    if part.type == "refusal" and role == "assistant":
        return {"type": "refusal", "refusal": part.text or ""}
    if role == "user":
        native = _native(part)
        media = None if native else media_of(part)
        made = native or (_MEDIA[media.kind](media) if media else None)
        if made is not None:
            return made
    return {"type": "text", "text": part.text or "" if part.type == "text" else stand_in(part)}


def _native(part: ContentPart) -> dict[str, Any] | None:
    """Return a part that is in OpenAI's own words as it came."""
    if part.type in ("image_url", "input_audio", "file") and isinstance(
        part.data.get(part.type), dict
    ):
        return {"type": part.type, **part.data}
    return None


def _image(media: Media) -> dict[str, Any] | None:
    url = media.url or media.data_url
    if url is None:
        return None
    detail = {"detail": media.detail} if media.detail else {}
    return {"type": "image_url", "image_url": {"url": url, **detail}}


def _audio(media: Media) -> dict[str, Any] | None:
    if media.base64 is None:
        return None
    sound = {"data": media.base64, "format": media.audio_format}
    return {"type": "input_audio", "input_audio": sound}


def _file(media: Media) -> dict[str, Any] | None:
    if media.file_id is not None:
        return {"type": "file", "file": {"file_id": media.file_id}}
    if media.readable is not None:
        return {"type": "text", "text": media.readable}
    if media.data_url is None:
        return None
    named = {"filename": media.name or "file", "file_data": media.data_url}
    return {"type": "file", "file": named}


_MEDIA: dict[str, Callable[[Media], dict[str, Any] | None]] = {
    "image": _image,
    "audio": _audio,
    "file": _file,
}


def _mark(message: dict[str, Any]) -> None:
    """Set a cache breakpoint at the end of a message that can carry one."""
    content = message.get("content")
    if isinstance(content, str) and content:
        content = message["content"] = [{"type": "text", "text": content}]
    if isinstance(content, list) and content[-1]["type"] in ("text", "image_url", "file"):
        content[-1]["prompt_cache_breakpoint"] = {"mode": "explicit"}
