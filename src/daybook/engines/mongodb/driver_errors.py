"""pymongo's errors as ours. What the driver says may show data, so none of it is passed on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bson.errors import BSONError
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    WaitQueueTimeoutError,
    WTimeoutError,
)

from daybook.errors import (
    ConfigError,
    DaybookError,
    InvalidInputError,
    StoreClosedError,
    StoreError,
    StoreFullError,
    StoreTimeoutError,
    StoreUnavailableError,
)

__all__ = ["ENGINE", "bad_url", "closed", "is_duplicate_key", "is_too_large", "map_errors"]

ENGINE = "mongodb"

_DUPLICATE_KEY = 11000
# Server codes: github.com/mongodb/mongo, src/mongo/base/error_codes.yml. Atlas has one of its own
# for several things.
_ATLAS = 8000
_FULL = {14031, _ATLAS}
_DENIED = {13, 18, _ATLAS}
_TIMED_OUT = {50, 64, 89, 202, 262}
_BAD_VALUE = 2
_TOO_LARGE = {10334, 17419, 17420}
_BUSY = {6, 7, 11600, 11602, 91, 112, 189, 244, 246, 251, 9001, 10107, 13388, 13435, 13436}


def is_duplicate_key(error: OperationFailure) -> bool:
    """Tell whether a document with this key is there already; also of one write of many."""
    if isinstance(error, DuplicateKeyError):
        return True
    return _DUPLICATE_KEY in _codes(error)


def is_too_large(error: Exception) -> bool:
    """Tell whether a document would have grown beyond what the server keeps."""
    if isinstance(error, DocumentTooLarge):  # the driver saw it before the server did
        return True
    if not isinstance(error, OperationFailure):
        return False
    # An insert says so with a code that stands for many things.
    said = _BAD_VALUE in _codes(error) and "too large" in str(error)
    return said or bool(_codes(error) & _TOO_LARGE)


def _codes(error: OperationFailure) -> set[int | None]:
    """Return an error's code, or those of the writes that failed among many."""
    writes = (error.details or {}).get("writeErrors", ())
    return {error.code, *(one.get("code") for one in writes)}


def closed(operation: str) -> StoreClosedError:
    """Return the error of a call after `close`."""
    return StoreClosedError(
        "the engine is closed: open it again", engine=ENGINE, operation=operation
    )


def bad_url() -> ConfigError:
    """Return the error of a URL that is not for this driver; it may hold a password."""
    return ConfigError("mongodb: the driver does not accept the URL or one of its options")


@contextmanager
def map_errors(operation: str) -> Iterator[None]:
    """Turn what the driver raises into a `DaybookError`."""
    try:
        yield
    except (PyMongoError, BSONError) as exc:
        # Not "from exc": a traceback would show the documents that the driver quotes.
        raise _translate(exc, operation) from None


def _translate(error: Exception, operation: str) -> DaybookError:
    if isinstance(error, InvalidOperation) and "after close" in str(error):
        return closed(operation)
    if isinstance(error, ConfigurationError):
        return bad_url()
    if is_too_large(error):
        return InvalidInputError(
            f"{operation}: it takes more than the 16 MB of a MongoDB document; nothing was stored"
        )
    text, kind = _describe(error)
    return kind(text, engine=ENGINE, operation=operation)


def _describe(error: Exception) -> tuple[str, type[StoreError]]:
    code = error.code if isinstance(error, OperationFailure) else None
    if code in _FULL and (code != _ATLAS or "space" in str(error)):
        return "no room is left where the server keeps its data", StoreFullError
    if code in _DENIED:
        return "the server refuses this user: check name, password and roles", StoreError
    if _is_timeout(error) or code in _TIMED_OUT:
        return (
            "no answer in time: it may or may not have been done; repeat the call",
            StoreTimeoutError,
        )
    if _is_passing(error) or code in _BUSY:
        return (
            f"the server cannot be reached or changes its primary ({type(error).__name__}); retry",
            StoreUnavailableError,
        )
    if isinstance(error, BSONError):
        return f"a stored document cannot be decoded ({type(error).__name__})", StoreError
    reason = type(error).__name__ if code is None else f"{type(error).__name__}, code {code}"
    return f"the server refused the command ({reason})", StoreError


def _is_timeout(error: Exception) -> bool:
    kinds = (NetworkTimeout, ExecutionTimeout, WTimeoutError, WaitQueueTimeoutError)
    return isinstance(error, kinds)


def _is_passing(error: Exception) -> bool:
    if isinstance(error, ConnectionFailure):
        return True
    labels = ("TransientTransactionError", "RetryableWriteError")
    return isinstance(error, PyMongoError) and any(map(error.has_error_label, labels))
