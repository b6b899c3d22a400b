"""Whatever the context, each provider takes what is made of it, and nothing that counts is lost."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from daybook.language_models.anthropic_messages import anthropic_body
from daybook.language_models.ollama_messages import ollama_body
from daybook.language_models.openai_messages import openai_body
from daybook.language_models.tool_arguments import RAW_FIELD, read_arguments, write_arguments
from daybook.model.message import ContentPart, Message, ToolCall
from daybook.model.reply import ModelRequest
from tests.servers import model_wire_anthropic, model_wire_ollama, model_wire_openai

KEYS = {"authorization": "Bearer k", "anthropic-version": "1"}
BASE64 = st.binary(min_size=1, max_size=8).map(lambda raw: b64encode(raw).decode())

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    ["", " ", "\n", "a \n"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
arguments = st.dictionaries(texts, json_values, max_size=3) | texts.map(
    lambda text: read_arguments("{" + text)
)
media = st.one_of(
    BASE64.map(lambda raw: ContentPart("image", None, {"base64": raw, "mime_type": "image/png"})),
    BASE64.map(lambda raw: ContentPart("image", None, {"base64": raw, "mime_type": "image/tiff"})),
    BASE64.map(lambda raw: ContentPart("image", None, {"base64": raw})),
    BASE64.map(lambda raw: ContentPart("file", None, {"base64": raw, "mime_type": "text/plain"})),
    BASE64.map(
        lambda raw: ContentPart("file", None, {"data": raw, "mime_type": "application/zip"})
    ),
    st.just(ContentPart("image_url", None, {"image_url": "https://example.org/a.png"})),
    st.just(ContentPart("image", None, {"source": {"type": "file", "file_id": "f1"}})),
    st.just(ContentPart("file", None, {"file": {"file_id": "f1"}})),
    st.just(ContentPart("image", None, {"image_url": {"url": 3}})),
    st.just(ContentPart("audio", None, {"url": "https://example.org/a.wav"})),
)
parts = st.one_of(
    texts.map(lambda text: ContentPart("text", text)),
    st.builds(
        ContentPart, st.sampled_from(["thinking", "reasoning", "video", "odd"]), texts | st.none()
    ),
    texts.map(lambda text: ContentPart("thinking", None, {"thinking": text, "signature": "s"})),
    media,
)
contents = texts | st.lists(parts, max_size=4).map(tuple)
call_ids = st.text(st.sampled_from("ab/#:-_é"), min_size=1, max_size=60)


@st.composite
def turns(draw: st.DrawFn) -> list[Message]:
    """One message, or an assistant's calls with their results."""
    role = draw(st.sampled_from(["system", "user", "assistant", "calls"]))
    content = draw(contents)
    name = draw(texts | st.none())
    if role != "calls":
        makers: dict[str, Any] = {
            "system": Message.system, "user": Message.user, "assistant": Message.assistant,
        }  # fmt: skip
        return [makers[role](content, name=name)]
    ids = draw(st.lists(call_ids, min_size=1, max_size=3, unique=True))
    calls = [ToolCall(call_id, "f", draw(arguments)) for call_id in ids]
    results = [Message.tool(draw(contents), tool_call_id=i) for i in draw(st.permutations(ids))]
    return [Message.assistant(content, tool_calls=calls), *results]


@st.composite
def requests(draw: st.DrawFn) -> ModelRequest:
    """A context that ends with the user."""
    drawn = draw(st.lists(turns(), max_size=6))
    messages = (*(message for turn in drawn for message in turn), Message.user("Well?"))
    places = draw(st.lists(st.integers(-2, 20), max_size=6).map(tuple))
    return ModelRequest(messages=messages, cache_after=places)


def said(messages: tuple[Message, ...]) -> list[str]:
    """Return every text that a reader of the request must find in it."""
    return [
        part.text
        for message in messages
        for part in ([ContentPart("text", message.content)] if isinstance(message.content, str)
                     else message.content)
        if part.type == "text" and part.text and part.text.strip()
    ]  # fmt: skip


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [found for item in value.values() for found in strings(item)]
    return [found for item in value for found in strings(item)] if isinstance(value, list) else []


@given(requests(), st.booleans())
def test_openai_takes_every_context(request: ModelRequest, marks: bool) -> None:
    body = openai_body(request, model="m", max_tokens_field="max_tokens", cache_marks=marks)
    assert model_wire_openai.refusal(KEYS, body) is None
    assert set(said(request.messages)) <= set(strings(body["messages"]))
    sent = [
        call["function"]["arguments"]
        for message in body["messages"]
        for call in message.get("tool_calls", ())
    ]
    asked = [call.arguments for message in request.messages for call in message.tool_calls]
    assert sent == [write_arguments(one) for one in asked]
    assert [read_arguments(text) for text in sent] == asked


@given(requests())
def test_anthropic_takes_every_context(request: ModelRequest) -> None:
    body = anthropic_body(request, model="m", max_tokens=10)
    assert model_wire_anthropic.refusal(KEYS, body) is None
    shown = strings([body["messages"], body.get("system", [])])
    assert set(said(request.messages)) <= set(shown)
    sent = [
        block["input"]
        for message in body["messages"]
        for block in message["content"]
        if block["type"] == "tool_use"
    ]
    asked = [call.arguments for message in request.messages for call in message.tool_calls]
    assert sent == [{RAW_FIELD: one} if isinstance(one, str) else one for one in asked]


@given(requests())
def test_ollama_takes_every_context(request: ModelRequest) -> None:
    body = ollama_body(request, model="m")
    assert model_wire_ollama.refusal(KEYS, body) is None
    shown = "\n".join(strings(body["messages"]))
    assert all(text in shown for text in said(request.messages))


@given(requests())
def test_making_a_body_changes_no_message(request: ModelRequest) -> None:
    """Marks and merges happen in what is sent, never in what was handed in."""
    before = repr(request)
    openai_body(request, model="m", max_tokens_field="max_tokens", cache_marks=True)
    anthropic_body(request, model="m", max_tokens=10)
    ollama_body(request, model="m")
    assert repr(request) == before


def test_the_law_convicts_a_body_that_is_wrong() -> None:
    """The control: a result without its call, and a call without its result."""
    lonely = ModelRequest(messages=(Message.user("a"), Message.tool("r", tool_call_id="1")))
    calls = (Message.user("a"), Message.assistant("", tool_calls=[ToolCall("1", "f")]))
    for request in (lonely, ModelRequest(messages=calls)):
        openai = openai_body(request, model="m", max_tokens_field="max_tokens", cache_marks=False)
        anthropic = anthropic_body(request, model="m", max_tokens=10)
        assert model_wire_openai.refusal(KEYS, openai)
        assert model_wire_anthropic.refusal(KEYS, anthropic)
    assert not set(said((Message.user("lost"),))) <= set(strings(["found"]))
