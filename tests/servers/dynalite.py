"""DynamoDB for tests, a second opinion: dynalite from npm, strict on names and sizes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.dynamodb import DynamoDBServer
from tests.servers.launch import HOST, ServerMissingError, on_path, running


def find_program() -> Path:
    """Return dynalite's program, which `make servers` puts beside the virtual environment's Python.

    Raises:
        ServerMissingError: it or node is not installed.
    """
    bundled = Path(sys.prefix, "node", "node_modules", ".bin", "dynalite")
    found = bundled if bundled.exists() else on_path("dynalite")
    if found is None or on_path("node") is None:
        raise ServerMissingError("no dynalite: `make servers` installs it with npm")
    return found


class DynaliteServer(DynamoDBServer):
    """One dynalite process; its tables survive a restart."""

    name = "dynalite"

    def command(self) -> list[str]:
        """Return the command line; tables are there at once."""
        flags = "--createTableMs 0 --deleteTableMs 0 --updateTableMs 0".split()
        place = ["--host", HOST, "--port", str(self.port), "--path", str(self.folder / "tables")]
        return ["node", str(find_program()), *place, *flags]


@contextmanager
def dynalite_server() -> Iterator[DynaliteServer]:
    """Run dynalite for the length of a block.

    Raises:
        ServerMissingError: it is not installed.
    """
    find_program()
    with running(DynaliteServer) as server:
        yield server
