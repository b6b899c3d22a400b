"""The table of LangChain's DynamoDB history: an item for each session, with all its messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from daybook.errors import InvalidInputError
from daybook.importers.langchain_rows import StoredRow, driver, store_calls
from daybook.importers.source import BadRecord

__all__ = ["dynamodb_rows"]

_MESSAGES = "History"
_OPTIONS = {"endpoint", "profile"}


def dynamodb_rows(url: str) -> Iterator[StoredRow | BadRecord]:
    """Yield the messages of a table's items.

    A session is named by its item's partition key; where the table has a sort key too, by both,
    with ``/`` between.

    Args:
        url: ``dynamodb://REGION/TABLE?endpoint=…&profile=…``, the last two as needed.

    Raises:
        InvalidInputError: The URL is not valid.
        StoreUnavailableError: The table cannot be read.
        MissingDependencyError: botocore is not installed.
    """
    botocore = driver("botocore.session", "dynamodb")
    errors = driver("botocore.exceptions", "dynamodb")
    region, table, options = _address(url)
    with store_calls("dynamodb", errors.BotoCoreError, errors.ClientError):
        session = botocore.Session(profile=options.get("profile"))
        try:
            client = session.create_client(
                "dynamodb", region_name=region, endpoint_url=options.get("endpoint")
            )
        except ValueError:
            raise InvalidInputError("the dynamodb:// URL is not valid") from None
        with closing(client):
            schema = client.describe_table(TableName=table)["Table"]["KeySchema"]
            keys = [one["AttributeName"] for one in sorted(schema, key=lambda one: one["KeyType"])]
            pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
            for page in pages:
                for item in page["Items"]:
                    yield from _item_rows(item, keys, table)


def _address(url: str) -> tuple[str, str, dict[str, str]]:
    parts = urlsplit(url)
    table = parts.path.strip("/")
    options = dict(parse_qsl(parts.query))
    if not parts.netloc or not table or options.keys() - _OPTIONS:
        raise InvalidInputError("write dynamodb://REGION/TABLE, with ?endpoint= or &profile= only")
    return parts.netloc, table, options


def _item_rows(
    item: dict[str, dict[str, Any]], keys: list[str], table: str
) -> Iterator[StoredRow | BadRecord]:
    session = "/".join(str(next(iter(item[key].values()))) for key in keys)
    position = f"{table}/{session}"
    stored = item.get(_MESSAGES, {}).get("L")
    if stored is None:
        yield BadRecord("dynamodb", position, f"{_MESSAGES} is no list")
        return
    for at, value in enumerate(stored):
        try:
            message = _plain(value)
        except InvalidInputError as exc:
            yield BadRecord("dynamodb", f"{position}[{at}]", str(exc))
            continue
        yield StoredRow(session, message, f"{position}[{at}]")


def _plain(value: dict[str, Any]) -> Any:
    """Return the JSON value of an attribute; binaries and sets are none."""
    [(kind, content)] = value.items()
    if kind == "M":
        return {name: _plain(one) for name, one in content.items()}
    if kind == "L":
        return [_plain(one) for one in content]
    if kind == "N":
        return int(content) if content.lstrip("-").isdigit() else float(content)
    if kind == "NULL":
        return None
    if kind in ("S", "BOOL"):
        return content
    raise InvalidInputError("the message holds something that is no JSON")
