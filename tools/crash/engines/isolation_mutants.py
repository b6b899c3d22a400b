"""Stores that forget in one method to ask whose data they touch: the matrix must convict each."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Literal

from daybook.protocols.message_log import MessageLog
from daybook.protocols.record_store import RecordStore
from daybook.protocols.search_index import SearchIndex
from daybook.registry import Engine
from daybook.testing.broken_doubles import BrokenEngine
from tools.crash.engines.isolation_world import TENANTS, USERS

__all__ = ["MUTANTS", "Forgotten", "with_mutant"]

Forgotten = Literal["tenant", "user"]
_STORES: dict[str, type[Any]] = {"log": MessageLog, "records": RecordStore, "index": SearchIndex}

# Where a second wall stands: no call through a daybook can tell that the first one is gone. The
# conformance kit looks at these methods themselves.
_WALLED = {
    ("log", "fork_session", "user"),  # the session was looked up for the user before
    ("log", "pending"),  # says what is to be indexed, each with its own owner
    ("records", "delete_namespace"),  # no facet calls it
    ("records", "restore"),  # no facet calls it
    ("index", "delete"),  # what the index names is read from the log with the caller's scope
    ("index", "erase"),
    ("index", "put"),
    ("index", "speakers"),
    ("index", "state"),  # a count
}


class _Forgetful:
    """A store that asks in one method for anybody's data; others answer first."""

    def __init__(self, inner: Any, method: str, forgotten: Forgotten) -> None:
        self._inner = inner
        self._method = method
        self._forgotten = forgotten

    def __getattr__(self, name: str) -> Any:
        """Hand on; in the one method ask everybody until somebody has something."""
        sound = getattr(self._inner, name)
        if name != self._method:
            return sound

        async def ask(*args: Any, **named: Any) -> Any:
            result = None
            for given, others in _askings(args, named, self._forgotten):
                result = await sound(*given, **others)
                if _holds(result):
                    return result
            return result

        return ask


def _askings(
    args: tuple[Any, ...], named: dict[str, Any], forgotten: Forgotten
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield the arguments of a call with the scope of each who may be meant, its own last."""
    scope = named.get("scope", args[0] if args else None)
    if scope is None:
        yield args, named
        return
    tenants = [scope.tenant]
    if forgotten == "tenant" and scope.tenant in TENANTS:
        tenants = [*(one for one in TENANTS if one != scope.tenant), scope.tenant]
    users = [scope.user_id]
    if forgotten == "user" and scope.user_id is not None:
        users = [*(one for one in USERS if one != scope.user_id), scope.user_id]
    for tenant in tenants:
        for user in users:
            one = type(scope)(tenant, user)
            if "scope" in named:
                yield args, {**named, "scope": one}
            else:
                yield (one, *args[1:]), named


def _holds(result: Any) -> bool:
    """Tell whether a store found anything."""
    if isinstance(result, list):
        return any(one is not None for one in result)
    return bool(getattr(result, "items", result))


def _mutants() -> Iterator[tuple[str, str, Forgotten]]:
    for store, protocol in _STORES.items():
        for name, method in inspect.getmembers(protocol, inspect.isfunction):
            if "scope" not in inspect.signature(method).parameters:
                continue
            kinds: tuple[Forgotten, ...] = ("tenant", "user")
            for forgotten in kinds:
                if forgotten == "user" and store == "records":
                    continue  # callers name the owner of a record; a scope's user is never set
                if not {(store, name), (store, name, forgotten)} & _WALLED:
                    yield store, name, forgotten


MUTANTS = list(_mutants())
"""Store, method, what it forgets."""


def with_mutant(sound: Engine, store: str, method: str, forgotten: Forgotten) -> Engine:
    """Wrap one store of an engine."""
    parts: dict[str, Any] = {"log": sound.log, "records": sound.records, "index": sound.index}
    parts[store] = _Forgetful(parts[store], method, forgotten)
    return BrokenEngine(sound, **parts)
