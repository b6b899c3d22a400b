"""What an import says about itself, while it runs and when it is done."""

from __future__ import annotations

from msgspec import Struct

from daybook.importers.source import BadRecord

__all__ = ["MAX_LISTED", "ImportProgress", "ImportReport"]

MAX_LISTED = 1000
"""Bad records listed one by one; more of them are only counted."""


class ImportProgress(Struct, frozen=True):
    """How far an import is.

    Attributes:
        done: Bytes of the file that were read.
        total: Its bytes.
        messages: Messages stored or found stored so far.
    """

    done: int
    total: int
    messages: int


class ImportReport(Struct, frozen=True, kw_only=True):
    """What one import did.

    Attributes:
        file: The file's name.
        format: The format it was recognised as.
        users: Whose conversations it held, sorted.
        sessions: Conversations it held.
        new_sessions: Those that were not there before.
        messages: Messages added.
        duplicates: Messages that were stored already, and so were left alone.
        left_out: Messages left out on purpose (abandoned branches).
        bad_count: Records that could not be imported.
        bad_records: The first 1,000 of them.
        elapsed_s: Seconds it took.
    """

    file: str
    format: str
    users: tuple[str, ...]
    sessions: int
    new_sessions: int
    messages: int
    duplicates: int
    left_out: int
    bad_count: int
    bad_records: tuple[BadRecord, ...]
    elapsed_s: float
