"""What a copy has done so far, and what it did. Values only."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["CopyProblem", "CopyProgress", "CopyReport"]


class CopyProblem(Struct, frozen=True):
    """Something that could not be copied; everything else was.

    Attributes:
        tenant: Its tenant.
        what: ``session`` or ``record``.
        name: Its id, or its namespace and key.
        reason: Why, and what to do; never any content.
    """

    tenant: str
    what: str
    name: str
    reason: str

    def __str__(self) -> str:
        """Return it as one line."""
        return f"{self.what} {self.name} of tenant {self.tenant}: {self.reason}"


class CopyProgress(Struct, frozen=True, kw_only=True):
    """How far a copy is.

    Attributes:
        stage: ``sessions``, ``records`` or ``verify``.
        done: Sessions or records dealt with in this stage.
        total: How many there are, as far as known.
        messages: Messages written.
    """

    stage: str
    done: int
    total: int
    messages: int


class CopyReport(Struct, frozen=True, kw_only=True):
    """What a copy did.

    Attributes:
        tenants: Whose data, sorted; Daybook's own entries left out.
        sessions: Sessions that stand at the destination as they stand at the source.
        messages: Messages they hold.
        written_messages: Messages that this run wrote; the others were there already.
        shared_messages: Messages that forks share at the destination instead of holding copies.
        records: Keys that stand at the destination as at the source.
        written_records: Keys that this run wrote.
        removed_sessions: Sessions deleted at the source while it was copied, removed again.
        passes: How often the source was looked through until it stood still.
        verified: Whether every session's and record's checksum is the same on both sides.
        checksum: One checksum over everything copied, hexadecimal: equal for equal stores.
        problems: What could not be copied.
        elapsed_s: Seconds.
    """

    tenants: tuple[str, ...]
    sessions: int
    messages: int
    written_messages: int
    shared_messages: int
    records: int
    written_records: int
    removed_sessions: int
    passes: int
    verified: bool
    checksum: str
    problems: tuple[CopyProblem, ...] = ()
    elapsed_s: float = 0.0
