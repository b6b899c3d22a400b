"""Messages as LangChain's histories store them, ``{"type": …, "data": {…}}``, into records.

What they stand in (a file, a table, a list of Redis) is told by the modules beside this one. They
are read as data: nothing is imported, built or unpickled.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from typing import Any

from msgspec import Struct

from daybook.errors import InvalidInputError, MissingDependencyError, StoreUnavailableError
from daybook.importers.langchain_fields import from_langchain_fields
from daybook.importers.source import BadRecord, ImportedMessage, ImportedSession, Record
from daybook.importers.stable_ids import stable_id

__all__ = ["StoredRow", "as_json", "driver", "looks_like_stored", "read_rows", "store_calls"]

_NO_ID = "lc-"  # `daybook.adapters.langchain` gives such a message back without an id


class StoredRow(Struct, frozen=True):
    """One message where it is stored.

    Attributes:
        session: The name of its session; any other value than text or a number is reported.
        stored: The JSON text of the message, or what it decodes to.
        position: Where it stands, for reports.
        key: What the store calls the row; None where it has no name of its own. The rows of a
            session then follow each other.
        said_at: When it was stored, as far as the store knows.
    """

    session: Any
    stored: Any
    position: str
    key: str | None = None
    said_at: datetime | None = None


def looks_like_stored(value: Any) -> bool:
    """Tell whether a JSON value is a message in the form that LangChain's histories store."""
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        return False
    return isinstance(value.get("data"), dict) and "content" in value["data"]


def read_rows(
    rows: Iterable[StoredRow | BadRecord], name: str, user_id: str | None
) -> Generator[Record, None, None]:
    """Yield the messages of rows; a row that is none is reported.

    Args:
        rows: In the order in which they were said, within each session.
        name: What they come from, for reports.
        user_id: Owns all of them; None: each session is its own user, as it is for
            `daybook.adapters.langchain`, so that no one's recall reaches another's.
    """
    sessions: dict[str, ImportedSession] = {}
    alike: Counter[str] = Counter()
    last: Any = None
    for row in rows:
        if isinstance(row, BadRecord):
            yield row
            continue
        if row.session != last:
            alike.clear()
            last = row.session
        try:
            named = _session_id(row.session)
            session = sessions.get(named)
            if session is None:
                session = ImportedSession(
                    session_id=named, user_id=user_id or named, position=row.position
                )
                sessions[named] = session
            fields, text = _fields(row.stored)
            fallback = _NO_ID + _row_id(named, row.key, text, alike)
            message = from_langchain_fields(fields, fallback_id=fallback, said_at=row.said_at)
        except InvalidInputError as exc:
            yield BadRecord(name, row.position, str(exc))
            continue
        yield ImportedMessage(session, message, row.position)


def as_json(text: Any) -> Any:
    """Return what JSON text, or its bytes, stands for.

    Raises:
        InvalidInputError: It is no text, or no JSON.
    """
    if not isinstance(text, str | bytes):
        raise InvalidInputError(f"the message is stored as {type(text).__name__}, not as text")
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidInputError("the message is not valid JSON") from None


def driver(name: str, extra: str) -> Any:
    """Return a driver's module.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as exc:
        raise MissingDependencyError(
            f"importing from {extra}", f"pip install 'daybook[{extra}]'"
        ) from exc


@contextmanager
def store_calls(engine: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn a driver's errors into ours; the driver's text, which may hold data, is left out.

    Raises:
        StoreUnavailableError: One occurred.
    """
    try:
        yield
    except errors as exc:
        raise StoreUnavailableError(
            f"the store cannot be read ({type(exc).__name__})", engine=engine, operation="import"
        ) from None


def _session_id(named: Any) -> str:
    if isinstance(named, bytes):
        try:
            named = named.decode()
        except UnicodeDecodeError:
            raise InvalidInputError("the session's name is not UTF-8") from None
    if isinstance(named, int) and not isinstance(named, bool):
        return str(named)
    if isinstance(named, str) and named:
        return named
    raise InvalidInputError("no session is named")


def _fields(stored: Any) -> tuple[dict[str, Any], str]:
    """Return the fields of a message, and the text that it is known by."""
    value = stored if isinstance(stored, dict) else as_json(stored)
    if not looks_like_stored(value):
        raise InvalidInputError("the message is no object with `type` and `data`")
    try:
        text = json.dumps([value["type"], value["data"]], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError("the message holds something that is no JSON") from None
    return {**value["data"], "type": value["type"]}, text


def _row_id(session: str, key: str | None, text: str, alike: Counter[str]) -> str:
    """Return an id that is the same at every reading.

    The text is part of it, for a key may be given again after a row was deleted. A row without a
    key is the first, second, … of those that say the same: the older ones may have been cut off.
    """
    if key is not None:
        return stable_id(session, key, text)
    alike[text] += 1
    return stable_id(session, alike[text], text)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)
