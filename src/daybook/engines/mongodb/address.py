"""From a URL to the driver's settings. Pure."""

from __future__ import annotations

from urllib.parse import unquote, urlencode

from msgspec import Struct

from daybook.errors import ConfigError
from daybook.registry import EngineUrl

__all__ = ["Address", "read_address"]

_DEFAULT_DATABASE = "daybook"
_DEFAULT_TIMEOUT_S = 10.0
# What decides whether an acknowledged message stays is set by the engine, not by a URL.
_FIXED = {
    "w": {"majority"},
    "journal": {"true"},
    "retrywrites": {"true"},
    "readpreference": {"primary"},
    "readconcernlevel": {"majority"},
}
_TIMES = {
    *("timeoutms", "wtimeoutms", "serverselectiontimeoutms", "connecttimeoutms"),
    *("sockettimeoutms", "waitqueuetimeoutms"),
}
_POOL = {"maxpoolsize", "maxconnecting"}


class Address(Struct, frozen=True):
    """Where the data are.

    Attributes:
        url: For the driver.
        database: Its name.
        timeout_s: How long a call may take.
    """

    url: str
    database: str
    timeout_s: float


def read_address(url: EngineUrl) -> Address:
    """Read ``mongodb://[user:password@]host[:port],…/database?replicaSet=rs0&timeout_s=10``.

    Raises:
        ConfigError: No host, a bad name or number, or an option that Daybook decides itself. The
            URL, which may hold a password, is not shown.
    """
    hosts, _, path = url.address.partition("/")
    if not hosts:
        raise ConfigError("mongodb needs a host: mongodb://127.0.0.1:27017/daybook?replicaSet=rs0")
    database = unquote(path) or _DEFAULT_DATABASE
    if set(database) & set('/\\. "$*<>:|?\x00'):
        raise ConfigError("mongodb: a database's name is made of letters, digits, - and _")
    options = dict(url.options)
    timeout_s = _seconds(options.pop("timeout_s", None))
    for name, value in url.options.items():
        _check_option(name.lower(), value.lower())
    query = f"?{urlencode(options)}" if options else ""
    return Address(f"{url.scheme}://{hosts}/{query}", database, timeout_s)


def _seconds(text: str | None) -> float:
    try:
        seconds = _DEFAULT_TIMEOUT_S if text is None else float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds < 1e6:  # noqa: PLR2004 - two weeks; also keeps out nan and inf
        raise ConfigError("mongodb: timeout_s must be a number of seconds above 0")
    return seconds


def _check_option(name: str, value: str) -> None:
    if name in _TIMES:
        raise ConfigError(f"mongodb: leave {name} out and set timeout_s, in seconds")
    if name in _POOL:
        raise ConfigError(f"mongodb: leave {name} out: Daybook opens what its calls need, up to 64")
    if value not in _FIXED.get(name, {value}):
        raise ConfigError(
            f"mongodb: leave {name} out: Daybook acknowledges what a majority of the servers has "
            "journaled, and reads from the primary"
        )
