"""Opening a store: is it one, is it whole, did the machine restart since."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from daybook.engines.file.driver_errors import ENGINE
from daybook.engines.file.folders import Folders
from daybook.engines.file.marks import Marks
from daybook.engines.file.paths import GENERATION, LOCK, MARKER, TEMPORARY, Place
from daybook.engines.file.session_birth import Births
from daybook.engines.file.session_jobs import SessionJobs
from daybook.engines.file.shared_streams import SharedStreams
from daybook.errors import ConfigError, SchemaVersionError

__all__ = ["check_folder", "recover"]

_VERSION = 1
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_OURS = {LOCK, TEMPORARY}


class _Marker(Struct, frozen=True):
    """The content of the file that says what the folder is."""

    daybook: str
    version: int


def check_folder(root: Path) -> None:
    """Make the store's folder if it is missing; its parent must be there.

    Raises:
        ConfigError: Its parent is missing, or it holds something else.
        SchemaVersionError: A newer version made it.
        OSError: It cannot be read or made.
    """
    if not root.parent.is_dir():
        raise ConfigError(f"file: the folder above {root.name} does not exist: create it first")
    if root.exists() and not root.is_dir():
        raise ConfigError(f"file: {root.name} is not a folder")
    root.mkdir(mode=0o700, exist_ok=True)
    marker = root / MARKER
    try:
        body = marker.read_bytes()
    except FileNotFoundError:
        if all(one.name in _OURS for one in root.iterdir()):
            return
        # Another process may have made the store between the two looks.
        if not marker.exists():
            raise ConfigError(
                f"file: {root.name} holds other files and is not a Daybook store: name an empty "
                "or a new folder"
            ) from None
        body = marker.read_bytes()
    try:
        found = msgspec.json.decode(body, type=_Marker)
    except msgspec.MsgspecError:
        raise ConfigError(f"file: {MARKER} in {root.name} is not one of Daybook's") from None
    if found.version > _VERSION:
        raise SchemaVersionError(
            f"the store has form {found.version}, this version reads {_VERSION}: upgrade Daybook",
            engine=ENGINE,
            operation="open",
        )


def recover(
    folders: Folders, jobs: SessionJobs, marks: Marks, streams: SharedStreams, births: Births
) -> None:
    """Make a new store, or bring one to order that a crash may have left.

    One process at a time does this, and it does no harm to others that have the store open.
    """
    with folders.locked_file(Place((), LOCK)):
        if folders.stat(Place((), MARKER)) is None:
            body = msgspec.json.encode(_Marker("file store", _VERSION))
            folders.write_small(Place((), MARKER), body, durable=True)
        folders.remove_leftovers()
        streams.tidy()
        boot = _boot()
        if not boot or folders.read_small(Place((), GENERATION)) != boot:
            # Marks are not synced with every change: the last ones may be lost or torn.
            marks.mend()
            births.skip_ahead()
            for tenant, session in jobs.changed():
                marks.ensure(tenant, session.user_id, session.id)
            folders.write_small(Place((), GENERATION), boot or b"unknown", durable=True)


def _boot() -> bytes:
    """Return what tells one run of the machine from the next; empty if nothing does."""
    try:
        return _BOOT.read_bytes().strip()
    except OSError:
        return b""
