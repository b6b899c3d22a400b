"""Odd data: what must come back byte for byte, and what must be refused by one typed error.

The verdict is the kit's, the same for every engine: `ODD_TEXTS`, `AWKWARD_IDS` and
`ODD_OBJECTS` round-trip; everything in `refused_values` raises `InvalidInputError` before any
engine sees it.
"""

from __future__ import annotations

from typing import Any

from daybook.model.message import ContentPart, Message

__all__ = [
    "AWKWARD_IDS",
    "ODD_OBJECTS",
    "ODD_TEXTS",
    "refused_ids",
    "refused_messages",
    "refused_values",
    "stored_messages",
]

AWKWARD_IDS = (
    "a", "A", "a:b", "a/b", "../../etc/passwd", "%", "a%", "_", "#", "*", "?", "[a]", " ", "a b",
    " a", "a ", "\x00", "a\x00b", "\n", "'", '"', "'; DROP TABLE sessions; --", "\\", "{a}",
    "é", "e\u0301", "\u202eevil", "👩‍👩‍👧", "\uffff", "CON", "C:\\x", "\U0010ffff",
    "x" * 1024, "é" * 512, "0", "00", "null", "None", "__proto__", "$where",
)  # fmt: skip

ODD_TEXTS: dict[str, str] = {
    "empty": "",
    "nul": "a\x00b",
    "only nul": "\x00",
    "noncharacter": "\uffff\ufffe",
    "byte order mark": "\ufeffa",
    "highest": "\U0010ffff",
    "bidi": "\u202eabc\u202c \u2066x\u2069",
    "composed": "caf\u00e9",
    "decomposed": "cafe\u0301",
    "line ends": "a\r\nb\rc\nd\u2028e\u0085f",
    "emoji": "👩‍👩‍👧🏽",
    "controls": "".join(map(chr, range(32))) + "\x7f",
    "looks like json": '{"lc": 1, "type": "constructor"}',
    "400 kB - 1": "x" * (400 * 1024 - 1),
    "400 kB": "x" * (400 * 1024),
    "400 kB + 1": "x" * (400 * 1024 + 1),
    "1 MB, three bytes each": "€" * 350_000,
    "10 MB": "0123456789" * 1_000_000,
}


def _nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


ODD_OBJECTS: dict[str, dict[str, Any]] = {
    "empty": {},
    "empty key": {"": ""},
    "lc constructor": {
        "lc": 1,
        "type": "constructor",
        "id": ["langchain_core", "prompts", "PromptTemplate"],
        "kwargs": {"template": "{{ cycler.__init__.__globals__.os.popen('id').read() }}"},
    },
    "lc secret": {"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]},
    "py reduce": {"py/reduce": [{"py/type": "os.system"}, ["id"]]},
    "jsonplus": {"lc": 2, "type": "constructor", "id": ["os", "system"], "args": ["id"]},
    "operators": {"$where": "1", "$gt": "", "$set": {"a": 1}},
    "prototype": {"__proto__": {"admin": True}, "constructor": {"prototype": {}}},
    "scope look-alikes": {"tenant": "rival", "user_id": "bob", "namespace": ["bob"]},
    "dotted and colon keys": {"a.b": 1, "a:b": 2, "a/b": 3, "a\x00b": 4},
    "numbers": {
        "2**63": 2**63,
        "-2**63": -(2**63),
        "2**64 - 1": 2**64 - 1,
        "2**53 + 1": 2**53 + 1,
        "tiny": 5e-324,
        "huge": 1.7976931348623157e308,
        "tenth": 0.1,
        "minus zero": -0.0,
    },
    "kinds": {"true": True, "one": 1, "one point": 1.0, "text": "1", "none": None},
    "order": {"z": 1, "a": 2, "m": 3},
    "unicode": {"café": "cafe\u0301", "\u202e": "\uffff\x00"},
    "depth 100": _nested(100),
    "400 kB - 1": {"text": "x" * (400 * 1024 - 1)},
    "400 kB": {"text": "x" * (400 * 1024)},
    "400 kB + 1": {"text": "x" * (400 * 1024 + 1)},
    "1 MB, three bytes each": {"text": "€" * 350_000},
    "wide": {f"key {number}": number for number in range(2000)},
}


def stored_messages() -> dict[str, Message]:
    """Return messages that every engine keeps and returns equal."""
    found = {f"text: {name}": Message.user(text) for name, text in ODD_TEXTS.items()}
    for name, value in ODD_OBJECTS.items():
        found[f"metadata: {name}"] = Message.user("x", metadata=value)
        part = ContentPart(type="odd", data=value)
        found[f"part: {name}"] = Message.user((part,))
    parts = tuple(ContentPart(type="text", text=str(number)) for number in range(10_000))
    found["10,000 parts"] = Message.user(parts)
    found["no parts"] = Message.user(())
    return found


def refused_values() -> dict[str, Any]:
    """Return values that may stand nowhere in a caller's JSON."""
    return {
        "nan": float("nan"),
        "infinity": float("inf"),
        "minus infinity": float("-inf"),
        "2**64": 2**64,
        "-2**64": -(2**64),
        "lone surrogate": "\ud800",
        "lone surrogate in a key": {"\udfff": 1},
        "depth 1000": _nested(1000),
        "bytes": b"a",
        "tuple": (1,),
        "set": {1},
        "object": object(),
        "key that is no text": {1: 2},
        "complex": 1j,
        "nested nan": {"a": [{"b": float("nan")}]},
    }


def refused_ids() -> dict[str, Any]:
    """Return values that can name nothing."""
    return {
        "empty": "",
        "too long": "x" * 1025,
        "too long in bytes": "é" * 513,
        "lone surrogate": "a\ud800",
        "none": None,
        "number": 1,
        "bytes": b"a",
        "list": ["a"],
    }


def refused_messages() -> dict[str, Message]:
    """Return messages that are refused by `InvalidInputError`, whatever the engine."""
    found = {
        f"metadata: {name}": Message.user("x", metadata={"value": value})
        for name, value in refused_values().items()
    }
    found |= {f"id: {name}": Message.user("x", id=value) for name, value in refused_ids().items()}
    found["text: lone surrogate"] = Message.user("a\ud800b")
    found["text: reversed pair"] = Message.user("\udc00\ud800")
    found["name: lone surrogate"] = Message.user("x", name="\udfff")
    surrogate_part = (ContentPart(type="text", text="\ud800"),)
    found["part: lone surrogate"] = Message.user(surrogate_part)
    found["17 MB"] = Message.user("x" * 17_000_000)
    return found
