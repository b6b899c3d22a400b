"""Places of one's own on servers that tests share: a store has one index, whoever opens it."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import uuid4

__all__ = ["own_place"]


def own_place(url: str) -> str:
    """Return the URL of a store that nobody else uses, on the same Redis or MongoDB."""
    parts, name = urlsplit(url), uuid4().hex
    if parts.scheme == "mongodb":
        return urlunsplit(parts._replace(path=f"/t{name}"))
    if parts.scheme == "redis":
        query = [*parse_qsl(parts.query), ("prefix", f"t-{name}")]
        return urlunsplit(parts._replace(query=urlencode(query)))
    return url
