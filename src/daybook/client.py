"""`AsyncDaybook`: opens the stores and wires the facets to them. It holds no logic of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from functools import cached_property
from types import EllipsisType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from daybook.config import default_embedder, default_index
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.errors import ConfigError
from daybook.facets.history import History
from daybook.facets.notes_area import NotesArea
from daybook.facets.recall import Recall
from daybook.facets.records import Records
from daybook.facets.session_access import SessionAccess
from daybook.facets.sessions import Sessions
from daybook.indexing.index_claim import claim_index, place_of
from daybook.indexing.models import Models
from daybook.indexing.record_indexer import RecordIndexer
from daybook.indexing.turn_indexer import TurnIndexer
from daybook.model.capabilities import EngineCapabilities
from daybook.model.scope import DEFAULT_TENANT, check_tenant
from daybook.protocols.clock import Clock, IdFactory, SystemClock, new_id
from daybook.protocols.embedder import Embedder
from daybook.protocols.language_model import LanguageModel
from daybook.protocols.search_index import SearchIndex
from daybook.protocols.token_counter import TokenCounter
from daybook.registry import (
    Engine,
    load_callable,
    load_embedder,
    load_token_embedder,
    open_engine,
    wrap_language_model,
)

if TYPE_CHECKING:
    from daybook.facets.calibrations import Calibrations
    from daybook.facets.context import ContextBuilder
    from daybook.facets.costs import Costs
    from daybook.facets.metered_model import MeteredModel
    from daybook.facets.turn_leases import TurnLeases
    from daybook.indexing.reindexing import Reindexing

__all__ = ["AsyncDaybook", "EmbedderChoice", "Opening"]

ModelChoice = str | LanguageModel | Callable[..., Any] | None
EmbedderChoice = str | Embedder | Callable[[Sequence[str]], Any] | EllipsisType | None


class AsyncDaybook:
    """A memory for conversations: sessions, history, context, recall and records in one place.

    Open it with ``async with AsyncDaybook.open("sqlite:///chat.db") as book``. One object serves
    any number of tasks and threads; several processes may open the same file.

    Attributes:
        sessions: Conversations, their owners, their lives.
        history: What was said, in order.
        recall: Finds what was said, and shows where.
        records: Values under a namespace and a key.
        clock: Tells the time.
    """

    def __init__(  # noqa: PLR0913 - what the facets are wired from
        self,
        engines: Sequence[Engine],
        *,
        index: SearchIndex | None,
        models: Models,
        tenant: str,
        clock: Clock,
        id_factory: IdFactory,
        counter: TokenCounter,
        background: bool,
        model: LanguageModel | None = None,
        no_index: str = "",
        index_place: str = "",
    ) -> None:
        """Wire opened engines; callers use `open`."""
        log, records = engines[0].log, engines[0].records
        self._engines = engines
        self.clock = clock
        self._indexer: TurnIndexer | None = None
        record_indexer: RecordIndexer | None = None
        changed: Callable[[], None] = _nothing
        if index is not None:
            record_indexer = RecordIndexer(records, index, models, clock=clock)
            self._indexer = TurnIndexer(
                log, index, models, background=background, records=record_indexer
            )
            changed = self._indexer.notify
        access = SessionAccess(log, tenant=tenant, clock=clock)
        notes = NotesArea(records, tenant=tenant)
        common: dict[str, Any] = {
            "tenant": tenant,
            "clock": clock,
            "id_factory": id_factory,
            "counter": counter,
        }
        self.sessions = Sessions(log, records, access, notes, changed=changed, **common)
        self.history = History(log, access, notes, changed=changed, **common)
        self._index_parts = None if index is None else (index, models, index_place)

        def reindexing() -> Reindexing | None:
            return self.reindexing

        self.recall = Recall(
            log,
            index,
            self._indexer,
            models,
            tenant=tenant,
            clock=clock,
            counter=counter,
            no_index=no_index,
            reindexing=reindexing,
        )
        self.records = Records(
            records, record_indexer, tenant=tenant, clock=clock, reindexing=reindexing
        )
        self._language_model = model
        self._log, self._store, self._access, self._notes = log, records, access, notes
        self._common = common

    # What a program that keeps and finds messages does not need is loaded when it is first used.

    @cached_property
    def context(self) -> ContextBuilder:
        """What to send to a model."""
        from daybook.facets.context import ContextBuilder, new_mark  # noqa: PLC0415
        from daybook.facets.context_digests import Digests  # noqa: PLC0415
        from daybook.facets.session_notes import SessionNotes  # noqa: PLC0415

        common = self._common
        notes = SessionNotes(self._notes)
        digests = Digests(
            notes,
            self.model,
            counter=common["counter"],
            clock=common["clock"],
            mark=new_mark,
        )
        return ContextBuilder(
            self._log,
            self.history,
            self._access,
            self.recall,
            notes,
            digests,
            calibrations=self.calibrations,
            **common,
        )

    @cached_property
    def reindexing(self) -> Reindexing | None:
        """The index made anew by several processes: for `daybook reindex`; None without one."""
        if self._index_parts is None:
            return None
        from daybook.indexing.reindexing import Reindexing  # noqa: PLC0415

        index, models, place = self._index_parts
        names = ("tenant", "clock", "id_factory")
        common = {name: self._common[name] for name in names}
        return Reindexing(self._log, self._store, index, models, place=place, **common)

    @cached_property
    def costs(self) -> Costs:
        """What calls of models cost, and caps on it."""
        from daybook.facets.costs import Costs  # noqa: PLC0415

        names = ("tenant", "clock", "id_factory")
        return Costs(self._store, **{name: self._common[name] for name in names})

    @cached_property
    def calibrations(self) -> Calibrations:
        """How far token estimates are from each model's own counts."""
        from daybook.facets.calibrations import Calibrations  # noqa: PLC0415

        return Calibrations(self._store, tenant=self._common["tenant"], clock=self.clock)

    @cached_property
    def model(self) -> MeteredModel | None:
        """The language model that the book was opened with, its calls counted; None for none."""
        if self._language_model is None:
            return None
        from daybook.facets.metered_model import MeteredModel  # noqa: PLC0415

        return MeteredModel(
            self._language_model, self.costs, self.calibrations, self._common["counter"]
        )

    @cached_property
    def turn_leases(self) -> TurnLeases:
        """Whose turn it is in a session, across processes: for `daybook.chat`."""
        from daybook.facets.turn_leases import TurnLeases  # noqa: PLC0415

        names = ("tenant", "clock", "id_factory")
        return TurnLeases(self._store, **{name: self._common[name] for name in names})

    @classmethod
    def open(  # noqa: PLR0913 - what a daybook is made of
        cls,
        url: str,
        *,
        index: str | None = None,
        embedder: EmbedderChoice = ...,
        model: ModelChoice = None,
        tenant: str = DEFAULT_TENANT,
        clock: Clock | None = None,
        id_factory: IdFactory | None = None,
        token_counter: TokenCounter | None = None,
        background: bool = True,
    ) -> Opening:
        """Open a daybook: await it, or use it with ``async with``.

        Args:
            url: Where history and records live: ``sqlite:///chat.db``, ``postgresql://…``,
                ``redis://…``, ``mongodb://…``, ``dynamodb://…``, ``file:///folder``,
                ``inmemory://``.
            index: Another engine's URL for the search index, ``"none"`` for no index; None for
                the same engine, or, if that has no index, an SQLite file in the cache folder.
            embedder: ``"static"`` (ships with the package), ``"minilm"``, ``"hash"``, an object, a
                callable from texts to vectors, or None for words alone. Left out: what
                ``DAYBOOK_EMBEDDER`` names, else ``"static"``.
            model: What writes summaries and answers: ``"openai:gpt-5-mini"``, ``"anthropic:…"``,
                ``"ollama:…"``, ``"openai:name@http://host/v1"``, a LangChain chat model, a
                callable; None for none: summaries are quotes then.
            tenant: Whose data this object reaches; tenants never see each other.
            clock: Tells the time; the machine's unless given.
            id_factory: Makes ids; UUIDs of version 7 unless given.
            token_counter: Counts tokens at append; an estimate unless given.
            background: Index what is appended in the background; if False, searches catch up.

        Raises:
            ConfigError: A URL or option is wrong.
            StoreError: The store cannot be opened.
        """
        chosen = default_embedder() if embedder is ... else embedder
        return Opening(
            cls,
            url=url,
            index=index,
            embedder=chosen,
            model=model,
            tenant=check_tenant(tenant),
            clock=clock or SystemClock(),
            id_factory=id_factory or new_id,
            counter=token_counter or ApproximateTokenCounter(),
            background=background,
        )

    @property
    def capabilities(self) -> EngineCapabilities:
        """What the opened engine promises: durability, order, expiry."""
        return self._engines[0].capabilities

    def resume(self) -> None:
        """Let the background index what an earlier program left; `open` calls it."""
        if self._indexer is not None:
            self._indexer.notify()

    async def close(self) -> None:
        """Finish what is in flight and release everything. Repeatable.

        What is not indexed yet stays marked in the log and is indexed at the next open.
        """
        if self._indexer is not None:
            await self._indexer.close()
        if self._language_model is not None:
            await self._language_model.close()
        for engine in self._engines:
            await engine.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Opening:
    """A daybook about to be opened: awaitable, and an async context manager."""

    def __init__(self, kind: type[AsyncDaybook], **settings: Any) -> None:
        self._kind = kind
        self._settings = settings
        self._rebuilds = True
        self._book: AsyncDaybook | None = None

    def without_rebuilding(self) -> Opening:
        """Open it as it is, although its index was lost; return this object.

        For whoever is about to make the index anew.
        """
        self._rebuilds = False
        return self

    def __await__(self) -> Generator[Any, None, AsyncDaybook]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncDaybook:
        self._book = await self._open()
        return self._book

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._book is not None:
            await self._book.close()

    async def _open(self) -> AsyncDaybook:
        settings = dict(self._settings)
        url, index_url = settings.pop("url"), settings.pop("index")
        models = Models(await _embedder_of(settings.pop("embedder")), load_token_embedder)
        model = settings.pop("model")
        if model is not None:
            settings["model"] = wrap_language_model(model)
        clock: Clock = settings["clock"]
        engines: list[Engine] = [await open_engine(url, clock=clock)]
        try:
            index, place, reason = await _index_for(engines, url, index_url, clock)
            book = self._kind(
                engines,
                index=index,
                models=models,
                no_index=reason,
                index_place=place,
                **settings,
            )
            work = book.reindexing if place and self._rebuilds else None
            if work is not None and await work.is_lost():
                await work.make_anew()
            book.resume()
        except BaseException:
            await asyncio.gather(*(engine.close() for engine in engines))
            raise
        return book


async def _index_for(
    engines: list[Engine], url: str, index_url: str | None, clock: Clock
) -> tuple[SearchIndex | None, str, str]:
    """Return the index that follows an opened engine, where it is, and why there is none.

    It is at an empty place if it is the engine's own.

    Opens another engine for it where needed and adds that to `engines`.
    """
    if index_url == "none":
        return None, "", "it was opened with index='none'"
    if index_url is None and engines[0].index is not None:
        return engines[0].index, "", ""
    if index_url is None and not engines[0].capabilities.several_processes:
        index_url = "inmemory://"
    chosen = index_url or default_index(url)
    engines.append(await open_engine(chosen, clock=clock))
    index = engines[1].index
    if index is None:
        raise ConfigError(
            f"index: {engines[1].capabilities.engine} has no search index; name sqlite:///… or "
            "postgresql://…"
        )
    ours = place_of(chosen)
    if engines[0].index is not None:
        return index, ours, ""
    claimed = await claim_index(engines[0].records, ours)
    if claimed == ours:
        return index, ours, ""
    reason = (
        f"this store is indexed at {claimed}: open it with that index=, or run "
        "`daybook reindex` here to move the index"
    )
    return None, "", reason


async def _embedder_of(choice: EmbedderChoice) -> Embedder | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        return load_embedder(choice)
    if hasattr(choice, "embed"):
        return choice  # type: ignore[return-value] # a protocol: checked by use
    if callable(choice):
        return await load_callable(choice)
    raise ConfigError(
        "embedder must be a name such as 'static', an object with embed(), a callable, or None"
    )


def _nothing() -> None:
    """Stand in for the indexer's notification where there is no index."""
