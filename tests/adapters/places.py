"""Places on servers that tests share: a store has one index and one sweep, whoever opens it."""

from __future__ import annotations

from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

__all__ = ["own_place", "own_store", "patient"]

# A machine that many programs share may hold up any of them for seconds.
_PATIENCE = {
    "mongodb": {"timeout_s": "60"},
    "redis": {"timeout_s": "60"},
    "postgresql": {"timeout_s": "60", "connect_timeout_s": "60"},
    "dynamodb": {"timeout_s": "60"},
}


def patient(url: str) -> str:
    """Return a server's URL for a Daybook that waits long for an answer."""
    parts = urlsplit(url)
    return urlunsplit(_with(parts, **_PATIENCE.get(parts.scheme, {})))


def own_place(url: str) -> str:
    """Return the URL of a store that nobody else uses, on the same Redis or MongoDB; patient."""
    parts, name = urlsplit(patient(url)), uuid4().hex
    if parts.scheme == "mongodb":
        parts = parts._replace(path=f"/t{name}")
    elif parts.scheme == "redis":
        parts = _with(parts, prefix=f"t-{name}")
    return urlunsplit(parts)


def own_store(url: str) -> str:
    """Do what `own_place` does, on PostgreSQL and DynamoDB too, where a new store takes longer."""
    parts, name = urlsplit(own_place(url)), uuid4().hex
    if parts.scheme == "postgresql":
        parts = _with(parts, schema=f"t{name}")
    elif parts.scheme == "dynamodb":
        parts = parts._replace(path=f"/t{name}")
    return urlunsplit(parts)


def _with(parts: SplitResult, **options: str) -> SplitResult:
    query = {**dict(parse_qsl(parts.query)), **options}
    return parts._replace(query=urlencode(query, safe=":/"))
