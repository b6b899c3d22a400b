"""Starts real servers for tests: each on a port and in a folder of its own, gone with its owner.

A `Server` can be killed, restarted and frozen while a test runs. What starts it is in the file
named after it (`redis.py`, `postgres.py`, ...).
"""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, TypeVar

from tests.servers import reaper

HOST = "127.0.0.1"
START_LIMIT_S = 60.0
_STOP_LIMIT_S = 60.0
_ANSWER_LIMIT_S = 20.0
_POLL_S = 0.02
_STARTS = 3

# Below the ports that the kernel gives to outgoing connections: while a server is down, a client
# that tries its port could otherwise be given that very port and connect to itself. Each worker
# process of a run has ports of its own, and none is used twice: a server that starts slowly, or is
# down for a moment, finds nobody else on its port.
_FIRST_PORT, _END_PORT, _MOST_WORKERS = 20_000, 30_000, 8
_used_ports: set[int] = set()
# Not the common one: pytest-randomly sets that to the same start before each test of each worker.
_random = random.Random()  # noqa: S311 - no secret


class ServerMissingError(Exception):
    """The server is not installed here; the text says what installs it."""


class ServerFailedError(Exception):
    """The server ended or did not answer in time; the text ends with its own last words."""


def free_port() -> int:
    """Return a loopback port nobody listens on at present."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _MOST_WORKERS
    ports = range(_FIRST_PORT + worker, _END_PORT, _MOST_WORKERS)
    while True:
        if len(_used_ports) == len(ports):
            _used_ports.clear()
        port = _random.choice([port for port in ports if port not in _used_ports])
        _used_ports.add(port)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port


def package_file(package: str, path: str) -> Path | None:
    """Return a file inside an installed package, which is not imported; None without it."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (file := Path(folder, path)).exists():
            return file
    return None


def as_nobody() -> list[str]:
    """Return what to put before a command that refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


def wait_until(true: Callable[[], bool], what: str, limit_s: float = START_LIMIT_S) -> None:
    """Return once `true` holds; an OSError from it counts as "not yet".

    Raises:
        ServerFailedError: it does not hold after `limit_s`.
    """
    deadline = time.monotonic() + limit_s
    while not _holds(true):
        if time.monotonic() > deadline:
            raise ServerFailedError(f"{what}: not after {limit_s:g} s")
        time.sleep(_POLL_S)


def _holds(true: Callable[[], bool]) -> bool:
    try:
        return true()
    except OSError:
        return False


class Server(ABC):
    """One server process with its folder and port; use it through its file's context manager."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._settled = False

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for Daybook; it stays the same over restarts."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that runs the server in the foreground."""

    def prepare(self) -> None:  # noqa: B027 - most servers need nothing
        """Make what must exist before the first start."""

    def settle(self) -> None:  # noqa: B027
        """Do what the first start needs once the port answers."""

    def ready(self) -> bool:
        """Tell whether the server takes requests; may raise OSError for no."""
        with socket.create_connection((HOST, self.port), timeout=_ANSWER_LIMIT_S):
            return True

    def environment(self) -> dict[str, str]:
        """Return the environment that the server runs in."""
        return {**os.environ, "HOME": str(self.folder)}

    @property
    def running(self) -> bool:
        """Whether the process exists, frozen or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process and return when it takes requests.

        Raises:
            ServerFailedError: it ended or was not ready within `START_LIMIT_S`.
        """
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the server
            )
        self._record()
        wait_until(self._answers, f"{self.name} answers")
        if not self._settled:
            self.settle()
            self._settled = True
        wait_until(lambda: self._alive() and self.ready(), f"{self.name} is ready")

    def stop(self) -> None:
        """Ask the server to end and return when it has; kill it if it takes too long."""
        if self._process is not None and self.running:
            self.resume()
            reaper.send(self._process.pid, self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_LIMIT_S)
        self.kill()

    def kill(self) -> None:
        """End every process of the server with SIGKILL, as a crash would."""
        reaper.kill_all(self.folder)
        if self._process is not None:
            self._process.wait(_STOP_LIMIT_S)

    def restart(self) -> None:
        """Start again on the same port and data, killing it first if it runs."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Freeze every process: connections stay open and nothing answers."""
        frozen: set[int] = set()
        while new := [pid for pid in reaper.members(self.folder) if pid not in frozen]:
            for pid in new:
                reaper.send(pid, signal.SIGSTOP)
            frozen.update(new)

    def resume(self) -> None:
        """Let a frozen server go on."""
        for pid in reaper.members(self.folder):
            reaper.send(pid, signal.SIGCONT)

    @contextmanager
    def stop_cont(self) -> Iterator[None]:
        """Freeze the server for the length of a block."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def _record(self) -> None:
        if self._process is not None:
            started = reaper.start_time(self._process.pid)
            (self.folder / reaper.MAIN_PROCESS).write_text(f"{self._process.pid} {started}")

    def _alive(self) -> bool:
        if not self.running:
            raise ServerFailedError(f"{self.name} ended at once: {self.last_words()}")
        return True

    def _answers(self) -> bool:
        self._alive()
        with socket.create_connection((HOST, self.port), timeout=_ANSWER_LIMIT_S):
            return True

    def last_words(self) -> str:
        """Return the end of what the server printed."""
        log = self.folder / "log"
        return log.read_text(errors="replace")[-600:].strip() if log.exists() else ""


AnyServer = TypeVar("AnyServer", bound=Server)


@contextmanager
def owned_folder(name: str, lock: Path | None = None) -> Iterator[Path]:
    """Give a new folder; with the last holder of `lock` it goes, and all that runs inside.

    Args:
        name: What the folder is for, for people who look at /tmp.
        lock: A file that this caller and others hold with a shared lock; without one the
            folder goes at the end of the block.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"daybook-{name}-"))
    folder.chmod(0o755)  # for servers that refuse to be root
    held_path = lock or folder / "owner.lock"
    with held_path.open("a") as held:
        if lock is None:
            fcntl.flock(held, fcntl.LOCK_SH)
        watcher = subprocess.Popen(
            [sys.executable, "-S", "-E", reaper.__file__, held_path, folder],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield folder
        finally:
            if lock is None:
                held.close()
                watcher.wait(_STOP_LIMIT_S)
            else:
                outlive(watcher)


# What was started here and goes on without us: kept, as Python warns of a process forgotten.
_OUTLIVING: list[object] = []


def outlive(started: object) -> None:
    """Leave a process that others use to the watcher of its folder."""
    _OUTLIVING.append(started)


def start_in(folder: Path, make: Callable[[Path, int], AnyServer]) -> AnyServer:
    """Make, prepare and start a server in a folder, on another port if one was taken meanwhile."""
    for attempt in range(1, _STARTS + 1):
        place = folder / f"start-{attempt}"
        place.mkdir()
        server = make(place, free_port())
        server.prepare()
        try:
            server.start()
        except ServerFailedError:
            server.kill()
            if attempt == _STARTS:
                raise
        else:
            return server
    raise AssertionError("the last start returns or raises")


@contextmanager
def running(make: Callable[[Path, int], AnyServer]) -> Iterator[AnyServer]:
    """Run a server of one's own for the length of a block."""
    with owned_folder("server") as folder:
        server = start_in(folder, make)
        try:
            yield server
        finally:
            server.kill()


def on_path(*programs: str) -> Path | None:
    """Return the first of these programs that is installed."""
    found = (shutil.which(program) for program in programs)
    return next((Path(path) for path in found if path), None)
