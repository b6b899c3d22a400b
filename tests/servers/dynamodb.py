"""DynamoDB for tests: moto's server, which knows transactions and keeps everything in memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.launch import HOST, Server, ServerMissingError, package_file, running

# What the emulators accept as proof of who calls; they check nothing.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
REGION = "us-east-1"


def find_program() -> Path:
    """Return moto's package file.

    Raises:
        ServerMissingError: moto or what serves it is not installed.
    """
    found = package_file("moto", "server.py")
    if found is None or package_file("waitress", "__init__.py") is None:
        raise ServerMissingError("no moto: `make servers` installs it")
    return found


class DynamoDBServer(Server):
    """One moto process; a restart forgets everything."""

    name = "dynamodb"

    @property
    def endpoint(self) -> str:
        """The address for a driver."""
        return f"http://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        """The address for Daybook."""
        return f"dynamodb://{REGION}?endpoint={self.endpoint}"

    def command(self) -> list[str]:
        """Return the command line."""
        program = Path(__file__).with_name("moto_one_at_a_time.py")
        return [sys.executable, str(program), HOST, str(self.port)]

    def environment(self) -> dict[str, str]:
        """Return the environment: moto uses the real driver, which wants credentials."""
        return {**super().environment(), **CREDENTIALS}


@contextmanager
def dynamodb_server() -> Iterator[DynamoDBServer]:
    """Run moto's server for the length of a block.

    Raises:
        ServerMissingError: it is not installed.
    """
    find_program()
    with running(DynamoDBServer) as server:
        yield server
