"""A session's document: what it says, and the conditions and changes that the log writes. Pure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from daybook.enginekit.times import moment, moment_or_none, to_micros
from daybook.engines.mongodb.connection import Document
from daybook.engines.mongodb.keys import new_stream
from daybook.model.lineage import Segment
from daybook.model.message import ROLES
from daybook.model.scope import Scope
from daybook.model.session import Session
from daybook.model.session_codec import decode_session, encode_session

__all__ = [
    "LIGHT",
    "MARK_SPAN",
    "alive",
    "changed",
    "clearing",
    "going",
    "header_fields",
    "is_alive",
    "is_gone",
    "mark_of",
    "next_incarnation",
    "reached",
    "real_micros",
    "segments_of",
    "to_session",
    "ttl_micros",
]

LIGHT: Document = {"tail": 0}  # a session without the messages it holds
MARK_SPAN = 1 << 32
_YEAR_2020 = 1_577_836_800
_MICROSECOND = timedelta(microseconds=1)

# What only a living session has.
_LIVING = (
    *("u", "b", "rev", "k", "seg", "ref", "cre", "act", "exp", "ttl", "first", "last", "base"),
    *("top", "tail", "tn", "tb", "cnt", "tok", "roles", "ch"),
)
_NOTHING: list[Any] = []
_NO_ROLES = {str(number): 0 for number in range(len(ROLES))}


def real_micros() -> int:
    """Return the machine's time; it only orders what waits to be indexed."""
    return time.time_ns() // 1000


def going() -> list[Document]:
    """Return the change that removes a session, whatever changed since it was read.

    Only who owned it, its last mark and its streams stay.
    """
    last_mark = {"$add": [{"$multiply": ["$inc", MARK_SPAN]}, MARK_SPAN - 1]}
    kept = {
        **changed(),
        "left": {
            "$concatArrays": [{"$ifNull": ["$left", _NOTHING]}, [{"u": "$u", "m": last_mark}]]
        },
        "trim": _with_streams(),
    }
    return [{"$set": kept}, {"$unset": list(_LIVING)}]


def clearing() -> list[Document]:
    """Return the change that takes a session's messages away; its numbers go on."""
    emptied: Document = dict.fromkeys(("tn", "tb", "cnt", "tok"), 0)
    emptied.update(dict.fromkeys(("tail", "seg"), _NOTHING))
    return [
        {
            "$set": {
                **changed(),
                **emptied,
                "first": {"$add": ["$last", 1]},
                "base": "$last",
                "roles": _NO_ROLES,
                "ref": ["$k"],
                "trim": _with_streams(),
                "ch": {"$add": ["$ch", 1]},
            }
        }
    ]


def changed() -> Document:
    """Return the fields that mark a session as changed for its owner, in a pipeline."""
    return {
        "due": {"$setUnion": [{"$ifNull": ["$due", _NOTHING]}, ["$u"]]},
        "since": {"$ifNull": ["$since", real_micros()]},
    }


def _with_streams() -> Document:
    return {"$setUnion": [{"$ifNull": ["$trim", _NOTHING]}, "$ref"]}


def header_fields(tenant: str, session: Session, *, incarnation: int) -> Document:
    """Return the fields of a new session as `session_rules` made it, without messages."""
    stream = new_stream(tenant, session.user_id)
    return {
        "t": tenant,
        "n": session.id,
        "u": session.user_id,
        "inc": incarnation,
        "b": encode_session(session),
        "rev": 0,
        "k": stream,
        "seg": [],
        "ref": [stream],
        "cre": to_micros(session.created_at),
        "act": to_micros(session.last_active_at),
        "exp": None if session.expires_at is None else to_micros(session.expires_at),
        "ttl": ttl_micros(session),
        "first": session.first_seq,
        "last": session.last_seq,
        "base": session.last_seq,
        "top": "",
        "tail": [],
        "tn": 0,
        "tb": 0,
        "cnt": session.message_count,
        "tok": session.token_count,
        "roles": dict(_NO_ROLES),
        "ch": 0,
    }


def ttl_micros(session: Session) -> int | None:
    """Return a session's life after its last activity, None for no end."""
    return None if session.ttl is None else session.ttl // _MICROSECOND


def to_session(header: Document) -> Session:
    """Return what callers see of a living session."""
    ttl = header["ttl"]
    return replace(
        decode_session(header["b"]),
        last_active_at=moment(header["act"]),
        expires_at=moment_or_none(header["exp"]),
        ttl=None if ttl is None else timedelta(microseconds=ttl),
        message_count=header["cnt"],
        token_count=header["tok"],
        first_seq=header["first"],
        last_seq=header["last"],
    )


def is_gone(header: Document) -> bool:
    """Tell whether a document is only what a removed session left."""
    return "u" not in header


def is_alive(header: Document | None, tenant: str, session_id: str, now: int) -> bool:
    """Tell whether a document is this session, and not expired."""
    if header is None or is_gone(header):
        return False
    if (header["t"], header["n"]) != (tenant, session_id):
        return False
    return header["exp"] is None or header["exp"] > now


def reached(header: Document | None, scope: Scope, session_id: str, now: int) -> Document | None:
    """Return a document if it is a living session that a scope reaches, else None."""
    if header is None or not is_alive(header, scope.tenant, session_id, now):
        return None
    return header if scope.reaches(header["u"]) else None


def alive(now: int) -> Document:
    """Return the condition that a session is there and has not expired."""
    return {"u": {"$exists": True}, "$or": [{"exp": None}, {"exp": {"$gt": now}}]}


def mark_of(header: Document, user_id: str) -> int:
    """Return the mark of a user's last change under an id."""
    if header.get("u") == user_id:
        return int(header["inc"] * MARK_SPAN + header["ch"])
    left = header.get("left", ())
    return max((int(one["m"]) for one in left if one["u"] == user_id), default=0)


def next_incarnation(before: Document | None) -> int:
    """Return a number greater than that of every session that had the id before.

    What a gone session leaves is kept for a day, and its number is seconds: when it has left, time
    has passed it by.
    """
    seconds = int(time.time()) - _YEAR_2020
    return max(seconds, 1 if before is None else before["inc"] + 1)


def segments_of(header: Document) -> Sequence[Segment[bytes]]:
    """Return the older streams that a session reads from."""
    return [Segment(one["k"], one["l"]) for one in header["seg"]]
