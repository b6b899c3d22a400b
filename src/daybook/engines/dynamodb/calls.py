"""Requests to the table with retries, paging and an end: what one Daybook call may spend.

Synchronous: it runs on the engine's threads. It knows items, not what they mean.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import SystemRandom
from re import findall
from threading import local
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from daybook.engines.dynamodb.driver_errors import (
    ENGINE,
    is_lost,
    is_passing,
    is_unanswered,
    translate,
)
from daybook.engines.dynamodb.keys import Key, new_nonce
from daybook.errors import DaybookError, StoreTimeoutError

__all__ = ["Calls", "Item", "Write"]

T = TypeVar("T")
Item = dict[str, Any]  # attribute names to str, int or bytes

_READ_AT_ONCE = 100  # BatchGetItem's limit
_WRITE_AT_ONCE = 25  # BatchWriteItem's limit
_BATCH_BYTES = 4_000_000  # a batch may take 16 MB; one item takes at most 400 kB
_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0
_UNANSWERED_TRIES = 3
_FOR_CLEANING = 0.7  # of the time that is left
_LOWEST, _HIGHEST = "!", "\U0010ffff"  # around every sort key; an empty one is not allowed

_log = logging.getLogger(__name__)
_random = SystemRandom()
_inside = local()


def _mark_inside(job: Callable[[], T]) -> T:
    _inside.together = True
    return job()


class Write(Struct, frozen=True):
    """One write with its condition: `item` is stored, or the item at `key` removed.

    Attributes:
        key: Where.
        item: What to store; None to remove.
        condition: An expression in which ``#name`` is an attribute and ``:name`` a value.
        values: The values.
    """

    key: Key
    item: Item | None
    condition: str | None = None
    values: Mapping[str, Any] = {}


class Calls:
    """The requests of one call; every one of them ends before the call's deadline."""

    def __init__(
        self, client: Any, table: str, threads: ThreadPoolExecutor, operation: str, seconds: float
    ) -> None:
        """Start the time.

        Args:
            client: botocore's client.
            table: The table's name.
            threads: Where requests run that are sent together.
            operation: For errors.
            seconds: How long all of it may take.
        """
        self._client = client
        self._table = table
        self._threads = threads
        self._operation = operation
        self._ends = time.monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """What is left of the time."""
        return self._ends - time.monotonic()

    def early(self) -> Calls:
        """Return the same with an earlier end: for cleaning up, so that the answer is in time."""
        seconds = self.seconds_left * _FOR_CLEANING
        return Calls(self._client, self._table, self._threads, self._operation, seconds)

    def rounds(self) -> Iterator[int]:
        """Yield 0, 1, 2 … for an attempt that others may spoil, pausing longer each time.

        Raises:
            StoreTimeoutError: The time is over.
        """
        number = 0
        while True:
            yield number
            number += 1
            self._pause(number, None)

    def together(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """Run several requests at once; the first error is raised when all have ended.

        Inside of another one's they run one after the other: no thread waits for its own pool.
        """
        if len(jobs) <= 1 or getattr(_inside, "together", False):
            return [job() for job in jobs]
        started = [self._threads.submit(_mark_inside, job) for job in jobs[1:]]
        try:
            first = jobs[0]()
        finally:
            for future in started:
                future.exception()
        return [first, *(future.result() for future in started)]

    def postpone(self, error: DaybookError) -> None:
        """Say that cleaning up after a finished call failed and is left to a later one."""
        _log.warning("%s: cleaning up is left to the next sweep: %s", ENGINE, type(error).__name__)

    def get(self, key: Key) -> Item | None:
        """Return one item as it is now, None if there is none."""
        found = self._send(
            self._client.get_item, TableName=self._table, Key=_key(key), ConsistentRead=True
        )
        return _from_item(found["Item"]) if found.get("Item") else None

    def get_many(self, keys: Sequence[Key]) -> dict[Key, Item]:
        """Return the items that are there now; a hundred in a request, requests at once."""
        distinct = list(dict.fromkeys(keys))
        parts = [distinct[at : at + _READ_AT_ONCE] for at in range(0, len(distinct), _READ_AT_ONCE)]
        found: dict[Key, Item] = {}
        for items in self.together([partial(self._get_part, part) for part in parts]):
            found.update(((item["pk"], item["sk"]), item) for item in items)
        return found

    def _get_part(self, keys: Sequence[Key]) -> list[Item]:
        found: list[Item] = []
        wanted: list[Any] = [_key(key) for key in keys]
        for _ in self.rounds():
            request = {self._table: {"Keys": wanted, "ConsistentRead": True}}
            answer = self._send(self._client.batch_get_item, RequestItems=request)
            found += map(_from_item, answer.get("Responses", {}).get(self._table, []))
            wanted = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not wanted:
                break
        return found

    def query(
        self, partition: str, low: str, high: str, *, newest_first: bool = False
    ) -> Iterator[Item]:
        """Yield the items of a partition with ``low <= sort key <= high``, page after page."""
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
            "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :low AND :high",
            "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
            "ExpressionAttributeValues": _attributes(
                {":pk": partition, ":low": low, ":high": high}
            ),
        }
        while True:
            page = self._send(self._client.query, **arguments)
            yield from map(_from_item, page.get("Items", []))
            if not page.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def below(self, partition: str, prefix: str) -> list[Item]:
        """Return the items of a partition whose sort key begins with a prefix."""
        return list(self.query(partition, prefix or _LOWEST, prefix + _HIGHEST))

    def write(self, write: Write) -> bool:
        """Store or remove one item; tell whether its condition held."""
        arguments = self._arguments(write)
        send = self._client.delete_item if write.item is None else self._client.put_item
        return self._conditional(send, arguments)

    def set(
        self, key: Key, changes: str, values: Mapping[str, Any], condition: str | None = None
    ) -> bool:
        """Change single attributes of an item, which is made if it is missing.

        Args:
            key: Where.
            changes: ``SET #name = :name …``.
            values: The values.
            condition: See `Write`.

        Returns:
            Whether the condition held.
        """
        arguments: dict[str, Any] = {
            "TableName": self._table,
            "Key": _key(key),
            "UpdateExpression": changes,
            "ExpressionAttributeNames": _names(changes + (condition or "")),
            "ExpressionAttributeValues": _attributes(values),
        }
        if condition:
            arguments["ConditionExpression"] = condition
        return self._conditional(self._client.update_item, arguments)

    def write_together(self, writes: Sequence[Write]) -> bool:
        """Do up to a hundred writes to different items at once; tell if all conditions held."""
        actions = [
            {"Delete" if write.item is None else "Put": self._arguments(write)} for write in writes
        ]
        arguments = {"TransactItems": actions, "ClientRequestToken": new_nonce()}
        return self._conditional(self._client.transact_write_items, arguments)

    def write_many(self, items: Sequence[Item], removed: Sequence[Key] = ()) -> None:
        """Store and remove many items, each for itself and without a condition."""
        requests: list[tuple[int, Any]] = [
            (_size(item), {"PutRequest": {"Item": _attributes(item)}}) for item in items
        ]
        requests += [(0, {"DeleteRequest": {"Key": _key(key)}}) for key in dict.fromkeys(removed)]
        parts: list[list[Any]] = []
        size = 0
        for taken, request in requests:
            size += taken
            if not parts or size > _BATCH_BYTES or len(parts[-1]) == _WRITE_AT_ONCE:
                parts.append([])
                size = taken
            parts[-1].append(request)
        self.together([partial(self._write_part, part) for part in parts])

    def _write_part(self, requests: list[Any]) -> None:
        for _ in self.rounds():
            answer = self._send(self._client.batch_write_item, RequestItems={self._table: requests})
            requests = answer.get("UnprocessedItems", {}).get(self._table, [])
            if not requests:
                break

    def _arguments(self, write: Write) -> dict[str, Any]:
        arguments: dict[str, Any] = {"TableName": self._table}
        if write.item is None:
            arguments["Key"] = _key(write.key)
        else:
            arguments["Item"] = _attributes({**_place(write.key), **write.item})
        if write.condition:
            arguments["ConditionExpression"] = write.condition
            arguments["ExpressionAttributeNames"] = _names(write.condition)
            if write.values:
                arguments["ExpressionAttributeValues"] = _attributes(write.values)
        return arguments

    def _conditional(self, send: Callable[..., Any], arguments: Mapping[str, Any]) -> bool:
        try:
            self._send(send, **arguments)
        except _LostError:
            return False
        return True

    def _send(self, send: Callable[..., Any], **arguments: Any) -> Any:
        """Send a request, again if that may help; every request of ours may be repeated."""
        number = 0
        while True:
            if self.seconds_left <= 0:
                raise StoreTimeoutError(
                    "not done in time; repeat the call", engine=ENGINE, operation=self._operation
                )
            try:
                return send(**arguments)
            except ClientError as exc:
                if is_lost(exc):
                    raise _LostError from None
                if not is_passing(exc):
                    raise translate(exc, self._operation) from exc
                error: Exception = exc
            except BotoCoreError as exc:
                if not is_unanswered(exc) or number >= _UNANSWERED_TRIES:
                    raise translate(exc, self._operation) from exc
                error = exc
            number += 1
            self._pause(number, error)

    def _pause(self, number: int, error: Exception | None) -> None:
        """Wait a random while, up to twice as long each time, or give up."""
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(number, 10))
        pause = _random.uniform(0, longest)
        if pause >= self.seconds_left:
            if error is not None:
                raise translate(error, self._operation) from error
            raise StoreTimeoutError(
                "others wrote to the same place all the time; repeat the call",
                engine=ENGINE,
                operation=self._operation,
            )
        time.sleep(pause)


class _LostError(Exception):
    """A condition did not hold."""


def _place(key: Key) -> Item:
    return {"pk": key[0], "sk": key[1]}


def _key(key: Key) -> dict[str, dict[str, str]]:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


def _names(*expressions: str) -> dict[str, str]:
    """Return the placeholders of expressions: only names written in this package stand there."""
    return {f"#{name}": name for text in expressions for name in findall(r"#(\w+)", text)}


def _attributes(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: _attribute(value) for name, value in values.items()}


def _attribute(value: str | int | bytes) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, int):
        return {"N": str(value)}
    return {"S": value}


def _from_item(attributes: Mapping[str, Mapping[str, Any]]) -> Item:
    return {name: _value(attribute) for name, attribute in attributes.items()}


def _value(attribute: Mapping[str, Any]) -> str | int | bytes:
    ((kind, value),) = attribute.items()
    if kind == "N":
        return int(value)
    return bytes(value) if kind == "B" else str(value)


def _size(item: Item) -> int:
    return sum(len(value) for value in item.values() if isinstance(value, str | bytes))
