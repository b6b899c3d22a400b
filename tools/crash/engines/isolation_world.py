"""Owners in several tenants of one engine: what each holds, and a daybook for each tenant.

Users have the same names in every tenant, and so have some of their sessions and records: only the
tenant tells them apart.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from daybook.client import AsyncDaybook
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.engines.inmemory.engine import InMemoryEngine
from daybook.facets.new_session import session_id_of
from daybook.indexing.models import Models
from daybook.model.message import Message, Usage
from daybook.protocols.clock import Clock, SystemClock, new_id
from daybook.registry import Engine, load_token_embedder

__all__ = ["DIARY", "GUESSED", "KINDS", "TENANTS", "USERS", "Owner", "World", "text_of"]

TENANTS = ("north", "east", "south")
USERS = ("ann-4f1c", "bob-93d0")
DIARY = "diary"
"""Every user's own name for one of their conversations."""

KINDS = ("live", "fork", "diary", "deleted", "common")
"""What an id of an owner may lead to; ``common`` ids exist in every tenant."""

GUESSED = "guessed"


@dataclass(frozen=True)
class Owner:
    """A user of a tenant, and how their things are called."""

    tenant: str
    user: str

    @cached_property
    def canary(self) -> str:
        """A word that stands in all that is theirs and nowhere else."""
        digest = hashlib.sha256(f"{self.tenant}/{self.user}".encode()).hexdigest()
        return "canary" + "".join(chr(ord("a") + int(digit, 16)) for digit in digest[:14])

    def session(self, kind: str) -> str:
        """Return the id of a session of a kind."""
        if kind == "diary":
            return session_id_of(self.tenant, self.user, DIARY)
        return self._named(f"session-{kind}", kind)

    def key(self, kind: str) -> str:
        """Return the key of a record of a kind; forks and diaries are sessions only."""
        return self._named(f"key-{kind}", kind)

    def _named(self, name: str, kind: str) -> str:
        """The ids of nobody's things look like the others."""
        tenant = "" if kind == "common" else f"-{self.tenant}"
        return f"{name}{tenant}-{self.user[-4:]}"

    @property
    def namespace(self) -> tuple[str, str]:
        """Where their records are."""
        return (self.user, "notes")


class World:
    """What the matrix is run on."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        clock = clock or SystemClock()
        self._engine = engine
        index = engine.index or InMemoryEngine(clock=clock).index
        self.books = {tenant: _book(engine, index, tenant, clock) for tenant in TENANTS}
        self.owners = [Owner(tenant, user) for tenant in TENANTS for user in USERS]
        self.receipts: dict[Owner, str] = {}
        self._sessions: dict[str, set[str]] = {}
        self._keys: dict[str, set[tuple[tuple[str, ...], str]]] = {}

    def book(self, owner: Owner) -> AsyncDaybook:
        """Return the daybook of an owner's tenant."""
        return self.books[owner.tenant]

    async def fill(self) -> None:
        """Store what every owner has."""
        for owner in self.owners:
            book, user = self.book(owner), owner.user
            for kind in ("live", "deleted"):
                await self.make(owner, owner.session(kind))
                await book.records.put(owner.namespace, owner.key(kind), {"text": owner.canary})
            await book.sessions.fork(
                owner.session("live"),
                user_id=user,
                new_session_id=owner.session("fork"),
                title=owner.canary,
            )
            await book.sessions.create(user_id=user, conversation_id=DIARY, title=owner.canary)
            await self._say(owner, owner.session("diary"))
            await book.sessions.delete(owner.session("deleted"), user_id=user)
            await book.records.delete(owner.namespace, owner.key("deleted"))
            await self._make_common(owner)
            await book.records.put((owner.user, owner.canary), "named", {"text": owner.canary})
            await self._count_differently(owner)
            self.receipts[owner] = await self._use(owner)
        for tenant in TENANTS:
            self._sessions[tenant] = await self._session_ids(tenant)
            self._keys[tenant] = await self._record_keys(tenant)

    async def _use(self, owner: Owner) -> str:
        """Have an owner build a context, which leaves a receipt, and pay for a model's call."""
        book = self.book(owner)
        built = await book.context.build(owner.session("live"), max_tokens=None, user_id=owner.user)
        used = Usage(input_tokens=1, output_tokens=1)
        await book.costs.record(owner.user, owner.canary, used, model="ollama:none")
        return built.receipt.id

    async def _count_differently(self, owner: Owner) -> None:
        """Have no two owners say equally much."""
        words = [Message.user("more") for _ in range(self.owners.index(owner) + 1)]
        await self.book(owner).history.append(owner.session("diary"), words, user_id=owner.user)

    async def make(self, owner: Owner, session: str) -> None:
        """Store a session of an owner's."""
        book = self.book(owner)
        canary = {"about": owner.canary}
        await book.sessions.create(
            user_id=owner.user, session_id=session, title=owner.canary, metadata=canary
        )
        await self._say(owner, session)

    async def _say(self, owner: Owner, session: str) -> None:
        messages = [Message.user(f"{owner.canary} says {n}", id=f"{session}-{n}") for n in "ab"]
        await self.book(owner).history.append(session, messages, user_id=owner.user)

    async def _make_common(self, owner: Owner) -> None:
        await self.make(owner, owner.session("common"))
        value = {"text": owner.canary}
        await self.book(owner).records.put(owner.namespace, owner.key("common"), value)

    async def mend(self, owner: Owner) -> None:
        """Make an owner's common things anew where a call has changed the caller's own."""
        book, session = self.book(owner), owner.session("common")
        place = (owner.namespace, owner.key("common"))
        found = await book.sessions.get(session)
        record = await book.records.get(*place)
        is_whole = found is not None and found.title == owner.canary and not found.grants
        is_said = found is not None and found.message_count == 2  # noqa: PLR2004 - as made
        if is_whole and is_said and record is not None and record.version == 1:
            return
        await book.sessions.delete(session)
        await book.records.delete(*place)
        await self._make_common(owner)

    async def tidy(self, tenant: str) -> None:
        """Remove what calls made in a tenant beside what was there from the first."""
        book = self.books[tenant]
        for session in await self._session_ids(tenant) - self._sessions[tenant]:
            await book.sessions.delete(session)
        for namespace, key in await self._record_keys(tenant) - self._keys[tenant]:
            await book.records.delete(namespace, key)

    async def snapshot(self) -> dict[str, str]:
        """Return what every tenant holds, but for times and versions, which mending changes."""
        return {tenant: await self._contents(tenant) for tenant in TENANTS}

    async def miscounts(self) -> list[str]:
        """Name the owners whose statistics are not theirs."""
        wrong = []
        for owner in self.owners:
            sessions = self.book(owner).sessions
            stats = await sessions.stats(user_id=owner.user)
            held = (await sessions.list(user_id=owner.user, limit=1000)).items
            counts = (stats.session_count, stats.message_count)
            if counts != (len(held), sum(one.message_count for one in held)):
                wrong.append(f"{owner.user} of {owner.tenant} is given others' counts")
        return wrong

    async def _contents(self, tenant: str) -> str:
        book, held = self.books[tenant], []
        for one in (await book.sessions.list(limit=1000)).items:
            said = await book.history.entries(one.id, hidden=True)
            grants = [(grant.user_id, grant.role) for grant in one.grants]
            named = (one.id, one.user_id, one.title, one.metadata, grants, one.ttl)
            held.append(repr((*named, [(e.seq, e.message.id, e.message.text) for e in said])))
        records = await book.records.list(limit=1000)
        held += [repr((one.namespace, one.key, one.value)) for one in records]
        return "\n".join(sorted(held))

    async def _session_ids(self, tenant: str) -> set[str]:
        found = await self.books[tenant].sessions.list(limit=1000)
        return {one.id for one in found.items}

    async def _record_keys(self, tenant: str) -> set[tuple[tuple[str, ...], str]]:
        found = await self.books[tenant].records.list(limit=1000)
        return {(one.namespace, one.key) for one in found}

    @classmethod
    @asynccontextmanager
    async def on(cls, engine: Engine) -> AsyncIterator[World]:
        """Give a filled world on an engine for the length of a block, then close the engine."""
        try:
            world = cls(engine)
            await world.fill()
            yield world
        finally:
            await engine.close()


def _book(engine: Engine, index: Any, tenant: str, clock: Clock) -> AsyncDaybook:
    return AsyncDaybook(
        [engine],
        index=index,
        models=Models(None, load_token_embedder),
        tenant=tenant,
        clock=clock,
        id_factory=new_id,
        counter=ApproximateTokenCounter(),
        background=False,
    )


def text_of(value: Any) -> str:
    """Return all text in a value, whatever its `repr` leaves out."""
    if isinstance(value, msgspec.Struct):
        return text_of([getattr(value, name) for name in value.__struct_fields__])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return text_of(vars(value))
    if isinstance(value, Mapping):
        return " ".join(f"{text_of(key)} {text_of(one)}" for key, one in value.items())
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        return " ".join(text_of(one) for one in value)
    return str(value)
