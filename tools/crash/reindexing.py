"""Kill -9 in the middle of indexing everything anew: what is found, what is left, who goes on.

A child indexes a store anew and dies before some call of its stores. `judge` compares the index
with one that was made of the log by the plainest means. Controls: a run that erases first, one that
forgets what is left over, one that always begins anew.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from daybook.client import AsyncDaybook
from daybook.engines.inmemory.search_index import InMemorySearchIndex
from daybook.indexing import reindex_plan, reindexer, reindexing
from daybook.indexing.models import Models
from daybook.indexing.query_runner import run_query
from daybook.indexing.record_indexer import RecordIndexer
from daybook.indexing.reindex_state import Item
from daybook.indexing.session_rebuild import SessionRebuild
from daybook.indexing.turn_documents import documents_of
from daybook.model.codec import decode_entry
from daybook.model.index_document import Collection
from daybook.model.message import Message
from daybook.model.namespace import encode_namespace
from daybook.model.scope import DEFAULT_TENANT, Scope, internal_tenant
from daybook.protocols.clock import SystemClock
from daybook.protocols.search_index import SearchIndex
from daybook.testing.sample_documents import document

__all__ = ["NEW", "OLD", "fill", "judge", "lost", "open_for", "run_reindex", "traces"]

OLD, NEW = "hash:32", "hash:48"  # an embedder that was changed shows what was not done
_USERS = ("ann", "ben", "cyd")
_LONG = 600  # messages of one session: more than one chunk
_WORDS = ("ferry", "bread", "tulip", "engine", "river", "lamp", "violin", "harbour", "snow", "map")
_QUERIES = ("the ferry and the bread", "river 7 map")
_COARSE = 0.03
_CALLS = ("put", "delete", "delete_namespace")

Spec = Mapping[str, Any]
Send = Callable[[str], None]


def open_for(url: str, index: str, embedder: str) -> AbstractAsyncContextManager[AsyncDaybook]:
    """Open a store with its index as it is; nothing happens in the background."""
    opening = AsyncDaybook.open(url, index=index or None, embedder=embedder, background=False)
    return opening.without_rebuilding()


async def fill(url: str, index: str, *, sessions: int = 24) -> None:
    """Write conversations and records, index them, and leave behind what is of nothing."""
    async with open_for(url, index, OLD) as book:
        for number in range(sessions):
            count = _LONG if number == 1 else 3 + number
            await book.history.append(
                f"s{number}", [_said(number, one) for one in range(count)], user_id=_user(number)
            )
        for number in range(40):
            value = {"about": f"{_WORDS[number % 10]} {_WORDS[number // 10]}"}
            await book.records.put((_user(number), "notes"), f"k{number}", value)
        await book.recall.flush()
        await _damage(_index_of(book))


def _user(number: int) -> str:
    return _USERS[number % len(_USERS)]


def _said(session: int, number: int) -> Message:
    first, second = _WORDS[(session + number) % 10], _WORDS[(session * number) % 10]
    return Message.user(f"{first} {number} and {second}", id=f"m{session}.{number}")


async def _damage(index: SearchIndex) -> None:
    """Leave documents of a session, a message and records that are not there."""
    ann = Scope(DEFAULT_TENANT, "ann")
    ghosts: tuple[tuple[Collection, str], ...] = (
        ("turns", "never"),
        ("turns", "s0"),
        ("records", '"ann","notes",'),
        ("records", '"ann","attic",'),
    )
    for collection, group in ghosts:
        position = 2 if collection == "turns" else 0
        ghost = document("ghost", "ferry", group=group, position=position, embedder="hash-1-32")
        await index.put(ann, collection, [ghost])


def _index_of(book: AsyncDaybook) -> SearchIndex:
    parts = vars(book)["_index_parts"]
    index: SearchIndex = parts[0]
    return index


async def lost(url: str, index: str) -> list[str]:
    """Return the documents that a search cannot find at this moment, whoever embedded them."""
    async with open_for(url, index, NEW) as book:
        return sorted(map(str, await _names(book) - await _held(_index_of(book))))


async def traces(url: str, index: str) -> list[str]:
    """Return what a run has left in store and index."""
    async with open_for(url, index, NEW) as book:
        store = vars(book)["_store"]
        kept = await store.list(Scope(internal_tenant("")), ("reindex",), limit=99)
        marks = await _index_of(book).groups(
            Scope(internal_tenant(DEFAULT_TENANT)), "turns", limit=99
        )
        return [*(f"record {one.key}" for one in kept), *(f"mark {one}" for _, one in marks)]


async def judge(url: str, index: str) -> list[str]:
    """Return how an index differs from one that was just made of the log; nothing if it does not.

    Compared are the documents by name, who embedded them, and the answers to some questions.
    """
    async with open_for(url, index, NEW) as book:
        mine, fresh = _index_of(book), await _reference(book)
        here, there = await _held(mine), await _held(fresh)
        found = [f"missing {one}" for one in there - here]
        found += [f"left over {one}" for one in here - there]
        tenant = Scope(DEFAULT_TENANT)
        if (await mine.state(tenant)).embedders != (await fresh.state(tenant)).embedders:
            found.append("embedded by another")
        for user in _USERS:
            for query in _QUERIES:
                for collection in ("turns", "records"):
                    one = await _answer(mine, book, user, collection, query)
                    other = await _answer(fresh, book, user, collection, query)
                    if not _alike(one, other):
                        found.append(f"another answer to {query!r} of {user}'s {collection}")
        return found


async def _names(book: AsyncDaybook) -> set[tuple[str, ...]]:
    """Return the names of the documents there should be: every message and record has one."""
    log, store = vars(book)["_log"], vars(book)["_store"]
    page = await log.list_sessions(Scope(DEFAULT_TENANT), limit=9_999)
    names = {
        ("turns", session.user_id, session.id, entry.message.id, str(entry.seq))
        for session in page.items
        for entry in map(
            decode_entry, await log.read(Scope(DEFAULT_TENANT, session.user_id), session.id)
        )
    }
    records = await store.list(Scope(DEFAULT_TENANT), (), limit=9_999)
    return names | {
        ("records", one.namespace[0], encode_namespace(one.namespace), one.key, "0")
        for one in records
    }


async def _reference(book: AsyncDaybook) -> InMemorySearchIndex:
    """Return an index of everything in the store, made by the plainest means."""
    log, models = vars(book)["_log"], vars(book)["_index_parts"][1]
    fresh = InMemorySearchIndex()
    page = await log.list_sessions(Scope(DEFAULT_TENANT), limit=9_999)
    for session in page.items:
        scope = Scope(DEFAULT_TENANT, session.user_id)
        entries = [(session.id, decode_entry(one)) for one in await log.read(scope, session.id)]
        await fresh.put(scope, "turns", await documents_of(models, entries))
    store = vars(book)["_store"]
    indexer = RecordIndexer(store, fresh, models, clock=SystemClock())
    await indexer.index(DEFAULT_TENANT, await store.list(Scope(DEFAULT_TENANT), (), limit=9_999))
    return fresh


async def _held(index: SearchIndex) -> set[tuple[str, ...]]:
    """Return the names of all documents of an index."""
    held: set[tuple[str, ...]] = set()
    collections: tuple[Collection, ...] = ("turns", "records")
    for collection in collections:
        for user, group in await index.groups(Scope(DEFAULT_TENANT), collection, limit=9_999):
            listed = await index.listed(Scope(DEFAULT_TENANT, user), collection, group)
            held |= {(collection, user, group, key, str(at)) for key, at in listed}
    return held


async def _answer(
    index: SearchIndex, book: AsyncDaybook, user: str, collection: str, query: str
) -> dict[tuple[str, str], float]:
    """Return the score of everything that a query finds."""
    models: Models = vars(book)["_index_parts"][1]
    scope = Scope(DEFAULT_TENANT, user)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ranked = await run_query(index, models, scope, collection, query, now=now, limit=9_999)  # type: ignore[arg-type] # a literal of two
    return {(one.group, one.key): one.score for one in ranked}


def _alike(one: Mapping[Any, float], other: Mapping[Any, float]) -> bool:
    """Tell whether two answers are the same; files keep vectors a little more coarsely."""
    return one.keys() == other.keys() and all(
        abs(score - other[key]) <= _COARSE for key, score in one.items()
    )


class ErasesFirst(SessionRebuild):
    """Control: forgets everything before anything is made anew."""

    async def sweep(self, known: Sequence[Item]) -> None:
        """Leave nothing."""
        del known
        for user in _USERS:
            await self._index.erase(Scope(self.scope.tenant, user), "turns")


class ForgetsLeftovers(SessionRebuild):
    """Control: overwrites what there is and looks for nothing else."""

    async def sweep(self, known: Sequence[Item]) -> None:
        """Look for nothing."""

    async def _listed(self, _seen: Any) -> list[tuple[str, int]]:
        return []


_CONTROLS: dict[str, type[SessionRebuild]] = {
    "erases": ErasesFirst,
    "forgets": ForgetsLeftovers,
}


async def run_reindex(spec: Spec, send: Send) -> None:
    """Index everything anew; with `kill_at`, die before (or with `after`, after) that call.

    A line says how many messages were indexed. Shares are small and progress is written down at
    every chance, so that a small store has many of them.
    """
    vars(reindex_plan)["_LEAST"] = 60
    vars(reindexer)["_WRITE_EVERY"] = timedelta(0)
    control = spec.get("control", "")
    if control in _CONTROLS:
        vars(reindexing)["SessionRebuild"] = _CONTROLS[control]
    async with open_for(spec["url"], spec["index"], NEW) as book:
        store = vars(book)["_store"]
        calls = _Calls(spec.get("kill_at", 0), after=bool(spec.get("after")))
        for part in (_index_of(book), store):
            for name in _CALLS:
                if hasattr(part, name):
                    vars(part)[name] = calls.counted(getattr(part, name))
        work = book.reindexing
        if work is None:
            raise AssertionError("it was opened with an index")
        parts = {"turns": work.turns(), "records": work.records()}
        for worker in parts.values():
            await worker.begin(fresh=control == "anew")
        for name, worker in parts.items():
            send(f"{name} {(await worker.work()).weight}")
        for worker in parts.values():
            await worker.end()
        send(f"calls {calls.count}")


class _Calls:
    """Counts calls of stores that write, and dies at one."""

    def __init__(self, kill_at: int, *, after: bool) -> None:
        self.count = 0
        self._kill_at = kill_at
        self._after = after

    def counted(self, call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def counting(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            dies = self.count == self._kill_at
            if dies and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = await call(*arguments, **named)
            if dies:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return counting
