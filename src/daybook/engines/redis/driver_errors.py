"""The one place where redis-py's exceptions become Daybook's."""

from __future__ import annotations

import redis.exceptions as driver

from daybook.errors import (
    ConfigError,
    DaybookError,
    StoreError,
    StoreFullError,
    StoreTimeoutError,
    StoreUnavailableError,
)

__all__ = ["ENGINE", "WrongReplyError", "is_drivers", "translate"]

ENGINE = "redis"

# The first word of an error reply tells what it is; the rest may hold names and is never shown.
_UNAVAILABLE = {
    "LOADING": "the server is loading its data; retry",
    "MASTERDOWN": "the server's master is down; retry",
    "CLUSTERDOWN": "the cluster does not serve this part of the data at present; retry",
    "TRYAGAIN": "the cluster is moving this part of the data; retry",
    "MOVED": "the cluster's parts are on the move; retry",
    "ASK": "the cluster's parts are on the move; retry",
    "READONLY": "this server is a replica: connect to the master, or retry after the failover",
    "NOREPLICAS": "too few replicas follow the server for it to accept writes; retry",
    "BUSY": "the server is running a long script; retry",
    "MISCONF": "the server cannot write its data to disk and refuses writes: see its log",
    "UNKILLABLE": "the server is busy; retry",
}
_REFUSED = {
    "NOAUTH": "the server wants a password: write redis://user:password@host",
    "WRONGPASS": "the user name or the password is wrong",
    "NOPERM": "the user lacks rights that Daybook needs: see the engine's page",
}
# What Redis and Valkey say of a script whose keys are in part on another node already.
_MOVING = ("non local key", "rehashing of the slot")
# And of one that runs a command its user may not, or touches a key of another prefix.
_FORBIDDEN = ("ACL failure in script", "user executing the script can't")


class WrongReplyError(Exception):
    """A reply that belongs to another call; its connection was dropped."""


def translate(error: Exception, operation: str) -> DaybookError:
    """Return the Daybook error of a driver error. Never holds a stored value."""
    if isinstance(error, WrongReplyError):
        return StoreUnavailableError(
            "a reply belonged to another call; its connection was dropped: retry",
            engine=ENGINE,
            operation=operation,
        )
    if isinstance(error, driver.ResponseError | driver.AuthenticationError):
        return _translate_reply(str(error), type(error).__name__, operation)
    if isinstance(error, driver.BusyLoadingError):
        return StoreUnavailableError(_UNAVAILABLE["LOADING"], engine=ENGINE, operation=operation)
    if isinstance(error, driver.TimeoutError):
        return StoreTimeoutError(
            "the server did not answer in time", engine=ENGINE, operation=operation
        )
    if isinstance(error, driver.ConnectionError | OSError):
        return StoreUnavailableError(
            "no connection to the server: it may or may not have done this; repeat the call",
            engine=ENGINE,
            operation=operation,
        )
    return StoreError(
        f"the driver reported {type(error).__name__}", engine=ENGINE, operation=operation
    )


def _translate_reply(text: str, name: str, operation: str) -> DaybookError:
    """Return the error of an error reply.

    redis-py takes the first word off the replies it has classes for, so their names count too.
    """
    words = {word.strip("-:.,'").upper() for word in text.split()[:4]}
    words |= {_CLASSES.get(name, "")}
    if "OOM" in words or "used memory >" in text:
        return StoreFullError(
            "the server's memory is full; nothing of this call was stored: raise maxmemory or "
            "delete something and retry",
            engine=ENGINE,
            operation=operation,
        )
    for word in words & _UNAVAILABLE.keys():
        return StoreUnavailableError(_UNAVAILABLE[word], engine=ENGINE, operation=operation)
    if any(words_of in text for words_of in _MOVING):
        return StoreUnavailableError(_UNAVAILABLE["TRYAGAIN"], engine=ENGINE, operation=operation)
    if any(words_of in text for words_of in _FORBIDDEN):
        words.add("NOPERM")
    for word in words & _REFUSED.keys():
        return ConfigError(f"redis {operation}: {_REFUSED[word]}")
    return StoreError(f"the server answered with {name}", engine=ENGINE, operation=operation)


_CLASSES = {
    "AskError": "ASK",
    "AuthenticationError": "WRONGPASS",
    "AuthenticationWrongNumberOfArgsError": "WRONGPASS",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
    "OutOfMemoryError": "OOM",
    "ReadOnlyError": "READONLY",
    "TryAgainError": "TRYAGAIN",
}


def is_drivers(error: BaseException) -> bool:
    """Tell whether an error is the driver's, to be translated."""
    return isinstance(error, driver.RedisError | WrongReplyError | OSError)
