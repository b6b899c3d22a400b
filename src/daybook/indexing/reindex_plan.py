"""How a run that indexes everything anew begins and ends: one process cuts it into shares.

A run belongs to one index, one embedder and one version of Daybook. A mark in the index itself says
that it is that index: where the index was lost, or the store was copied or moved to another index,
the mark is not there, and the run is not gone on with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Protocol

from msgspec.structs import replace

from daybook._version import __version__
from daybook.indexing.reindex_state import Item, Reached, RunHead, Share
from daybook.indexing.reindex_store import ReindexStore
from daybook.indexing.worker_name import has_died
from daybook.model.scope import Scope, internal_tenant
from daybook.protocols.clock import Clock
from daybook.protocols.search_index import SearchIndex

__all__ = ["LEASE", "Job", "ReindexPlan"]

LEASE = timedelta(seconds=60)
_LOOK_S = 0.2
_PARTS = 256  # a run is cut into about so many shares, none smaller or larger than this:
_LEAST, _MOST = 500, 20_000  # messages
_MOST_ITEMS = 1_000
_SIGN_EVERY = 20  # shares
_MARK = 1

OnChunk = Callable[[Reached, int], Awaitable[None]]


class Job(Protocol):
    """What there is to index anew.

    Attributes:
        scope: Whose.
        batch: So many items are done at once.
    """

    scope: Scope
    batch: int

    async def items(self) -> list[tuple[Item, int]]:
        """Return everything there is, each with its weight."""
        ...

    async def sweep(self, known: Sequence[Item]) -> None:
        """Take out of the index what is there and is not among what is known."""
        ...

    async def rebuild(self, items: Sequence[Item], start: Reached, on_chunk: OnChunk) -> int:
        """Index a batch anew, from a place on; return its weight."""
        ...


class ReindexPlan:
    """Begins runs of one kind, finds the one that is on its way, and ends it."""

    def __init__(
        self, store: ReindexStore, index: SearchIndex, job: Job, *, kind: str, clock: Clock
    ) -> None:
        self._store = store
        self._index = index
        self._job = job
        self._clock = clock
        # Apart from all users: no search looks there.
        self._marks = Scope(internal_tenant(job.scope.tenant), f"reindex {kind}")

    async def begin(
        self, run_id: str, *, worker: str, embedder: str, fresh: bool
    ) -> tuple[RunHead, bool]:
        """Return the run to work on, and whether it was there already.

        Args:
            run_id: Id of a new one, if there is to be one.
            worker: Who asks.
            embedder: Id of the embedder in use.
            fresh: Begin a new one whatever there is.
        """
        new = RunHead(
            id=run_id,
            code=__version__,
            embedder=embedder,
            stage="planning",
            holder=worker,
            until=self._clock.now() + LEASE,
        )
        waited_for: RunHead | None = None
        while True:
            found = await self._store.head()
            head = None if found is None else found.value
            if found is None and waited_for is not None:
                return replace(waited_for, stage="finishing"), True  # it was quicker than we look
            if head is not None and not fresh and await self._is_ours(head, embedder):
                if head.stage != "planning":
                    return head, True
                if head.until > self._clock.now() and not has_died(head.holder):
                    waited_for = head  # another process cuts the shares
                    await asyncio.sleep(_LOOK_S)
                    continue
            version = 0 if found is None else found.version
            written = await self._store.write_head(
                replace(new, until=self._clock.now() + LEASE), version
            )
            if written is None:
                continue  # another process was quicker
            if head is not None:
                await self._clear(head.id)
            planned = await self._cut(new, written.version)
            if planned is not None:
                return planned, False
            fresh = False  # somebody began anew meanwhile: work with that

    async def current(self) -> RunHead | None:
        """Return the run that is on its way; None if none is, or it is another version's."""
        found = await self._store.head()
        return None if found is None else found.value

    async def end(self, run: RunHead) -> None:
        """Leave nothing of a run whose shares are all done. Repeatable, by any number at once."""
        found = await self._store.head()
        if found is None or found.value is None or found.value.id != run.id:
            return
        head = replace(found.value, stage="finishing")
        # A process that ends here leaves a head from which the next one knows that all is done.
        ending = await self._store.write_head(head, found.version)
        if ending is not None:
            await self._store.forget(run.id)
            await self._index.erase(self._marks, "turns")
            await self._store.write_head(ending.value, ending.version, over=True)

    async def _is_ours(self, head: RunHead, embedder: str) -> bool:
        """Tell whether a run can be gone on with here."""
        if head.code != __version__ or head.embedder != embedder:
            return False
        if head.stage == "working":
            return await self._index.watermark(self._marks, "turns", head.id) == _MARK
        return True

    async def _cut(self, new: RunHead, version: int) -> RunHead | None:
        """Write the shares of a new run; None if another one was begun meanwhile."""
        items = await self._job.items()
        was_empty = not (await self._index.state(self._job.scope)).documents
        number, kept = 0, version
        for share in _shares(items):
            if number % _SIGN_EVERY == 0 and not (kept := await self._sign(new, kept)):
                break
            await self._store.write_share(new.id, number, Share(share))
            number += 1
        if kept:
            await self._job.sweep([item for item, _ in items])
            await self._index.put(self._marks, "turns", [], watermarks=[(new.id, _MARK)])
        head = replace(
            new,
            stage="working",
            total=len(items),
            weight=sum(weight for _, weight in items),
            shares=number,
            was_empty=was_empty,
        )
        if not kept or await self._store.write_head(head, kept) is None:
            await self._clear(new.id)
            return None
        return head

    async def _sign(self, new: RunHead, version: int) -> int:
        """Show that shares are still being cut; return the head's version, 0 if it was replaced."""
        signed = await self._store.write_head(
            replace(new, until=self._clock.now() + LEASE), version
        )
        return 0 if signed is None else signed.version

    async def _clear(self, run_id: str) -> None:
        await self._store.forget(run_id)
        await self._index.delete(self._marks, "turns", run_id)


def _shares(items: Sequence[tuple[Item, int]]) -> Iterator[tuple[Item, ...]]:
    """Cut items into parts of about the same weight."""
    target = min(max(sum(weight for _, weight in items) // _PARTS, _LEAST), _MOST)
    part: list[Item] = []
    heavy = 0
    for item, weight in items:
        part.append(item)
        heavy += weight
        if heavy >= target or len(part) == _MOST_ITEMS:
            yield tuple(part)
            part, heavy = [], 0
    if part:
        yield tuple(part)
