"""Speakers' names as the last search of each scope saw them: saves every search a trip."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from daybook.enginekit.column_cache import ScopeName
from daybook.model.index_document import IndexDocument

__all__ = ["KnownSpeakers"]

_MOST_SCOPES = 10_000


class KnownSpeakers:
    """Remembers names until a write of this process may have changed them.

    A name that another process brings is known from the second search on. Thread-safe.
    """

    def __init__(self) -> None:
        """Know none."""
        self._names: dict[ScopeName, list[str]] = {}
        self._changes = 0
        self._lock = Lock()

    @property
    def changes(self) -> int:
        """How often names were forgotten: asked for before a scope is read, given to `note`."""
        return self._changes

    def get(self, name: ScopeName) -> list[str] | None:
        """Return a scope's names; None if they are not known."""
        return self._names.get(name)

    def note(self, name: ScopeName, speakers: list[str], changes: int) -> None:
        """Remember names, unless what they were read from may be older than the last change."""
        with self._lock:
            if changes == self._changes:
                if len(self._names) >= _MOST_SCOPES:
                    self._names.clear()
                self._names[name] = speakers

    def forget(self, *names: ScopeName) -> None:
        """Forget scopes: a write ended, or was cut short, that may have changed their names."""
        with self._lock:
            self._changes += 1
            for name in names:
                self._names.pop(name, None)

    def written(self, name: ScopeName, documents: Iterable[IndexDocument]) -> None:
        """Forget a scope to which documents of speakers were written whom nobody knew."""
        known = self._names.get(name, [])
        if any(one.speaker and one.speaker not in known for one in documents):
            self.forget(name)
