"""The floors that need no database: a file of lines, a dictionary; and DynamoDB's client."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sides.floors import body_of
from benchmarks.sides.history import AsyncHistory, SyncHistory
from benchmarks.sides.weighing import dynamodb_bytes, folder_bytes
from benchmarks.talk import Exchange

__all__ = ["AwaitedRawFile", "RawDynamo", "RawFile", "RawMemory", "dynamodb_client"]

_TABLE = "floor"
_MOST_ITEMS = 25  # of one BatchWriteItem


def _lines(texts: Sequence[str]) -> bytes:
    return "".join(f"{json.dumps(body_of(at, text))}\n" for at, text in enumerate(texts)).encode()


class _Lines:
    """One file of JSON lines for each session, kept open."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._open: dict[str, int] = {}

    def write(self, session: str, texts: Sequence[str]) -> None:
        """Append lines and sync them; a new file's name, too."""
        file = self._open.get(session)
        if file is None:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            file = self._open[session] = os.open(self.folder / session, flags, 0o600)
            folder = os.open(self.folder, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)
        os.write(file, _lines(texts))
        os.fsync(file)

    def read(self, session: str, limit: int | None) -> int:
        """Read and decode; the newest lines from the end, in as large a piece as they need."""
        file = self.folder / session
        if limit is None:
            return len([json.loads(line) for line in file.read_bytes().splitlines()])
        piece = 1_000 * limit
        with file.open("rb") as opened:
            opened.seek(max(0, opened.seek(0, os.SEEK_END) - piece))
            lines = opened.read().splitlines()[-limit:]
        return len([json.loads(line) for line in lines])

    def close(self) -> None:
        """Close the files."""
        for file in self._open.values():
            os.close(file)


class RawFile(SyncHistory):
    """`os.write` and `os.fsync`."""

    def __init__(self, folder: Path) -> None:
        self._lines = _Lines(folder)

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one write."""
        self._lines.write(session, texts)

    def append(self, session: str, exchange: Exchange) -> None:
        """Append in one write."""
        self._lines.write(session, exchange)

    def load(self, session: str, limit: int | None) -> int:
        """Read and decode."""
        return self._lines.read(session, limit)

    def stored_bytes(self) -> int:
        """Return the length of the files."""
        return folder_bytes(self._lines.folder)

    def close(self) -> None:
        """Close the files."""
        self._lines.close()


class AwaitedRawFile(AsyncHistory):
    """The same in a thread, as a program with an event loop must."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._lines = _Lines(folder)

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append in one write."""
        self._lines.write(session, texts)

    async def append(self, session: str, exchange: Exchange) -> None:
        """Append in one write."""
        await asyncio.to_thread(self._lines.write, session, exchange)

    async def load(self, session: str, limit: int | None) -> int:
        """Read and decode."""
        return await asyncio.to_thread(self._lines.read, session, limit)

    def stored_bytes(self) -> int:
        """Return the length of the files."""
        return folder_bytes(self._lines.folder)

    def close(self) -> None:
        """Close the files and the loop."""
        self._lines.close()
        self.loop.close()


class RawMemory(AsyncHistory):
    """A dictionary of lists."""

    def __init__(self) -> None:
        super().__init__()
        self._sessions: dict[str, list[str]] = {}

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Append."""
        kept = self._sessions.setdefault(session, [])
        kept.extend(json.dumps(body_of(at, text)) for at, text in enumerate(texts))

    async def append(self, session: str, exchange: Exchange) -> None:
        """Append."""
        self.fill(session, exchange)

    async def load(self, session: str, limit: int | None) -> int:
        """Decode."""
        kept = self._sessions[session]
        messages: list[Any] = [json.loads(body) for body in kept[-limit if limit else 0 :]]
        return len(messages)

    def close(self) -> None:
        """Close the loop."""
        self.loop.close()


def dynamodb_client(url: str) -> Any:
    """Return botocore's client for an address as Daybook writes it."""
    from botocore.config import Config  # noqa: PLC0415 - an optional driver
    from botocore.session import Session  # noqa: PLC0415 - an optional driver

    endpoint = url.partition("endpoint=")[2] or None
    settings = Config(max_pool_connections=32)
    return Session().create_client("dynamodb", endpoint_url=endpoint, config=settings)


class RawDynamo(AsyncHistory):
    """`botocore` in a thread: one BatchWriteItem under keys that grow with time."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._client = dynamodb_client(url)
        if _TABLE not in self._client.list_tables()["TableNames"]:
            self._client.create_table(
                TableName=_TABLE,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": "session", "KeyType": "HASH"},
                    {"AttributeName": "at", "KeyType": "RANGE"},
                ],
                AttributeDefinitions=[
                    {"AttributeName": "session", "AttributeType": "S"},
                    {"AttributeName": "at", "AttributeType": "N"},
                ],
            )

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Write in batches."""
        for at in range(0, len(texts), _MOST_ITEMS - 1):  # an even number: user, assistant
            self._write(session, texts[at : at + _MOST_ITEMS - 1])

    async def append(self, session: str, exchange: Exchange) -> None:
        """Write two items."""
        await asyncio.to_thread(self._write, session, exchange)

    def _write(self, session: str, texts: Sequence[str]) -> None:
        now = time.time_ns()
        items = [
            {
                "session": {"S": session},
                "at": {"N": str(now + at)},
                "body": {"S": json.dumps(body_of(at, text))},
            }
            for at, text in enumerate(texts)
        ]
        self._client.batch_write_item(
            RequestItems={_TABLE: [{"PutRequest": {"Item": item}} for item in items]}
        )

    async def load(self, session: str, limit: int | None) -> int:
        """Query and decode."""
        return await asyncio.to_thread(self._read, session, limit)

    def _read(self, session: str, limit: int | None) -> int:
        pages = self._client.get_paginator("query").paginate(
            TableName=_TABLE,
            KeyConditionExpression="#s = :s",
            ExpressionAttributeNames={"#s": "session"},
            ExpressionAttributeValues={":s": {"S": session}},
            ScanIndexForward=False,
            PaginationConfig={"MaxItems": limit, "PageSize": limit},
        )
        items = [item for page in pages for item in page["Items"]]
        return len([json.loads(item["body"]["S"]) for item in items])

    def stored_bytes(self) -> int:
        """Return what the items take."""
        return dynamodb_bytes(self._client, _TABLE)

    def close(self) -> None:
        """Close the client and the loop."""
        self._client.close()
        self.loop.close()
