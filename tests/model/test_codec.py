"""The stored form: closed, versioned, inert, and equal when it comes back."""

from __future__ import annotations

import gc
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import InvalidInputError
from daybook.model.codec import (
    MAX_MESSAGE_BYTES,
    check_message,
    decode_entry,
    decode_json,
    decode_message,
    encode_json,
    encode_message,
    fingerprint,
    to_utc,
)
from daybook.model.entry import StoredEntry
from daybook.model.message import ContentPart, Message, ToolCall
from daybook.testing.odd_data import ODD_OBJECTS, refused_messages, stored_messages
from tests.model.messages import MESSAGES, MOMENTS, OBJECTS


@given(MESSAGES)
def test_any_valid_message_comes_back_equal(message: Message) -> None:
    body = encode_message(check_message(message))
    again = decode_message(body)
    assert again == message
    assert repr(again.metadata) == repr(message.metadata)
    assert encode_message(again) == body


@given(MESSAGES)
def test_the_stored_form_is_json_with_a_version(message: Message) -> None:
    plain = json.loads(encode_message(message))
    assert plain["v"] == 1
    assert plain["role"] == message.role


@pytest.mark.parametrize("name", stored_messages())
def test_odd_messages_come_back_equal(name: str) -> None:
    message = stored_messages()[name]
    again = decode_message(encode_message(check_message(message)))
    assert again == message
    assert repr(again.metadata) == repr(message.metadata)


@pytest.mark.parametrize("name", refused_messages())
def test_what_cannot_be_stored_is_refused_by_one_error(name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        encode_message(check_message(refused_messages()[name]))
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"v":1}',
        b'{"v":2,"role":"user","id":"a"}',
        b'{"v":"1","role":"user","id":"a"}',
        b'{"role":"user","id":"a"}',
        b'{"v":0,"role":"user","id":"a"}',
        b'{"v":1,"role":"root","id":"a"}',
        b'{"v":1,"role":"user","id":"a","extra":1}',
        b'{"v":1,"role":"user","id":"a","content":3}',
        b'{"v":1,"role":"user","id":"a","tool_calls":[{"id":"c","name":"f","lc":1}]}',
        b'{"v":1,"role":"user","id":"a","content":[{"type":"text","cls":"os.system"}]}',
        b'{"v":1,"role":"user","id":"a"}trailing',
        b'{"v":1,"role":"user","id":"a","metadata":{"n":NaN}}',
        b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94",
        b'{"v":1,"role":"user","id":"\xff"}',
    ],
)
def test_unknown_versions_fields_roles_and_kinds_are_refused(wrong: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        decode_message(wrong)
    marked = decode_entry(StoredEntry(7, wrong, 3))
    assert (marked.seq, marked.tokens, marked.corrupt) == (7, 3, True)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_give_a_message_or_a_marked_place(body: bytes) -> None:
    found = decode_entry(StoredEntry(1, body, 1))
    assert found.seq == 1
    assert found.corrupt or encode_message(found.message)


@pytest.mark.parametrize("name", ODD_OBJECTS)
def test_payloads_are_inert(name: str) -> None:
    """Loading a caller's object imports nothing, opens nothing, runs nothing."""
    payload = ODD_OBJECTS[name]
    part = ContentPart(type="x", data=payload)
    message = Message.user(
        (part,), tool_calls=(ToolCall("c", "f", payload),), metadata={"inner": payload}
    )
    body = encode_message(message)
    with audited() as seen:
        again = decode_message(body)
    assert seen == []
    assert again == message
    assert type(again.metadata["inner"]) is dict


def test_what_a_payload_could_do_is_seen(tmp_path: Path) -> None:
    """The control: what is done here is noted, what another thread does meanwhile is not."""
    (tmp_path / "a").touch()
    with audited() as seen:
        elsewhere = threading.Thread(target=(tmp_path / "a").read_bytes)
        elsewhere.start()
        elsewhere.join()
        assert seen == []
        (tmp_path / "a").read_bytes()
    assert seen == ["open"]


_DEEDS = ("import", "exec", "compile", "open", "os.system", "socket.connect")
_watched: dict[int, list[str]] = {}


def _note(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in _DEEDS and (seen := _watched.get(threading.get_ident())) is not None:
        seen.append(event)


@cache
def _hook() -> None:
    sys.addaudithook(_note)  # for good: a hook cannot be taken away


@contextmanager
def audited() -> Iterator[list[str]]:
    """Give what this thread does to the system; the garbage of earlier tests does nothing here."""
    _hook()
    gc.disable()
    _watched[threading.get_ident()] = seen = list[str]()
    try:
        yield seen
    finally:
        del _watched[threading.get_ident()]
        gc.enable()


@given(OBJECTS)
def test_objects_come_back_with_their_kinds_and_order(value: dict[str, Any]) -> None:
    assert repr(decode_json(encode_json(value))) == repr(value)


@given(MESSAGES, MESSAGES)
def test_fingerprints_are_equal_for_equal_messages_only(one: Message, other: Message) -> None:
    same = fingerprint(one, encode_message(one)) == fingerprint(other, encode_message(other))
    assert same is (_canonical(one) == _canonical(other))


def _canonical(message: Message) -> bytes:
    timeless = msgspec.structs.replace(message, created_at=None)
    return msgspec.json.encode(timeless, order="deterministic")


@given(MESSAGES)
def test_a_fingerprint_ignores_the_order_of_keys(message: Message) -> None:
    turned = msgspec.structs.replace(
        message, metadata=dict(reversed(list(message.metadata.items())))
    )
    assert fingerprint(turned, encode_message(turned)) == fingerprint(
        message, encode_message(message)
    )


@given(MOMENTS)
def test_a_moment_in_utc_is_the_same_moment(moment: Any) -> None:
    assert to_utc(moment) == moment
    assert to_utc(moment).utcoffset().total_seconds() == 0  # type: ignore[union-attr] # aware


def test_the_size_limit_is_of_bytes() -> None:
    room = MAX_MESSAGE_BYTES - len(encode_message(Message.user("", id="a")))
    room -= len(b',"content":""')
    assert len(encode_message(Message.user("x" * room, id="a"))) == MAX_MESSAGE_BYTES
    with pytest.raises(InvalidInputError):
        encode_message(Message.user("x" * (room + 1), id="a"))
    with pytest.raises(InvalidInputError):
        encode_message(Message.user("€" * (room // 3 + 1), id="a"))


def test_a_message_subclass_is_not_a_message() -> None:
    class Sneaky(Message, frozen=True):
        pass

    for wrong in (Sneaky(role="user"), {"role": "user"}, "text", None):
        with pytest.raises(InvalidInputError):
            check_message(wrong)  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "root"},
        {"content": 3},
        {"content": [ContentPart(type="text")]},
        {"content": ("text",)},
        {"content": (ContentPart(type=""),)},
        {"content": (ContentPart(type="x", text=3),)},  # type: ignore[arg-type] # wrong on purpose
        {"name": 3},
        {"created_at": "now"},
        {"tool_calls": [ToolCall("a", "b")]},
        {"tool_calls": (ToolCall("", "b"),)},
        {"tool_calls": ("a",)},
        {"tool_call_id": ""},
        {"usage": {"input_tokens": 1}},
        {"metadata": None},
        {"metadata": []},
    ],
    ids=repr,
)
def test_fields_of_a_wrong_kind_are_named(fields: dict[str, Any]) -> None:
    message = Message(**{"role": "user", **fields})
    with pytest.raises(InvalidInputError, match=next(iter(fields))):
        check_message(message)
