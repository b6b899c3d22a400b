"""The table: made on first open if it may be, and waited for."""

from __future__ import annotations

import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from daybook.engines.dynamodb.driver_errors import ENGINE, code_of, translate
from daybook.errors import ConfigError, SchemaVersionError, StoreTimeoutError

__all__ = ["prepare_table"]

_OPERATION = "open"
_MISSING = "ResourceNotFoundException"
_THERE = "ResourceInUseException"
_LOOK_AGAIN_S = 0.25
_KEYS = [
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
]


def prepare_table(client: Any, table: str, *, create: bool, seconds: float) -> tuple[str, ...]:
    """Make sure that the table is there and active; return what an operator should know.

    Raises:
        ConfigError: It is missing and may not be created.
        StoreTimeoutError: It did not become active in time.
        StoreError: It is another program's table, or DynamoDB refused.
    """
    try:
        found = _describe(client, table)
        if found is None and not create:
            raise ConfigError(
                f"dynamodb: there is no table {table}: create it, or open with create=true"
            )
        made = found is None and _create(client, table)
        _wait(client, table, seconds)
        return _expire_tombstones(client, table) if made else ()
    except (ClientError, BotoCoreError) as exc:
        raise translate(exc, _OPERATION) from exc


def _describe(client: Any, table: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.describe_table(TableName=table)["Table"]
    except ClientError as exc:
        if code_of(exc) == _MISSING:
            return None
        raise
    return found


def _create(client: Any, table: str) -> bool:
    """Ask for the table; False if another process was first."""
    try:
        client.create_table(
            TableName=table,
            KeySchema=_KEYS,
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    except ClientError as exc:
        if code_of(exc) == _THERE:
            return False
        raise
    return True


def _wait(client: Any, table: str, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while True:
        found = _describe(client, table)
        if found is not None and found["TableStatus"] in ("ACTIVE", "UPDATING"):
            _check_keys(found)
            return
        if time.monotonic() > ends:
            raise StoreTimeoutError(
                "the table is not active yet; open again", engine=ENGINE, operation=_OPERATION
            )
        time.sleep(_LOOK_AGAIN_S)


def _check_keys(found: dict[str, Any]) -> None:
    if found["KeySchema"] != _KEYS:
        raise SchemaVersionError(
            "the table of this name has other keys: it is not Daybook's; choose another prefix",
            engine=ENGINE,
            operation=_OPERATION,
        )


def _expire_tombstones(client: Any, table: str) -> tuple[str, ...]:
    """Let DynamoDB remove what is left of deleted sessions; nothing depends on it."""
    try:
        client.update_time_to_live(
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "ttl"},
        )
    except ClientError as exc:
        stays = "tombstones of deleted sessions stay in the table"
        return (f"time to live could not be enabled ({code_of(exc)}): {stays}",)
    return ()
