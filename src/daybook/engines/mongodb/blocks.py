"""Messages as documents: one by one in a session's tail, many in a block. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from daybook.enginekit.packed_bodies import pack_body, unpack_body
from daybook.engines.mongodb.connection import Document
from daybook.engines.mongodb.driver_errors import ENGINE
from daybook.engines.mongodb.keys import block_id
from daybook.errors import SchemaVersionError
from daybook.model.entry import NewEntry, StoredEntry
from daybook.model.lineage import Window
from daybook.model.message import ROLES

__all__ = [
    "BLOCK_MESSAGES",
    "TAIL_BYTES",
    "TAIL_MESSAGES",
    "Known",
    "block_range",
    "blocks_of",
    "body_bytes",
    "body_field",
    "entries_in",
    "greatest_id",
    "places_in",
    "tail_entries",
    "tail_of",
    "tail_places",
]

# A tail is rewritten by each append and read with each session, so it stays small; measured, 64
# messages are the point from which on a longer one costs more than the blocks that it saves.
TAIL_MESSAGES = 64
TAIL_BYTES = 64 << 10
BLOCK_MESSAGES = 128
_BLOCK_BYTES = 4 << 20
_FORM = 2

_ROLE_NUMBER: dict[str, int] = {role: number for number, role in enumerate(ROLES)}

Known = dict[str, tuple[bytes, int]]  # by message id: fingerprint and number


def tail_of(entries: Sequence[NewEntry]) -> list[Document]:
    """Return new messages as they stand in a tail."""
    return [
        {
            "i": entry.id,
            "f": entry.fingerprint,
            "r": _ROLE_NUMBER[entry.role],
            "n": entry.tokens,
            "b": entry.body,
        }
        for entry in entries
    ]


def body_bytes(tail: Sequence[Document]) -> int:
    """Return the bytes of a tail's bodies and ids."""
    return sum(len(one["b"]) + len(one["i"]) for one in tail)


def greatest_id(top: str, tail: Sequence[Document]) -> str:
    """Return the greatest of an id and those of a tail."""
    ids: list[str] = [one["i"] for one in tail]
    return max([top, *ids])


def blocks_of(stream: bytes, first_seq: int, tail: Sequence[Document]) -> list[Document]:
    """Return a run of messages as blocks, each small enough for a document."""
    found: list[Document] = []
    for run in _runs(tail):
        found.append(
            {
                "_id": block_id(stream, first_seq),
                "v": _FORM,
                "k": stream,
                "s": first_seq,
                "l": first_seq + len(run) - 1,
                "i": [one["i"] for one in run],
                "f": [one["f"] for one in run],
                "r": bytes(one["r"] for one in run),
                "n": [one["n"] for one in run],
                "p": [pack_body(ROLES[one["r"]], one["i"], one["b"]) for one in run],
            }
        )
        first_seq += len(run)
    return found


def _runs(tail: Sequence[Document]) -> Iterator[list[Document]]:
    run: list[Document] = []
    size = 0
    for one in tail:
        added = len(one["b"])
        if run and (len(run) == BLOCK_MESSAGES or size + added > _BLOCK_BYTES):
            yield run
            run, size = [], 0
        run.append(one)
        size += added
    if run:
        yield run


def block_range(window: Window[bytes]) -> Document:
    """Return the condition of the blocks that hold some of a window's messages.

    Keys tell a block's first number only; no block is longer than `BLOCK_MESSAGES`.
    """
    lowest = max(0, window.after + 2 - BLOCK_MESSAGES)
    return {
        "_id": {
            "$gte": block_id(window.stream, lowest),
            "$lt": block_id(window.stream, window.before),
        },
        "l": {"$gt": window.after},
    }


def entries_in(block: Document, window: Window[bytes]) -> Iterator[StoredEntry]:
    """Yield a block's messages inside a window."""
    packed = "v" in block
    bodies, tokens, roles, ids = block[body_field(block)], block["n"], block["r"], block["i"]
    first = block["s"]
    low = max(window.after + 1, first)
    high = min(window.before - 1, block["l"])
    for at in range(low - first, high - first + 1):
        body = bodies[at]
        if packed:
            body = unpack_body(ROLES[roles[at]], ids[at], body)
        yield StoredEntry(first + at, body, tokens[at])


def body_field(block: Document) -> str:
    """Return where a block has its bodies: packed in ``p``, or as they are in ``b`` (schema 1).

    Raises:
        SchemaVersionError: A newer Daybook wrote the block.
    """
    form = block.get("v")
    if form is None:
        return "b"
    if form == _FORM:
        return "p"
    raise SchemaVersionError(
        f"a block of messages has form {form} and this Daybook knows up to {_FORM}: upgrade "
        "daybook to read it",
        engine=ENGINE,
        operation="read",
    )


def tail_entries(header: Document, after: int, before: int) -> Iterator[StoredEntry]:
    """Yield a tail's messages with ``after < seq < before``."""
    first = header["base"] + 1
    for seq, one in enumerate(header["tail"], first):
        if after < seq < before:
            yield StoredEntry(seq, one["b"], one["n"])


def tail_places(header: Document, ids: set[str]) -> Known:
    """Return what a tail holds under these ids."""
    first = header["base"] + 1
    return {
        one["i"]: (one["f"], seq)
        for seq, one in enumerate(header["tail"], first)
        if one["i"] in ids
    }


def places_in(blocks: Iterable[Document], windows: Sequence[Window[bytes]], ids: set[str]) -> Known:
    """Return what blocks hold under these ids inside a session's windows."""
    found: Known = {}
    by_stream = {window.stream: window for window in windows}
    for block in blocks:
        window = by_stream[block["k"]]
        for index, name in enumerate(block["i"]):
            seq = block["s"] + index
            if name in ids and window.after < seq < window.before:
                found[name] = (block["f"][index], seq)
    return found
