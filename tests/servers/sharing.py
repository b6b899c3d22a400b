"""One server of a kind for a whole test run, shared by its worker processes.

Whoever needs it first starts it. Each user holds a shared lock on one file; the watcher of the
server's folder waits for that lock alone, so the server ends with its last user, killed or not.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from tests.servers.catalog import KINDS
from tests.servers.launch import outlive, owned_folder


@contextmanager
def shared_server(kind: str, place: Path) -> Iterator[str]:
    """Give the URL of this run's server of a kind; it stays up for the length of the block.

    Args:
        kind: A key of `tests.servers.catalog.KINDS`.
        place: A folder that all processes of the run agree on.

    Raises:
        ServerMissingError: it is not installed.
        ServerFailedError: it does not start.
    """
    place.mkdir(parents=True, exist_ok=True)
    with _locked(place / f"{kind}.in-use", fcntl.LOCK_SH) as in_use:
        # One at a time looks for the note and starts the server if there is none.
        with _locked(place / f"{kind}.starting", fcntl.LOCK_EX):
            url = _noted(place / f"{kind}.json") or _start(kind, place, Path(in_use.name))
        yield url


@contextmanager
def _locked(path: Path, how: int) -> Iterator[IO[str]]:
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield file


def _noted(note: Path) -> str | None:
    """Return the URL in a note whose server's folder still stands."""
    if not note.exists():
        return None
    facts = json.loads(note.read_text())
    return str(facts["url"]) if Path(facts["folder"]).exists() else None


def _start(kind: str, place: Path, in_use: Path) -> str:
    with ExitStack() as stack:
        folder = stack.enter_context(owned_folder(kind, in_use))
        server = KINDS[kind].start(folder)
        outlive(server)
        note = {"url": server.url, "folder": str(folder)}
        (place / f"{kind}.json").write_text(json.dumps(note))
        return server.url
