"""`Daybook`: the same names and arguments as `AsyncDaybook`, for code that is not async.

Every method runs its async twin on one loop thread and waits; the texts stand there. A parity
test keeps the signatures equal.
"""

from __future__ import annotations

import atexit
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from daybook.client import AsyncDaybook, EmbedderChoice
from daybook.facets.context import ContextBuilder
from daybook.facets.history import History
from daybook.facets.recall import Recall, RecallState
from daybook.facets.records import Records, RecordWrite
from daybook.facets.sessions import Sessions
from daybook.loop_thread import LoopThread
from daybook.model.branch import Branch, BranchDiff
from daybook.model.capabilities import EngineCapabilities
from daybook.model.context import Context
from daybook.model.entry import HistoryEntry, Receipt
from daybook.model.export_format import ExportFormat
from daybook.model.hit import Hit
from daybook.model.memory_record import MemoryRecord, Namespace, Provenance, RecordHit
from daybook.model.message import Message
from daybook.model.scope import DEFAULT_TENANT
from daybook.model.session import Grant, GrantRole, Page, Session, SessionStats
from daybook.protocols.clock import Clock, IdFactory
from daybook.protocols.token_counter import TokenCounter

__all__ = [
    "BlockingContextBuilder",
    "BlockingHistory",
    "BlockingRecall",
    "BlockingRecords",
    "BlockingSessions",
    "Daybook",
]

# `list` is a method below, so the types that need the builtin are named here.
_Messages = list[Message]
_Entries = list[HistoryEntry]
_Sessions = list[Session]
_Grants = list[Grant]
_Hits = list[Hit]
_MemoryRecords = list[MemoryRecord]
_RecordHits = list[RecordHit]
_Namespaces = list[Namespace]


class BlockingSessions:
    """Blocking twin of `Sessions`."""

    def __init__(self, facet: Sessions, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def create(
        self,
        *,
        user_id: str,
        session_id: str | None = None,
        conversation_id: str | None = None,
        title: str | None = None,
        metadata: dict[str, Any] | None = None,
        ttl: timedelta | None = None,
        max_messages: int | None = None,
    ) -> Session:
        """See `Sessions.create`."""
        return self._run(
            self._facet.create(
                user_id=user_id,
                session_id=session_id,
                conversation_id=conversation_id,
                title=title,
                metadata=metadata,
                ttl=ttl,
                max_messages=max_messages,
            )
        )

    def id_of(self, *, user_id: str, conversation_id: str) -> str:
        """See `Sessions.id_of`."""
        return self._run(self._facet.id_of(user_id=user_id, conversation_id=conversation_id))

    def get(
        self,
        session_id: str | None = None,
        *,
        user_id: str | None = None,
        conversation_id: str | None = None,
    ) -> Session | None:
        """See `Sessions.get`."""
        return self._run(
            self._facet.get(session_id, user_id=user_id, conversation_id=conversation_id)
        )

    def list(
        self, *, user_id: str | None = None, limit: int = 100, cursor: str | None = None
    ) -> Page[Session]:
        """See `Sessions.list`."""
        return self._run(self._facet.list(user_id=user_id, limit=limit, cursor=cursor))

    def update(
        self,
        session_id: str,
        *,
        user_id: str | None = None,
        title: Any = ...,
        metadata: Any = ...,
        ttl: Any = ...,
        max_messages: Any = ...,
    ) -> Session:
        """See `Sessions.update`."""
        return self._run(
            self._facet.update(
                session_id,
                user_id=user_id,
                title=title,
                metadata=metadata,
                ttl=ttl,
                max_messages=max_messages,
            )
        )

    def touch(self, session_id: str, *, user_id: str | None = None) -> Session:
        """See `Sessions.touch`."""
        return self._run(self._facet.touch(session_id, user_id=user_id))

    def delete(self, session_id: str, *, user_id: str | None = None) -> bool:
        """See `Sessions.delete`."""
        return self._run(self._facet.delete(session_id, user_id=user_id))

    def stats(self, session_id: str | None = None, *, user_id: str | None = None) -> SessionStats:
        """See `Sessions.stats`."""
        return self._run(self._facet.stats(session_id, user_id=user_id))

    def expire_idle(self) -> int:
        """See `Sessions.expire_idle`."""
        return self._run(self._facet.expire_idle())

    def fork(
        self,
        session_id: str,
        *,
        at: int | None = None,
        user_id: str | None = None,
        new_session_id: str | None = None,
        title: str | None = None,
        metadata: dict[str, Any] | None = None,
        ttl: timedelta | None = None,
        max_messages: int | None = None,
    ) -> Session:
        """See `Sessions.fork`."""
        return self._run(
            self._facet.fork(
                session_id,
                at=at,
                user_id=user_id,
                new_session_id=new_session_id,
                title=title,
                metadata=metadata,
                ttl=ttl,
                max_messages=max_messages,
            )
        )

    def branches(self, session_id: str, *, user_id: str | None = None) -> Branch:
        """See `Sessions.branches`."""
        return self._run(self._facet.branches(session_id, user_id=user_id))

    def diff(self, session_id: str, other_id: str, *, user_id: str | None = None) -> BranchDiff:
        """See `Sessions.diff`."""
        return self._run(self._facet.diff(session_id, other_id, user_id=user_id))

    def merge(self, session_id: str, *, into: str, user_id: str | None = None) -> Receipt | None:
        """See `Sessions.merge`."""
        return self._run(self._facet.merge(session_id, into=into, user_id=user_id))

    def share(
        self,
        session_id: str,
        with_user: str,
        *,
        role: GrantRole = "reader",
        expires_at: datetime | None = None,
        user_id: str | None = None,
    ) -> Grant:
        """See `Sessions.share`."""
        return self._run(
            self._facet.share(
                session_id, with_user, role=role, expires_at=expires_at, user_id=user_id
            )
        )

    def revoke(self, session_id: str, from_user: str, *, user_id: str | None = None) -> bool:
        """See `Sessions.revoke`."""
        return self._run(self._facet.revoke(session_id, from_user, user_id=user_id))

    def grants(self, session_id: str, *, user_id: str | None = None) -> _Grants:
        """See `Sessions.grants`."""
        return self._run(self._facet.grants(session_id, user_id=user_id))

    def shared_with(self, user_id: str, *, limit: int = 100) -> _Sessions:
        """See `Sessions.shared_with`."""
        return self._run(self._facet.shared_with(user_id, limit=limit))

    def export(
        self,
        session_id: str,
        *,
        format: ExportFormat = "json",  # noqa: A002 - the field's own word
        user_id: str | None = None,
    ) -> str:
        """See `Sessions.export`."""
        return self._run(self._facet.export(session_id, format=format, user_id=user_id))

    def import_(self, exported: str | bytes, *, user_id: str | None = None) -> Session:
        """See `Sessions.import_`."""
        return self._run(self._facet.import_(exported, user_id=user_id))


class BlockingHistory:
    """Blocking twin of `History`."""

    def __init__(self, facet: History, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def append(
        self,
        session_id: str,
        messages: Message | Sequence[Message],
        *,
        user_id: str | None = None,
    ) -> Receipt:
        """See `History.append`."""
        return self._run(self._facet.append(session_id, messages, user_id=user_id))

    def list(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        after: int = 0,
        before: int | None = None,
        user_id: str | None = None,
        hidden: bool = False,
    ) -> _Messages:
        """See `History.list`."""
        return self._run(
            self._facet.list(
                session_id, limit=limit, after=after, before=before, user_id=user_id, hidden=hidden
            )
        )

    def entries(
        self,
        session_id: str,
        *,
        limit: int | None = None,
        after: int = 0,
        before: int | None = None,
        user_id: str | None = None,
        hidden: bool = False,
    ) -> _Entries:
        """See `History.entries`."""
        return self._run(
            self._facet.entries(
                session_id, limit=limit, after=after, before=before, user_id=user_id, hidden=hidden
            )
        )

    def clear(self, session_id: str, *, user_id: str | None = None) -> int:
        """See `History.clear`."""
        return self._run(self._facet.clear(session_id, user_id=user_id))


class BlockingRecall:
    """Blocking twin of `Recall`."""

    def __init__(self, facet: Recall, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def search(
        self,
        query: str,
        *,
        user_id: str,
        session_id: str | Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 10,
        neighbours: int = 1,
        read_your_writes: bool = True,
    ) -> _Hits:
        """See `Recall.search`."""
        return self._run(
            self._facet.search(
                query,
                user_id=user_id,
                session_id=session_id,
                since=since,
                until=until,
                limit=limit,
                neighbours=neighbours,
                read_your_writes=read_your_writes,
            )
        )

    def index(self, session_id: str, *, user_id: str | None = None) -> int:
        """See `Recall.index`."""
        return self._run(self._facet.index(session_id, user_id=user_id))

    def reindex(
        self, *, user_id: str | None = None, on_progress: Callable[[int, int], None] | None = None
    ) -> int:
        """See `Recall.reindex`."""
        return self._run(self._facet.reindex(user_id=user_id, on_progress=on_progress))

    def is_lost(self) -> bool:
        """See `Recall.is_lost`."""
        return self._run(self._facet.is_lost())

    def flush(self, *, user_id: str | None = None) -> None:
        """See `Recall.flush`."""
        self._run(self._facet.flush(user_id=user_id))

    def state(self, *, user_id: str | None = None) -> RecallState:
        """See `Recall.state`."""
        return self._run(self._facet.state(user_id=user_id))


class BlockingContextBuilder:
    """Blocking twin of `ContextBuilder`."""

    def __init__(self, facet: ContextBuilder, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def build(
        self,
        session_id: str,
        *,
        max_tokens: int | None,
        query: str | None = None,
        user_id: str | None = None,
        recall_share: float = 0.25,
        recall_limit: int = 20,
    ) -> Context:
        """See `ContextBuilder.build`."""
        return self._run(
            self._facet.build(
                session_id,
                max_tokens=max_tokens,
                query=query,
                user_id=user_id,
                recall_share=recall_share,
                recall_limit=recall_limit,
            )
        )


class BlockingRecords:
    """Blocking twin of `Records`."""

    def __init__(self, facet: Records, loop: LoopThread) -> None:
        self._facet = facet
        self._run = loop.run

    def put(
        self,
        namespace: Sequence[str],
        key: str,
        value: dict[str, Any],
        *,
        ttl: timedelta | None = None,
        provenance: Provenance | None = None,
        expected_version: int | None = None,
    ) -> MemoryRecord:
        """See `Records.put`."""
        return self._run(
            self._facet.put(
                namespace,
                key,
                value,
                ttl=ttl,
                provenance=provenance,
                expected_version=expected_version,
            )
        )

    def put_many(self, writes: Sequence[RecordWrite]) -> _MemoryRecords:
        """See `Records.put_many`."""
        return self._run(self._facet.put_many(writes))

    def get(self, namespace: Sequence[str], key: str) -> MemoryRecord | None:
        """See `Records.get`."""
        return self._run(self._facet.get(namespace, key))

    def delete(self, namespace: Sequence[str], key: str) -> bool:
        """See `Records.delete`."""
        return self._run(self._facet.delete(namespace, key))

    def list(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own word
        limit: int = 100,
        offset: int = 0,
    ) -> _MemoryRecords:
        """See `Records.list`."""
        return self._run(
            self._facet.list(namespace_prefix, filter=filter, limit=limit, offset=offset)
        )

    def search(
        self,
        namespace_prefix: Sequence[str] = (),
        *,
        query: str | None = None,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - the field's own word
        limit: int = 10,
        offset: int = 0,
    ) -> _RecordHits:
        """See `Records.search`."""
        return self._run(
            self._facet.search(
                namespace_prefix, query=query, filter=filter, limit=limit, offset=offset
            )
        )

    def namespaces(
        self,
        prefix: Sequence[str] = (),
        *,
        max_depth: int | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> _Namespaces:
        """See `Records.namespaces`."""
        return self._run(
            self._facet.namespaces(prefix, max_depth=max_depth, limit=limit, offset=offset)
        )

    def versions(self, namespace: Sequence[str], key: str, *, limit: int = 100) -> _MemoryRecords:
        """See `Records.versions`."""
        return self._run(self._facet.versions(namespace, key, limit=limit))

    def reindex(self) -> int:
        """See `Records.reindex`."""
        return self._run(self._facet.reindex())

    def expire(self) -> int:
        """See `Records.expire`."""
        return self._run(self._facet.expire())


class Daybook:
    """A memory for conversations, for code that is not async; see `AsyncDaybook`.

    One object serves any number of threads. Each call costs one hop to the loop thread, some tens
    of microseconds.

    Attributes:
        sessions: Conversations, their owners, their lives.
        history: What was said, in order.
        context: What to send to a model.
        recall: Finds what was said, and shows where.
        records: Values under a namespace and a key.
    """

    def __init__(self, book: AsyncDaybook, loop: LoopThread) -> None:
        """Wrap an opened daybook; callers use `open`."""
        self._book = book
        self._loop = loop
        self.sessions = BlockingSessions(book.sessions, loop)
        self.history = BlockingHistory(book.history, loop)
        self.context = BlockingContextBuilder(book.context, loop)
        self.recall = BlockingRecall(book.recall, loop)
        self.records = BlockingRecords(book.records, loop)
        _open_books.add(self)

    @classmethod
    def open(
        cls,
        url: str,
        *,
        index: str | None = None,
        embedder: EmbedderChoice = ...,
        tenant: str = DEFAULT_TENANT,
        clock: Clock | None = None,
        id_factory: IdFactory | None = None,
        token_counter: TokenCounter | None = None,
        background: bool = True,
    ) -> Daybook:
        """Open a daybook; see `AsyncDaybook.open` for the arguments."""
        opening = AsyncDaybook.open(
            url,
            index=index,
            embedder=embedder,
            tenant=tenant,
            clock=clock,
            id_factory=id_factory,
            token_counter=token_counter,
            background=background,
        )
        loop = LoopThread("daybook-loop")
        try:
            book = loop.run(_resolve(opening))
        except BaseException:
            loop.close()
            raise
        return cls(book, loop)

    @property
    def capabilities(self) -> EngineCapabilities:
        """What the opened engine promises: durability, order, expiry."""
        return self._book.capabilities

    def close(self) -> None:
        """Finish what is in flight and release everything. Repeatable."""
        if self in _open_books:
            _open_books.discard(self)
            self._loop.run(self._book.close())
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _resolve(opening: Any) -> AsyncDaybook:
    book: AsyncDaybook = await opening
    return book


_open_books: weakref.WeakSet[Daybook] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for book in list(_open_books):
        book.close()
