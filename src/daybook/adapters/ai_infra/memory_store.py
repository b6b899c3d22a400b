"""`MemoryStore`: memories under a namespace and a key, as ai-infra documents it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Self

from daybook.adapters.ai_infra.backends import lazy_book, sqlite_url, url_of
from daybook.adapters.ai_infra.lazy_book import HoldsBook, Work
from daybook.adapters.ai_infra.memory_item import MemoryItem, ScoredItem, item_of, similarity
from daybook.adapters.ai_infra.scoped_memories import ScopedMemories
from daybook.adapters.opened import BookOrUrl
from daybook.client import AsyncDaybook
from daybook.errors import InvalidInputError
from daybook.model.memory_record import Namespace

__all__ = ["MemoryStore"]

_PAGE = 500
_MOST = 1_000_000

# `list` is a method below, so the types that need the builtin are named here.
_Items = list[MemoryItem]
_Found = list[ScoredItem]
_Namespaces = list[Namespace]
_Work = Work[Any]


class MemoryStore(HoldsBook, ScopedMemories):
    """Keeps memories for long and finds them by words and meaning.

    Every method has an async twin (``aput`` …). One object serves any number of threads and event
    loops; several processes may open the same file or database. Nothing is opened before first use.

    Example:
        >>> store = MemoryStore()
        >>> item = store.put(("alice", "prefs"), "language", {"value": "Python"}, ttl=86_400)
        >>> store.get(("alice", "prefs"), "language").value
        {'value': 'Python'}
        >>> [(item.key, score > 0) for item, score in store.search(("alice",), "coding in Python")]
        [('language', True)]
        >>> store.close()
    """

    def __init__(
        self,
        *,
        backend: str = "memory",
        embedding_provider: str | None = None,
        embedding_model: str | None = None,
        connection_string: str | None = None,
        path: str | None = None,
        url: BookOrUrl | None = None,
        **options: Any,
    ) -> None:
        """Choose where memories are kept.

        Args:
            backend: ``memory`` (ends with the object), ``sqlite`` or ``postgres``.
            embedding_provider: Who embeds: ``openai`` …; None for Daybook's own embedder, which
                needs no key, so that search works without one.
            embedding_model: The provider's model.
            connection_string: For ``postgres``.
            path: For ``sqlite``.
            url: In place of a backend: the URL of any engine of Daybook's, or an opened book.
            options: More arguments of `Daybook.open`: ``embedder``, ``tenant``, ``clock`` …

        Raises:
            ConfigError: The backend is unknown or what it needs is missing.
            MissingDependencyError: What the embedding provider needs is not installed.
        """
        book = lazy_book(
            url or url_of(backend, path, connection_string),
            embedding_provider,
            embedding_model,
            options,
        )
        super().__init__(book)

    @classmethod
    def sqlite(cls, path: str, **options: Any) -> Self:
        """Return a store in a file; `options` are the other arguments."""
        return cls(url=sqlite_url(path), **options)

    @classmethod
    def postgres(cls, connection_string: str, **options: Any) -> Self:
        """Return a store in PostgreSQL; `options` are the other arguments."""
        return cls(url=connection_string, **options)

    def put(
        self,
        namespace: Sequence[str],
        key: str,
        value: Mapping[str, Any],
        *,
        ttl: float | None = None,
    ) -> MemoryItem:
        """Write a memory and return it as stored.

        Args:
            namespace: Where, for example ``("user_123", "preferences")``; the first label is the
                owner. Labels are never joined: ``("a/b",)`` and ``("a", "b")`` are two places.
            key: Its name there.
            value: A JSON object.
            ttl: Seconds until it becomes unreadable, more than 0; None for never.

        Raises:
            InvalidInputError: An argument cannot be stored.

        Atomicity: one transaction; an earlier value stays readable until it is done.
        """
        item: MemoryItem = self._book.run(_put(namespace, key, value, ttl))
        return item

    async def aput(
        self,
        namespace: Sequence[str],
        key: str,
        value: Mapping[str, Any],
        *,
        ttl: float | None = None,
    ) -> MemoryItem:
        """See `put`."""
        item: MemoryItem = await self._book.arun(_put(namespace, key, value, ttl))
        return item

    def get(self, namespace: Sequence[str], key: str) -> MemoryItem | None:
        """Return a memory; None if there is none or it has expired."""
        item: MemoryItem | None = self._book.run(_get(namespace, key))
        return item

    async def aget(self, namespace: Sequence[str], key: str) -> MemoryItem | None:
        """See `get`."""
        item: MemoryItem | None = await self._book.arun(_get(namespace, key))
        return item

    def delete(self, namespace: Sequence[str], key: str) -> bool:
        """Remove a memory; tell whether it was there. Repeatable."""
        removed: bool = self._book.run(_delete(namespace, key))
        return removed

    async def adelete(self, namespace: Sequence[str], key: str) -> bool:
        """See `delete`."""
        removed: bool = await self._book.arun(_delete(namespace, key))
        return removed

    def list(self, namespace: Sequence[str], *, limit: int | None = None) -> _Items:
        """Return the memories of a namespace and below it, last updated first.

        Args:
            namespace: Leading labels; ``("a",)`` never reaches ``("ab",)``.
            limit: At most so many; None for all. Expired ones do not count.
        """
        items: _Items = self._book.run(_list(namespace, limit))
        return items

    async def alist(self, namespace: Sequence[str], *, limit: int | None = None) -> _Items:
        """See `list`."""
        items: _Items = await self._book.arun(_list(namespace, limit))
        return items

    def search(
        self,
        namespace: Sequence[str],
        query: str,
        *,
        limit: int = 10,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - as documented
    ) -> _Found:
        """Return the memories that best match a query, best first; each unpacks to item and score.

        Args:
            namespace: Leading labels, at least the owner.
            query: Text; both its words and its meaning count.
            limit: At most so many.
            filter: Conditions on the value, ``{"kind": "fact"}`` or ``{"age": {"$gte": 18}}``,
                applied before the limit.

        A score is between 0 and 1 and compares the results of one search only.
        """
        found: _Found = self._book.run(_search(namespace, query, limit, filter))
        return found

    async def asearch(
        self,
        namespace: Sequence[str],
        query: str,
        *,
        limit: int = 10,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - as documented
    ) -> _Found:
        """See `search`."""
        found: _Found = await self._book.arun(_search(namespace, query, limit, filter))
        return found

    def namespaces(self, prefix: Sequence[str] = ()) -> _Namespaces:
        """Return the namespaces that hold memories, sorted."""

        async def work(book: AsyncDaybook) -> _Namespaces:
            return await book.records.namespaces(tuple(prefix), limit=_MOST)

        return self._book.run(work)


def _put(namespace: Sequence[str], key: str, value: Mapping[str, Any], ttl: float | None) -> _Work:
    async def work(book: AsyncDaybook) -> MemoryItem:
        life = _life(ttl)
        stored = value if isinstance(value, dict) or not isinstance(value, Mapping) else {**value}
        return item_of(await book.records.put(_labels(namespace), key, stored, ttl=life))

    return work


def _get(namespace: Sequence[str], key: str) -> _Work:
    async def work(book: AsyncDaybook) -> MemoryItem | None:
        record = await book.records.get(_labels(namespace), key)
        return None if record is None else item_of(record)

    return work


def _delete(namespace: Sequence[str], key: str) -> _Work:
    async def work(book: AsyncDaybook) -> bool:
        return await book.records.delete(_labels(namespace), key)

    return work


def _list(namespace: Sequence[str], limit: int | None) -> _Work:
    async def work(book: AsyncDaybook) -> _Items:
        labels = _labels(namespace)
        wanted = _MOST if limit is None else limit
        items: _Items = []
        while len(items) < wanted:
            page = min(_PAGE, wanted - len(items))
            found = await book.records.list(labels, limit=page, offset=len(items))
            items += map(item_of, found)
            if len(found) < page:
                break
        return items

    return work


def _search(
    namespace: Sequence[str],
    query: str,
    limit: int,
    filter: Mapping[str, Any] | None,  # noqa: A002
) -> _Work:
    async def work(book: AsyncDaybook) -> _Found:
        hits = await book.records.search(
            _labels(namespace), query=query, limit=limit, filter=filter
        )
        scored = [(item_of(hit.record, similarity(hit.score))) for hit in hits]
        return [ScoredItem((item, item.score or 0.0)) for item in scored]

    return work


def _labels(namespace: Sequence[str]) -> tuple[str, ...]:
    if isinstance(namespace, str) or not isinstance(namespace, Sequence):
        raise InvalidInputError(
            'a namespace is a tuple of labels, for example ("user_123", "preferences")'
        )
    return tuple(namespace)


def _life(ttl: float | None) -> timedelta | None:
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float):
        raise InvalidInputError("ttl must be a number of seconds, or None")
    return timedelta(seconds=ttl)
