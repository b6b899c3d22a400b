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
        self._capabilities = capabilities(synced=fsync)
        with map_errors("open"):
            check_folder(path)
            self._folders = Folders(path, synced=fsync)
        self._parts = _Parts(self._folders)
        try:
            with map_errors("open"):
                self._parts.recover()
        except BaseException:
            self._folders.close()
            raise
        self._readers = ReaderPool(readers)
        self._writer: Writer[AppendRequest, AppendResult | None] = Writer(
            "daybook-file-log", self._parts.round.together, lock_timeout_s
        )
        self._record_writer: Writer[None, None] = Writer(
            "daybook-file-records", _nothing_together, lock_timeout_s
        )
        self.log = self._message_log(clock)
        self.records = self._record_store(clock)
        self.index = None

    def _message_log(self, clock: Clock) -> FileMessageLog:
        return FileMessageLog(
            writer=self._writer,
            readers=self._readers,
            jobs=self._parts.jobs,
            reads=MessageReads(self._parts.sessions),
            marks=self._parts.marks,
            tenants=self._parts.tenants,
            clock=clock,
            capabilities=self._capabilities,
        )

    def _record_store(self, clock: Clock) -> FileRecordStore:
        files = RecordFiles(self._folders, self._parts.syncs, self._parts.tenants)
        return FileRecordStore(
            writer=self._record_writer,
            readers=self._readers,
            jobs=RecordJobs(files),
            tenants=self._parts.tenants,
            clock=clock,
            capabilities=self._capabilities,
        )

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
        self._parts.syncs.close()
        self._folders.close()


class _Parts:
    """What works on one folder, put together; the stores share it."""

    def __init__(self, folders: Folders) -> None:
        self.sessions = SessionStore(folders)
        self.tenants = TenantNames(folders)
        self.marks = Marks(folders, self.sessions)
        self.syncs = SyncPool(folders)
        self._folders = folders
        self._streams = SharedStreams(folders, self.sessions)
        self._births = Births(folders, self.marks, self.tenants, self.syncs)
        end = SessionEnd(folders, self.sessions, self._births, self.marks, self._streams)
        self.jobs = SessionJobs(folders, self.sessions, self._births, end, self._streams)
        self.round = AppendRound(self.sessions, self._births, end, self.marks, self.syncs)

    def recover(self) -> None:
        """Finish what a process that died had begun."""
        recover(self._folders, self.jobs, self.marks, self._streams, self._births)


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
