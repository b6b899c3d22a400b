"""The one place where psycopg's exceptions become Daybook's.

No text of the server is passed on: its details show keys and values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from daybook.errors import (
    ConfigError,
    CorruptRecordError,
    DaybookError,
    StoreError,
    StoreFullError,
    StoreTimeoutError,
    StoreUnavailableError,
)

__all__ = [
    "ENGINE",
    "OtherVersionError",
    "ParentChangedError",
    "RepeatedError",
    "is_raced",
    "is_unprepared",
    "map_errors",
    "translate",
]

ENGINE = "postgresql"

_RACED = {"40001", "40P01", "DBK02"}
_UNPREPARED = {"26000", "42P05", "0A000"}
_FULL = {"53100", "54000", "54023"}
_TIMEOUT = {
    "57014": "the server ended the statement after its time limit; retry",
    "55P03": "a lock was not free in time; retry",
    "25P03": "the server ended an idle transaction; retry",
}
_CORRUPT = {"XX001", "XX002"}
_UNAVAILABLE = {
    "25006": "the server takes no writes: it is a standby, or its disk is full",
    "53200": "the server is out of memory; retry later",
    "53300": "the server has no connection left: raise max_connections, or lower pool_size",
    "53400": "the server reached a configured limit; retry later",
    "57P01": "the server is shutting down; retry later",
    "57P02": "the server is recovering from a crash; retry later",
    "57P03": "the server is starting; retry later",
    "40001": "other calls changed the same data all the time; retry",
    "40P01": "other calls changed the same data all the time; retry",
    "DBK02": "other calls changed the same data all the time; retry",
}
_CONFIG = {
    "28000": "the server refuses this role: check the URL and pg_hba.conf",
    "28P01": "the password is wrong",
    "3D000": "the database does not exist: create it first",
    "42501": (
        "this role lacks a right: GRANT it what docs/engines/postgresql.md lists, or open the "
        "schema as its owner"
    ),
}
_MISSING = {"3F000", "42P01", "42883"}
# The driver has no SQLSTATE for a connection that was refused, only the server's words; where they
# are in another language than English, the server counts as one that cannot be reached.
_REFUSALS = {
    "password authentication failed": "28P01",
    "no pg_hba.conf entry": "28000",
    'FATAL:  role "': "28000",
    'FATAL:  database "': "3D000",
    "no such database": "3D000",  # pgbouncer
    "permission denied for database": "42501",
    "too many clients": "53300",
    "remaining connection slots": "53300",
    "too many connections": "53300",
    "system is starting up": "57P03",
    "system is shutting down": "57P01",
}


class RepeatedError(Exception):
    """A message of a batch may be stored already; nothing was done (``DBK01``)."""


class OtherVersionError(Exception):
    """A record has another version than expected; nothing was done (``DBK03``).

    Attributes:
        place: Which record of the call, from 1.
        version: What its version is.
    """

    def __init__(self, hint: str) -> None:
        place, version = hint.split()
        self.place = int(place)
        self.version = int(version)
        super().__init__(hint)


class ParentChangedError(Exception):
    """A session was cleared or deleted while it was forked; nothing was done (``DBK04``)."""


def is_raced(error: psycopg.Error) -> bool:
    """Tell whether another call was first: nothing was done, and the same call may succeed now."""
    return error.sqlstate in _RACED


def is_unprepared(error: psycopg.Error) -> bool:
    """Tell whether a prepared statement was not there, or not as it was: nothing was done."""
    return error.sqlstate in _UNPREPARED


def translate(error: psycopg.Error, operation: str) -> DaybookError:
    """Return the Daybook error of a driver error. Never holds a stored value."""
    state = error.sqlstate or _refusal(error)
    if state is None or state.startswith("08"):
        return _without_state(error, operation)
    if state in _CONFIG:
        return ConfigError(f"postgresql {operation}: {_CONFIG[state]}")
    kind, text = _known(state)
    return kind(text, engine=ENGINE, operation=operation)


def _known(state: str) -> tuple[type[StoreError], str]:
    if state in _FULL:
        return StoreFullError, (
            "no room left on the server; nothing of this call was stored: free some space and retry"
        )
    if state in _TIMEOUT:
        return StoreTimeoutError, _TIMEOUT[state]
    if state in _UNAVAILABLE:
        return StoreUnavailableError, _UNAVAILABLE[state]
    if state in _CORRUPT:
        return CorruptRecordError, "the server found damaged data: restore a backup"
    if state in _MISSING:
        return StoreError, "the schema was dropped or changed while it was open: open it again"
    return StoreError, f"the server reported SQLSTATE {state}"


def _refusal(error: psycopg.Error) -> str | None:
    """Return why the server let nobody in, as the SQLSTATE that it stands for."""
    text = str(error)
    return next((state for words, state in _REFUSALS.items() if words in text), None)


def _without_state(error: psycopg.Error, operation: str) -> StoreError:
    """Return the error of a connection that failed: the server said nothing any more."""
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return StoreTimeoutError(
            "no connection within the time limit; retry", engine=ENGINE, operation=operation
        )
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return StoreUnavailableError(
            "the server cannot be reached, or the connection broke: whether this call was done, "
            "nobody knows; repeat it",
            engine=ENGINE,
            operation=operation,
        )
    return StoreError(
        f"the driver reported {type(error).__name__}", engine=ENGINE, operation=operation
    )


def _own_signal(error: psycopg.Error) -> Exception | None:
    """Return what one of our own functions raised, or None."""
    if error.sqlstate == "DBK01":
        return RepeatedError()
    if error.sqlstate == "DBK03":
        return OtherVersionError(error.diag.message_hint or "0 0")
    if error.sqlstate == "DBK04":
        return ParentChangedError()
    return None


@contextmanager
def map_errors(operation: str) -> Iterator[None]:
    """Turn any driver error inside the block into one of Daybook's."""
    try:
        yield
    except psycopg.Error as exc:
        raise _own_signal(exc) or translate(exc, operation) from None
    except OSError as exc:
        raise StoreUnavailableError(
            f"the connection failed ({type(exc).__name__}); retry",
            engine=ENGINE,
            operation=operation,
        ) from None
