"""Where LangGraph's checkpoint savers keep threads: an SQLite file, PostgreSQL, or an object.

Only the graph's own namespace is read, not those of its subgraphs. Each saver gives a thread's
checkpoints as (id, parent's id), and what stands in one of them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from daybook.errors import InvalidInputError, MissingDependencyError, StoreUnavailableError
from daybook.importers.langgraph_values import decode_value

__all__ = ["Saver", "Step", "saver_of"]


class Step(Struct, frozen=True):
    """One checkpoint.

    Attributes:
        at: When it was taken, as text.
        version: Tells contents of the channel apart: the same again is the same content.
        metadata: What the saver keeps beside it.
        values: What stands in the channel; None for nothing.
    """

    at: Any
    version: str | None
    metadata: dict[str, Any]
    values: Any


class Saver(Protocol):
    """A place of checkpoints."""

    def threads(self) -> Iterator[str]:
        """Yield the threads, in the order of their ids."""
        ...

    def links(self, thread: str) -> dict[str, str | None]:
        """Return the parent of each checkpoint, newest last."""
        ...

    def step(self, thread: str, checkpoint: str, channel: str) -> Step:
        """Return one checkpoint.

        Raises:
            InvalidInputError: It cannot be read.
        """
        ...

    def close(self) -> None:
        """Release what was opened."""
        ...


def saver_of(source: Any) -> Saver:
    """Return the saver of a path to an SQLite file, a ``postgresql://`` URL, or a memory saver.

    Raises:
        InvalidInputError: It is none of these.
        StoreUnavailableError: The database cannot be reached.
        MissingDependencyError: PostgreSQL's driver is not installed.
    """
    if isinstance(source, str) and source.startswith(("postgres://", "postgresql://")):
        return _PostgresSaver(source)
    if isinstance(source, str | Path):
        return _SqliteSaver(Path(source))
    if hasattr(source, "storage") and hasattr(source, "blobs"):
        return _MemorySaver(source)
    raise InvalidInputError(
        "a LangGraph saver is named by the path of an SQLite file, a postgresql:// URL, or is an "
        f"InMemorySaver; got {type(source).__name__}"
    )


class _SqliteSaver:
    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            self._connection.execute("SELECT checkpoint_id FROM checkpoints LIMIT 1")
        except sqlite3.Error:
            raise InvalidInputError(f"{path}: holds no LangGraph checkpoints") from None

    def threads(self) -> Iterator[str]:
        rows = self._connection.execute(
            "SELECT DISTINCT thread_id FROM checkpoints WHERE checkpoint_ns = '' ORDER BY thread_id"
        )
        yield from [thread for (thread,) in rows.fetchall()]

    def links(self, thread: str) -> dict[str, str | None]:
        rows = self._connection.execute(
            "SELECT checkpoint_id, parent_checkpoint_id FROM checkpoints "
            "WHERE thread_id = ? AND checkpoint_ns = '' ORDER BY checkpoint_id",
            (thread,),
        )
        return dict(rows.fetchall())

    def step(self, thread: str, checkpoint: str, channel: str) -> Step:
        kind, body, metadata = self._connection.execute(
            "SELECT type, checkpoint, metadata FROM checkpoints "
            "WHERE thread_id = ? AND checkpoint_ns = '' AND checkpoint_id = ?",
            (thread, checkpoint),
        ).fetchone()
        return _whole(decode_value(kind, body), decode_value("json", metadata), channel)

    def close(self) -> None:
        self._connection.close()


class _PostgresSaver:
    def __init__(self, url: str) -> None:
        try:
            import psycopg  # noqa: PLC0415 - an extra
        except ModuleNotFoundError as exc:
            raise MissingDependencyError(
                "LangGraph's PostgreSQL threads", "pip install 'daybook[postgresql]'"
            ) from exc
        try:
            self._connection = psycopg.connect(url, autocommit=True)
            self._connection.execute("SELECT checkpoint_id FROM checkpoints LIMIT 1")
        except psycopg.errors.UndefinedTable:
            raise InvalidInputError("the database holds no LangGraph checkpoints") from None
        except psycopg.Error as exc:
            raise StoreUnavailableError(
                f"the database cannot be read ({type(exc).__name__})",
                engine="postgresql",
                operation="import",
            ) from None

    def threads(self) -> Iterator[str]:
        rows = self._connection.execute(
            "SELECT DISTINCT thread_id FROM checkpoints WHERE checkpoint_ns = '' ORDER BY thread_id"
        )
        yield from [thread for (thread,) in rows.fetchall()]

    def links(self, thread: str) -> dict[str, str | None]:
        rows = self._connection.execute(
            "SELECT checkpoint_id, parent_checkpoint_id FROM checkpoints "
            "WHERE thread_id = %s AND checkpoint_ns = '' ORDER BY checkpoint_id",
            (thread,),
        )
        return {str(one): parent for one, parent in rows.fetchall()}

    def step(self, thread: str, checkpoint: str, channel: str) -> Step:
        found = self._connection.execute(
            "SELECT c.checkpoint, c.metadata, b.version, b.type, b.blob FROM checkpoints AS c "
            "LEFT JOIN checkpoint_blobs AS b ON b.thread_id = c.thread_id "
            "AND b.checkpoint_ns = c.checkpoint_ns AND b.channel = %s "
            "AND b.version = c.checkpoint -> 'channel_versions' ->> %s "
            "WHERE c.thread_id = %s AND c.checkpoint_ns = '' AND c.checkpoint_id = %s",
            (channel, channel, thread, checkpoint),
        ).fetchone()
        if found is None:
            raise InvalidInputError("the checkpoint is gone")
        taken, metadata, version, kind, blob = found
        return Step(taken.get("ts"), version, metadata, decode_value(kind, blob))

    def close(self) -> None:
        self._connection.close()


class _MemorySaver:
    def __init__(self, saver: Any) -> None:
        self._storage, self._blobs = saver.storage, saver.blobs

    def threads(self) -> Iterator[str]:
        yield from sorted(thread for thread, spaces in self._storage.items() if spaces.get(""))

    def links(self, thread: str) -> dict[str, str | None]:
        taken = self._storage[thread][""]
        return {one: taken[one][2] for one in sorted(taken)}

    def step(self, thread: str, checkpoint: str, channel: str) -> Step:
        body, metadata, _ = self._storage[thread][""][checkpoint]
        taken = decode_value(*body) or {}
        version = taken.get("channel_versions", {}).get(channel)
        blob = self._blobs.get((thread, "", channel, version))
        values = None if blob is None else decode_value(*blob)
        return Step(taken.get("ts"), str(version), decode_value(*metadata) or {}, values)

    def close(self) -> None:
        """Nothing was opened."""


def _whole(taken: Any, metadata: Any, channel: str) -> Step:
    """Return a step of a checkpoint that holds its channels' contents itself."""
    if not isinstance(taken, dict):
        raise InvalidInputError("the checkpoint is not an object")
    version = (taken.get("channel_versions") or {}).get(channel)
    values = (taken.get("channel_values") or {}).get(channel)
    told = metadata if isinstance(metadata, dict) else {}
    return Step(taken.get("ts"), None if version is None else str(version), told, values)
