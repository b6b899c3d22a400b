"""Recently searched scopes, held in memory within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from daybook.model.index_document import Collection

__all__ = ["ColumnCache", "ScopeName"]

# Tenant, user, collection.
ScopeName = tuple[str, str, Collection]

S = TypeVar("S")


class ColumnCache(Generic[S]):
    """What an index holds of each scope; the least recently searched leave first.

    Thread-safe; what it holds has to look after itself. A scope that has left is still whole in
    the hands of whoever uses it.
    """

    def __init__(self, budget_bytes: int, make: Callable[[ScopeName], S]) -> None:
        """Start empty.

        Args:
            budget_bytes: How much all scopes together may take; the latest one stays anyway.
            make: Makes what is held of a scope that is not held yet.
        """
        self._budget = budget_bytes
        self._make = make
        self._lock = Lock()
        self._held: OrderedDict[ScopeName, S] = OrderedDict()
        self._sizes: dict[ScopeName, int] = {}
        self._total = 0

    @property
    def total_bytes(self) -> int:
        """Bytes of all scopes, as last reported."""
        return self._total

    def scope(self, name: ScopeName) -> S:
        """Return what is held of a scope, and count it as used now."""
        with self._lock:
            held = self._held.get(name)
            if held is None:
                held = self._held[name] = self._make(name)
            self._held.move_to_end(name)
            return held

    def report(self, name: ScopeName, held: S, size: int) -> None:
        """Note what a scope takes now; others leave if the budget is spent.

        Cost: that of the scopes that leave; nothing is counted again.
        """
        with self._lock:
            if self._held.get(name) is not held:
                return
            self._total += size - self._sizes.get(name, 0)
            self._sizes[name] = size
            while self._total > self._budget and len(self._held) > 1:
                oldest = next(iter(self._held))
                if oldest == name:
                    self._held.move_to_end(oldest)
                    continue
                del self._held[oldest]
                self._total -= self._sizes.pop(oldest, 0)
