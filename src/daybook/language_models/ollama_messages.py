"""Our requests as bodies of Ollama's chat, and its answers as our replies. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from daybook.language_models.call_ids import fresh_call_id
from daybook.language_models.media import media_of, stand_in
from daybook.language_models.reply_parts import NotAnAnswerError, Pieces, finished, token_count
from daybook.language_models.tool_arguments import arguments_object, read_arguments
from daybook.model.message import ContentPart, Message, ToolCall, Usage
from daybook.model.reply import FinishReason, ModelRequest, Reply, Tool

__all__ = ["OllamaAssembler", "ollama_body", "ollama_reply", "ollama_usage"]

_THOUGHTS = frozenset({"thinking", "reasoning", "redacted_thinking"})
_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length"}


def ollama_body(request: ModelRequest, *, model: str) -> dict[str, Any]:
    """Return the body of a call, `request.options` last.

    A temperature and a limit go where Ollama has the model's settings, with `request.options`'
    own ``options`` over them.
    """
    names = {call.id: call.name for message in request.messages for call in message.tool_calls}
    options: dict[str, Any] = {}
    if request.temperature is not None:
        options["temperature"] = request.temperature
    if request.max_output_tokens is not None:
        options["num_predict"] = request.max_output_tokens
    options.update(request.options.get("options") or {})
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message, names) for message in request.messages],
        **request.options,
    }
    if request.tools:
        body.setdefault("tools", [_tool(tool) for tool in request.tools])
    if options:
        body["options"] = options
    return body


def ollama_reply(answer: Mapping[str, Any]) -> Reply:
    """Return the reply in a whole answer.

    Raises:
        NotAnAnswerError: It holds none, or the server says that it is not done.
    """
    assembler = OllamaAssembler()
    assembler.add(answer)
    return assembler.reply()


def ollama_usage(reported: Mapping[str, Any]) -> Usage | None:
    """Return the tokens that were reported, or None if a part is not: a prompt that was cached."""
    if "prompt_eval_count" not in reported or "eval_count" not in reported:
        return None
    return Usage(
        token_count(reported.get("prompt_eval_count")), token_count(reported.get("eval_count"))
    )


class OllamaAssembler:
    """Puts the lines of one stream together; a whole answer is a stream of one."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[ToolCall] = []
        self._pieces = Pieces()
        self._last: Mapping[str, Any] | None = None

    def add(self, event: Mapping[str, Any]) -> str | None:
        """Take the next line; return the text that it brought."""
        said = event["message"]
        self._thoughts.append(said.get("thinking") or "")
        self._calls += [_call(call) for call in said.get("tool_calls") or ()]
        if event.get("done"):
            self._last = event
        text = said.get("content") or ""
        self._text.append(text)
        return self._pieces.piece(text, "content")

    def reply(self) -> Reply:
        """Return the whole answer.

        Raises:
            NotAnAnswerError: The stream ended before the answer did.
        """
        if self._last is None:
            raise NotAnAnswerError("the stream ended before the answer did")
        thoughts, text = "".join(self._thoughts), "".join(self._text)
        parts = [ContentPart("thinking", None, {"thinking": thoughts})] if thoughts else []
        parts.append(ContentPart("text", text))
        return finished(
            parts,
            self._calls,
            model=self._last.get("model"),
            finish_reason=_REASONS.get(str(self._last.get("done_reason")), "stop"),
            usage=ollama_usage(self._last),
        )


def _message(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    """Return one message: its text, its images by value, its calls; a tool's name beside its id."""
    texts, images, thoughts = _sorted_out(message)
    made: dict[str, Any] = {"role": message.role, "content": "\n".join(texts)}
    if images:
        made["images"] = images
    if thoughts:
        made["thinking"] = "\n".join(thoughts)
    if message.tool_calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "function": {"name": call.name, "arguments": arguments_object(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        made["tool_call_id"] = message.tool_call_id or ""
        name = names.get(message.tool_call_id or "") or message.name
        if name:
            made["tool_name"] = name
    return made


def _sorted_out(message: Message) -> tuple[list[str], list[str], list[str]]:
    """Return a message's texts, images and thoughts."""
    if isinstance(message.content, str):
        return [message.content], [], []
    texts: list[str] = []
    images: list[str] = []
    thoughts: list[str] = []
    for part in message.content:
        media = media_of(part)
        if part.type in _THOUGHTS:
            thoughts += _strings(part.data.get("thinking"), part.data.get("reasoning"))
        elif media is not None and media.kind == "image" and media.base64 is not None:
            images.append(media.base64)
        elif media is not None and media.readable is not None:
            texts.append(media.readable)
        else:
            texts.append(part.text or "" if part.type == "text" else stand_in(part))
    return texts, images, thoughts


def _strings(*values: Any) -> Sequence[str]:
    return [value for value in values if isinstance(value, str)]


def _call(call: Mapping[str, Any]) -> ToolCall:
    """Return a tool call; older servers give none an id."""
    function = call["function"]
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        arguments = read_arguments(arguments)
    return ToolCall(call.get("id") or fresh_call_id(), function["name"], arguments)


def _tool(tool: Tool) -> dict[str, Any]:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}
