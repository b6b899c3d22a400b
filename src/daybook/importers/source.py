"""What every importer yields, whatever its format. Values only: no files, no stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from msgspec import Struct

from daybook.model.message import Message
from daybook.model.session import Session

__all__ = ["DEFAULT_USER", "BadRecord", "ImportedMessage", "ImportedSession", "LeftOut", "Record"]

DEFAULT_USER = "me"
"""Owner of what a file brings without naming one: a personal export is its reader's own."""


class ImportedSession(Struct, frozen=True, kw_only=True):
    """A conversation found in a file.

    Attributes:
        session_id: Its id in the source, or one made from stable facts of the source.
        user_id: Its owner.
        title: Its name for people.
        metadata: What else the source says about it.
        ttl: How long it lives after its last activity; None for ever.
        position: Where it stands in the file.
        exported: The whole session, where the file is an export of Daybook's.
    """

    session_id: str
    user_id: str
    title: str | None = None
    metadata: dict[str, Any] = {}
    ttl: timedelta | None = None
    position: str = ""
    exported: Session | None = None


class ImportedMessage(Struct, frozen=True):
    """One message of a conversation, in the order it was said.

    Attributes:
        session: Its conversation; the same object for all messages of it.
        message: The message, with an id that is the same at every reading of the file.
        position: Where it stands in the file: a line number or a JSON path.
    """

    session: ImportedSession
    message: Message
    position: str


class BadRecord(Struct, frozen=True):
    """Something in a file that could not be imported; what follows it still is.

    Attributes:
        file: The file's name.
        position: A line number or a JSON path.
        reason: What is wrong there; never any text of the record.
    """

    file: str
    position: str
    reason: str

    def __str__(self) -> str:
        """Return it as a compiler would: ``file:position: reason``."""
        return f"{self.file}:{self.position}: {self.reason}"


class LeftOut(Struct, frozen=True):
    """Sound messages that are not imported on purpose, such as those of an abandoned branch."""

    count: int


Record = ImportedSession | ImportedMessage | BadRecord | LeftOut
"""One thing a reader yields. A session comes before its messages; one may be without any."""

Records = Iterator[Record]
