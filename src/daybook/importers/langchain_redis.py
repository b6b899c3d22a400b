"""What LangChain's Redis histories keep: a list for each session, or a JSON document each message.

The lists are langchain-community's, newest first; the documents are langchain-redis's, and need
no more than the command ``JSON.GET`` to be read: its search index is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from daybook.errors import InvalidInputError
from daybook.importers.langchain_rows import StoredRow, as_json, driver, store_calls
from daybook.importers.source import BadRecord
from daybook.importers.source_times import parse_time

__all__ = ["redis_rows", "rows_of_client"]

_LIST, _DOCUMENT = b"list", b"ReJSON-RL"
_USUAL = (("message_store:", (_LIST,)), ("chat:", (_DOCUMENT,)))
_ANSWER_S = 10.0


def redis_rows(url: str, prefix: str | None = None) -> Iterator[StoredRow | BadRecord]:
    """Yield what stands under a prefix of keys.

    Args:
        url: As redis-py takes it.
        prefix: Begins the keys; None for what each history has as its default.

    Raises:
        StoreUnavailableError: The server cannot be read.
        MissingDependencyError: redis-py is not installed.
        InvalidInputError: The URL is not valid.
    """
    redis = driver("redis", "redis")
    with store_calls("redis", redis.RedisError):
        try:
            client = redis.Redis.from_url(url, socket_timeout=_ANSWER_S, decode_responses=False)
        except ValueError:
            raise InvalidInputError("the redis:// URL is not valid") from None
        with closing(client):
            yield from rows_of_client(client, prefix)


def rows_of_client(client: Any, prefix: str | None = None) -> Iterator[StoredRow | BadRecord]:
    """Yield what `redis_rows` yields, through an opened client that returns bytes."""
    for begins, kinds in _USUAL if prefix is None else ((prefix, (_LIST, _DOCUMENT)),):
        documents: dict[bytes, list[bytes]] = {}
        for key in sorted(set(client.scan_iter(match=_literally(begins) + "*", count=1000))):
            kind = client.type(key)
            if kind not in kinds:
                continue
            if kind == _LIST:
                yield from _list_rows(client, key, key[len(begins.encode()) :])
            else:
                documents.setdefault(key.rpartition(b":")[0], []).append(key)
        for keys in documents.values():
            yield from _document_rows(client, keys)


def _list_rows(client: Any, key: bytes, session: bytes) -> Iterator[StoredRow]:
    for at, stored in enumerate(reversed(client.lrange(key, 0, -1))):
        yield StoredRow(session, stored, f"{_shown(key)}[{at}]")


def _document_rows(client: Any, keys: list[bytes]) -> Iterator[StoredRow | BadRecord]:
    """Yield one session's messages by their time, then by their ids, which ascend."""
    found: list[tuple[float, bytes, StoredRow]] = []
    for key in keys:
        try:
            value = as_json(client.execute_command("JSON.GET", key))
            if not isinstance(value, dict):
                raise InvalidInputError("the document is not an object")  # noqa: TRY301 - reported below
            said_at = parse_time(value.get("timestamp"))
        except InvalidInputError as exc:
            yield BadRecord("redis", _shown(key), str(exc))
            continue
        row = StoredRow(value.get("session_id"), value, _shown(key), _shown(key), said_at)
        found.append((said_at.timestamp() if said_at else 0.0, key, row))
    yield from (row for _, _, row in sorted(found, key=lambda one: one[:2]))


def _literally(prefix: str) -> str:
    return re.sub(r"([\\*?\[\]])", r"\\\1", prefix)


def _shown(key: bytes) -> str:
    return key.decode("utf-8", "replace")
