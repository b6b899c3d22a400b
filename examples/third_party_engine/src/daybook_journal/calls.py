"""Calls that change something, as JSON and back.

The types of their arguments are read from Daybook's protocols, so that nothing is listed twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from inspect import signature
from typing import Any, get_type_hints

import msgspec
from msgspec import UNSET, Struct, UnsetType

from daybook.model.session import Grant, SessionChanges
from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore

__all__ = ["PROTOCOLS", "WRITES", "Call", "decode", "encode", "named"]

PROTOCOLS: dict[str, type] = {"log": MessageLog, "records": RecordStore}
WRITES = {
    "log": "create_session update_session delete_session fork_session append clear sweep settle",
    "records": "put delete delete_namespace extend restore sweep",
}


class Call(Struct):
    """One call: when it was made, on which store, which method, with which arguments."""

    now: datetime
    store: str
    method: str
    arguments: msgspec.Raw


class _Changes(Struct, omit_defaults=True):
    """`SessionChanges` with types: there a field that stays as it is holds ``...``."""

    title: str | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    ttl: timedelta | UnsetType | None = UNSET
    max_messages: int | UnsetType | None = UNSET
    grants: Mapping[str, Grant | None] = {}
    last_active_at: datetime | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET


def named(store: str, method: str, args: Any, kwargs: Any) -> dict[str, Any]:
    """Return a call's arguments by name."""
    bound = signature(getattr(PROTOCOLS[store], method)).bind(None, *args, **kwargs).arguments
    return {name: value for name, value in bound.items() if name != "self"}


def encode(now: datetime, store: str, method: str, arguments: dict[str, Any]) -> bytes:
    """Return a call as JSON."""
    written = {
        name: _given(value) if isinstance(value, SessionChanges) else value
        for name, value in arguments.items()
    }
    return msgspec.json.encode(Call(now, store, method, msgspec.Raw(msgspec.json.encode(written))))


def decode(body: bytes) -> tuple[Call, dict[str, Any]]:
    """Return a call and its arguments."""
    call = msgspec.json.decode(body, type=Call)
    raw = msgspec.json.decode(call.arguments, type=dict[str, msgspec.Raw])
    hints = get_type_hints(getattr(PROTOCOLS[call.store], call.method))
    return call, {name: _argument(value, hints[name]) for name, value in raw.items()}


def _argument(body: msgspec.Raw, hint: Any) -> Any:
    if hint is SessionChanges:
        return SessionChanges(**_given(msgspec.json.decode(body, type=_Changes)))
    return msgspec.json.decode(body, type=hint)


def _given(changes: Struct) -> dict[str, Any]:
    fields = ((name, getattr(changes, name)) for name in changes.__struct_fields__)
    return {name: value for name, value in fields if value is not UNSET and value is not ...}
