"""The file engine: a folder holds the log and the records; it has no search index."""

from __future__ import annotations

import asyncio
from pathlib import Path

from daybook.engines.file.append_round import AppendRequest, AppendRound
from daybook.engines.file.capabilities import capabilities
from daybook.engines.file.driver_errors import map_errors
from daybook.engines.file.file_lock import supported
from daybook.engines.file.folders import Folders
from daybook.engines.file.marks import Marks
from daybook.engines.file.message_log import FileMessageLog
from daybook.engines.file.message_reads import MessageReads
from daybook.engines.file.reader_pool import ReaderPool
from daybook.engines.file.record_files import RecordFiles
from daybook.engines.file.record_jobs import RecordJobs
from daybook.engines.file.record_store import FileRecordStore
from daybook.engines.file.recovery import check_folder, recover
from daybook.engines.file.session_birth import Births
from daybook.engines.file.session_end import SessionEnd
from daybook.engines.file.session_jobs import SessionJobs
from daybook.engines.file.session_store import SessionStore
from daybook.engines.file.shared_streams import SharedStreams
from daybook.engines.file.sync_pool import SyncPool
from daybook.engines.file.tenant_names import TenantNames
from daybook.engines.file.writer import Outcome, Writer
from daybook.errors import ConfigError
from daybook.model.capabilities import EngineCapabilities
from daybook.model.entry import AppendResult
from daybook.protocols.clock import Clock
from daybook.registry import EngineUrl

__all__ = ["FileEngine", "open_engine"]

_OPTIONS = {"fsync": "true", "readers": "2", "lock_timeout_s": "30"}
_SWITCH = {"true": True, "false": False}


class FileEngine:
    """A folder of files, for any number of threads, event loops and processes.

    Attributes:
        log: The message log.
        records: The record store.
        index: None: pair it with the index of another engine.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        fsync: bool = True,
        readers: int = 2,
        lock_timeout_s: float = 30.0,
    ) -> None:
        """Open or create the folder. Blocks.

        Args:
            path: The folder; the one above it must exist.
            clock: Decides what has expired.
            fsync: False leaves it to the system when data reach the disk.
            readers: Threads that read.
            lock_timeout_s: How long a change waits for another process.

        Raises:
            ConfigError: The folder is not ours, or the system has no file locks.
            StoreError: The folder cannot be opened.
        """
        if not supported():
            raise ConfigError("file: this system has no flock: use sqlite:///…")
        self._closed = False
        self._capabilities = capabilities(synced=fsync)
        with map_errors("open"):
            check_folder(path)
            self._folders = Folders(path, synced=fsync)
        sessions = SessionStore(self._folders)
        tenants = TenantNames(self._folders)
        marks = Marks(self._folders, sessions)
        self._syncs = SyncPool(self._folders)
        births = Births(self._folders, marks, tenants, self._syncs)
        streams = SharedStreams(self._folders, sessions)
        end = SessionEnd(self._folders, sessions, births, marks, streams)
        jobs = SessionJobs(self._folders, sessions, births, end, streams)
        try:
            with map_errors("open"):
                recover(self._folders, jobs, marks, streams, births)
        except BaseException:
            self._folders.close()
            raise
        round_ = AppendRound(sessions, births, end, marks, self._syncs)
        self._writer: Writer[AppendRequest, AppendResult | None] = Writer(
            "daybook-file-log", round_.together, lock_timeout_s
        )
        self._record_writer: Writer[None, None] = Writer(
            "daybook-file-records", _nothing_together, lock_timeout_s
        )
        self._readers = ReaderPool(readers)
        self.log = FileMessageLog(
            writer=self._writer,
            readers=self._readers,
            jobs=jobs,
            reads=MessageReads(sessions),
            marks=marks,
            tenants=tenants,
            clock=clock,
            capabilities=self._capabilities,
        )
        self.records = FileRecordStore(
            writer=self._record_writer,
            readers=self._readers,
            jobs=RecordJobs(RecordFiles(self._folders, self._syncs, tenants)),
            tenants=tenants,
            clock=clock,
            capabilities=self._capabilities,
        )
        self.index = None

    @property
    def capabilities(self) -> EngineCapabilities:
        """What this opened engine promises."""
        return self._capabilities

    async def close(self) -> None:
        """Finish what is in flight, release everything. Repeatable."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.close()
        self._record_writer.close()
        self._readers.close()
        self._syncs.close()
        self._folders.close()


def _nothing_together(requests: object) -> list[Outcome[None]]:
    """Stand for a kind of request that record changes do not have: each runs alone."""
    raise AssertionError(f"unexpected {type(requests).__name__}")


async def open_engine(url: EngineUrl, *, clock: Clock) -> FileEngine:
    """Open ``file:///relative/folder`` or ``file:////absolute/folder``.

    Options: ``fsync=true|false``, ``readers``, ``lock_timeout_s``.

    Raises:
        ConfigError: No folder is named, an option is wrong, or the folder is not ours.
        StoreError: The folder cannot be opened.
    """
    options = url.take(**_OPTIONS)
    location = url.location.removeprefix("/")
    if not location:
        raise ConfigError(
            "file needs a folder: file:///chats (relative) or file:////var/chats (absolute)"
        )
    if options["fsync"] not in _SWITCH:
        raise ConfigError("file: fsync must be true or false")
    try:
        readers, lock_timeout_s = int(options["readers"]), float(options["lock_timeout_s"])
    except ValueError:
        raise ConfigError("file: readers and lock_timeout_s must be numbers") from None
    return await asyncio.to_thread(
        lambda: FileEngine(
            Path(location),
            clock=clock,
            fsync=_SWITCH[options["fsync"]],
            readers=readers,
            lock_timeout_s=lock_timeout_s,
        )
    )
