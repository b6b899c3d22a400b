"""Packed bodies: shorter, and the same again byte for byte, whatever they were."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from daybook.enginekit.packed_bodies import pack_body, unpack_body
from daybook.model.codec import encode_message
from daybook.model.message import ROLES, ContentPart, Message, ToolCall, Usage
from daybook.testing.odd_data import stored_messages
from tests.model.messages import MESSAGES

_ID = "01a20044-082b-70c9-9a55-56e6febb3c54"
_SAID = datetime(2026, 11, 21, 22, 39, 48, 267226, tzinfo=UTC)
_ROLE = st.sampled_from(ROLES)
_NAME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(MESSAGES)
def test_a_message_comes_back_byte_for_byte(message: Message) -> None:
    body = encode_message(message)
    packed = pack_body(message.role, message.id, body)
    assert unpack_body(message.role, message.id, packed) == body


@pytest.mark.parametrize("name", stored_messages())
def test_so_does_an_odd_one(name: str) -> None:
    message = stored_messages()[name]
    body = encode_message(message)
    packed = pack_body(message.role, message.id, body)
    assert unpack_body(message.role, message.id, packed) == body


@given(_ROLE, _NAME, st.one_of(st.binary(), st.binary().map(lambda rest: b"\2" + rest)))
def test_so_do_any_bytes(role: str, message_id: str, body: bytes) -> None:
    for known in (message_id, None):
        packed = pack_body(role, known, body)
        assert unpack_body(role, message_id, packed) == body
        assert len(packed) <= len(body) + 1


def _body(**fields: Any) -> bytes:
    return encode_message(Message(**{"role": "user", "content": "x", "id": _ID, **fields}))


def test_what_every_body_repeats_is_left_out() -> None:
    body = _body(content="hello", created_at=_SAID)
    packed = pack_body("user", _ID, body)
    assert packed == b'\2\x20\x26\x11\x21\x22\x39"hello"\0\0' + b'48.267226Z"}'
    assert pack_body("user", _ID, _body(content="hello")) == b'\1"hello"\0}'


@pytest.mark.parametrize(
    "fields",
    [
        {"created_at": _SAID, "name": "Ann"},
        {"created_at": _SAID, "usage": Usage(3, 4), "metadata": {"k": 1}},
        {"created_at": _SAID, "role": "tool", "tool_call_id": "c"},
        {"created_at": _SAID, "role": "assistant", "tool_calls": (ToolCall("c", "f", {"a": 1}),)},
        {"created_at": _SAID, "content": (ContentPart("text", "x" * 9),)},
    ],
)
def test_other_fields_stay_and_the_rest_still_goes(fields: dict[str, Any]) -> None:
    role, body = fields.get("role", "user"), _body(**fields)
    packed = pack_body(role, _ID, body)
    assert len(packed) <= len(body) - 95
    assert unpack_body(role, _ID, packed) == body


def test_a_callers_own_fields_of_the_same_names_change_nothing() -> None:
    """They stand before the message's own, where the packing looks first."""
    same = {"a": 1, "id": _ID, "created_at": "2020-01-01T00:00:00.000000Z"}
    part = ContentPart("file", data=same)
    call = ToolCall("c", "f", same)
    for fields in ({"content": (part,)}, {"tool_calls": (call,), "role": "assistant"}):
        body = _body(created_at=_SAID, **fields)
        role = fields.get("role", "user")
        packed = pack_body(str(role), _ID, body)
        assert unpack_body(str(role), _ID, packed) == body


def test_another_id_or_role_gives_another_body() -> None:
    """The control: what is left out comes from what stands beside."""
    body = _body(created_at=_SAID)
    packed = pack_body("user", _ID, body)
    assert unpack_body("tool", _ID, packed) != body
    assert unpack_body("user", _ID[::-1], packed) != body


@pytest.mark.parametrize(
    "body",
    [
        _body(created_at=_SAID, role="assistant"),
        _body(created_at=_SAID, id="another"),
        _body(created_at=_SAID).replace(b'"v":1', b'"v":2'),
        _body(created_at=_SAID, content="x" * 20_000),
    ],
)
def test_a_body_that_says_otherwise_or_is_long_is_kept_whole(body: bytes) -> None:
    assert pack_body("user", _ID, body) == body


def test_an_id_that_is_not_known_in_full_stays_in_the_body() -> None:
    body = _body(created_at=_SAID)
    assert pack_body("user", None, body) == body


@given(st.binary())
def test_damaged_bytes_raise_nothing(damaged: bytes) -> None:
    for form in (b"\0", b"\1", b"\2"):
        assert isinstance(unpack_body("user", _ID, form + damaged), bytes)


@given(MESSAGES, st.data())
def test_a_cut_body_is_another_one(message: Message, data: st.DataObject) -> None:
    body = encode_message(message)
    packed = pack_body(message.role, message.id, body)
    cut = packed[: data.draw(st.integers(0, len(packed) - 1))]
    assume(cut)
    assert unpack_body(message.role, message.id, cut) != body
