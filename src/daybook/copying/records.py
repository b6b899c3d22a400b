"""The records of one tenant from store to store, with all their versions."""

from __future__ import annotations

from collections.abc import AsyncIterator

from daybook.copying.checksums import of_history
from daybook.model.memory_record import MemoryRecord, Namespace
from daybook.model.namespace import decode_namespace
from daybook.model.scope import Scope
from daybook.protocols.record_store import RecordStore

__all__ = ["RecordCopier"]

_PAGE = 500
_ALL = 1_000_000_000


class RecordCopier:
    """Copies the records of one tenant from one store to another."""

    def __init__(self, source: RecordStore, target: RecordStore, tenant: str) -> None:
        self._source = source
        self._target = target
        self._scope = Scope(tenant)

    async def keys(self) -> AsyncIterator[tuple[Namespace, str]]:
        """Yield every live key of the source; one written meanwhile may come twice."""
        offset = 0
        while True:
            page = await self._source.namespaces(self._scope, (), limit=_PAGE, offset=offset)
            for namespace in page:
                for key in await self._keys_of(namespace):
                    yield namespace, key
            if len(page) < _PAGE:
                return
            offset += _PAGE

    async def _keys_of(self, namespace: Namespace) -> list[str]:
        found = await self._source.list(self._scope, namespace, limit=_ALL)
        return [record.key for record in found if record.namespace == namespace]

    async def copy(self, namespace: Namespace, key: str) -> tuple[bool, bytes] | None:
        """Bring a key there up to the source's.

        Returns:
            Whether it was written, and its checksum; None if it ended meanwhile.
        """
        ours = await self._history(self._source, namespace, key)
        if not ours:
            return None
        checksum = of_history(ours)
        if of_history(await self._history(self._target, namespace, key)) == checksum:
            return False, checksum
        await self._target.restore(self._scope, [ours])
        return True, checksum

    async def matches(self, namespace: Namespace, key: str, checksum: bytes) -> bool:
        """Tell whether the destination's versions of a key have this checksum."""
        return of_history(await self._history(self._target, namespace, key)) == checksum

    async def remove(self, encoded_namespace: str, key: str) -> None:
        """Remove a key there that is gone from the source."""
        place = (decode_namespace(encoded_namespace), key)
        if (await self._source.get(self._scope, [place]))[0] is None:
            await self._target.delete(self._scope, [place])

    async def _history(
        self, store: RecordStore, namespace: Namespace, key: str
    ) -> list[MemoryRecord]:
        return (await store.versions(self._scope, namespace, key, limit=_ALL))[::-1]
