"""Tables for one test each, and a client between engine and server that fails as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError, ReadTimeoutError

from daybook.engines.dynamodb.client import make_client
from daybook.engines.dynamodb.engine import DynamoDBEngine
from daybook.engines.dynamodb.schema import prepare_table
from daybook.protocols.clock import Clock
from daybook.registry import parse_url

PATIENCE_S = 60.0


class ProcessDiedError(Exception):
    """Stands for a process that ends between two requests; no engine catches it."""


@dataclass
class Table:
    """One table on one server.

    Attributes:
        endpoint: The server.
        name: The table.
    """

    endpoint: str
    name: str = field(default_factory=lambda: f"test-{uuid4().hex}")

    @classmethod
    def at(cls, url: str, client: Any = None) -> Table:
        """Make a fresh table on the server of a Daybook URL."""
        table = cls(str(parse_url(url).options["endpoint"]))
        maker = client or table.client()
        prepare_table(maker, table.name, create=True, seconds=PATIENCE_S)
        if client is None:
            maker.close()
        return table

    def client(self, timeout_s: float = PATIENCE_S) -> Any:
        """Return botocore's client."""
        return make_client("us-east-1", self.endpoint, "", timeout_s)

    def engine(
        self, clock: Clock, *, client: Any = None, timeout_s: float = PATIENCE_S
    ) -> DynamoDBEngine:
        """Open an engine on it, perhaps behind a client that fails."""
        return DynamoDBEngine(
            client or self.client(timeout_s),
            self.name,
            clock=clock,
            timeout_s=timeout_s,
            warnings=(),
        )

    def items(self) -> list[dict[str, Any]]:
        """Return everything in the table, as DynamoDB's own attributes."""
        client = self.client()
        found: list[dict[str, Any]] = []
        arguments: dict[str, Any] = {"TableName": self.name, "ConsistentRead": True}
        while True:
            page = client.scan(**arguments)
            found += page["Items"]
            if not page.get("LastEvaluatedKey"):
                client.close()
                return found
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def holds(self, text: str) -> bool:
        """Tell whether a text stands anywhere in the table."""
        return any(
            text.encode() in (value if isinstance(value, bytes) else str(value).encode())
            for item in self.items()
            for attribute in item.values()
            for value in attribute.values()
        )

    def partitions(self, prefix: str) -> list[str]:
        """Return the sort keys of all partitions that begin with a prefix."""
        return sorted(
            f"{item['pk']['S']} {item['sk']['S']}"
            for item in self.items()
            if item["pk"]["S"].startswith(prefix)
        )


Fault = Callable[[str, int], Exception | None]


class FaultyClient:
    """A client whose requests fail, before or after the server has done them.

    Attributes:
        requests: How many were made.
        writes: How many of them wrote something.
        before: Asked with the operation and its number; what it returns is raised instead.
        after: The same, once the server has done it.
    """

    def __init__(self, client: Any, *, shared: bool = False) -> None:
        """Stand before a client, which is closed with this one unless it is shared."""
        self._client = client
        self._shared = shared
        self.requests = 0
        self.writes = 0
        self.before: Fault = _nothing
        self.after: Fault = _nothing

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name == "close":
            return _nothing_to_close if self._shared else method

        def request(**arguments: Any) -> Any:
            self.requests += 1
            self.writes += "put" in name or "write" in name or "update" in name or "delete" in name
            number = self.requests
            self._fail(self.before(name, number))
            answer = method(**arguments)
            self._fail(self.after(name, number))
            return answer

        return request

    @staticmethod
    def _fail(error: Exception | None) -> None:
        if error is not None:
            raise error


def _nothing_to_close() -> None:
    return None


def _nothing(_name: str, _number: int) -> None:
    return None


def throttled() -> Exception:
    """Return what DynamoDB says under too much load."""
    facts = {"Error": {"Code": "ProvisionedThroughputExceededException", "Message": "slow down"}}
    error: Exception = ClientError(facts, "x")
    return error


def refused() -> Exception:
    """Return what DynamoDB says to somebody without the right."""
    error: Exception = ClientError({"Error": {"Code": "AccessDeniedException"}}, "x")
    return error


def unanswered() -> Exception:
    """Return what botocore says when no answer came."""
    error: Exception = ReadTimeoutError(endpoint_url="http://nowhere")
    return error


@contextmanager
def dying(client: FaultyClient, at: int) -> Iterator[None]:
    """Let every request fail from the write with a number on, as if the process ended there.

    Between two writes nothing can be left behind, so reads are not counted.
    """
    client.writes = 0
    client.before = lambda _name, _number: ProcessDiedError() if client.writes >= at else None
    try:
        yield
    finally:
        client.before = _nothing
