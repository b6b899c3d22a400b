"""Ids of tool calls that a provider takes, whoever made them. Pure but for fresh ones."""

from __future__ import annotations

import re
from hashlib import blake2b

from daybook.model.identifiers import new_id

__all__ = ["fresh_call_id", "sent_call_id"]

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
# OpenAI's limit; nobody's own ids are longer.
_LONGEST = 40


def fresh_call_id() -> str:
    """Return an id for a call to which the model gave none; every provider takes it."""
    return f"call_{new_id().replace('-', '')}"


def sent_call_id(call_id: str) -> str:
    """Return the id as it is if every provider takes it, else always the same one in its place."""
    if len(call_id) <= _LONGEST and _PLAIN.fullmatch(call_id):
        return call_id
    return f"call_{blake2b(call_id.encode(), digest_size=16).hexdigest()}"
