"""Every public method of a daybook's facets, found by looking, and the arguments to call it with.

A method that is added later is called like the others if its parameters have names that are known
here; if not, the matrix fails and says which.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from daybook.client import AsyncDaybook
from daybook.context.strategy import TokenWindow
from daybook.facets.records import RecordWrite
from daybook.model.cost import Reservation
from daybook.model.memory_record import MemoryRecord
from daybook.model.message import Message, Usage
from daybook.protocols.clock import new_id
from daybook.testing.fake_clock import START
from tools.crash.engines.isolation_world import Owner

__all__ = ["LIFETIME", "Aim", "Method", "facets_of", "find_methods"]

LIFETIME = frozenset(
    {
        *("open", "close", "resume", "capabilities"),
        "clock",
        "model",  # asks a model what it is given; its counts are those of `costs`
        "turn_leases",  # makes a lease on a session that was looked up before
        "reindexing",  # makes the workers of `recall.reindex` and `records.reindex`
    }
)
"""What a daybook offers beside its facets: none of it reads what is stored."""

# Parameters that name a thing: a cell puts the target's id into one of them.
_IDS = ("session_id", "other_id", "into", "new_session_id", "conversation_id", "receipt_id",
        "key")  # fmt: skip
# Parameters that a call is always given.
_ALWAYS = ("query", "namespace", "namespace_prefix", "prefix", "messages", "value", "writes",
           "with_user", "from_user", "exported", "seq", "operation", "used", "model_id",
           "reservation", "input_tokens", "max_output_tokens", "estimated", "actual", "places",
           "records")  # fmt: skip
# Parameters that name nobody and nothing.
_PLAIN = frozenset(
    "limit after before hidden max_tokens recall_share recall_limit title metadata ttl "
    "max_messages cursor at role expires_at format since until neighbours read_your_writes "
    "on_progress provenance expected_version filter offset max_depth "
    "searched strategy system profile model keep_receipt kind usd tokens period by "
    "expires_after fresh explain".split()
)
_USER = "user_id"
_MODEL = "ollama:none"
_STRANGER = "carol-77aa"
# These take new ids: there is nothing to find under one's own.
_MAKES = {"sessions.create"}


@dataclass(frozen=True)
class Aim:
    """What one call is aimed at.

    Attributes:
        caller: Who calls.
        session: The id of the session aimed at.
        receipt: The id of a receipt of a context of that owner's.
        other: A branch of the caller's own session, for the second id of a call.
        own: The caller's own session.
        key: The key of the record aimed at.
        namespace: Where that record is looked for.
        word: What is searched for.
        diary: The caller's or the target's name for a conversation.
        exported: The caller's own session as text, under the id of the one aimed at.
        as_user: The call names its user; else it is the whole tenant's.
        is_own: The target is the caller's.
    """

    caller: Owner
    session: str
    receipt: str
    other: str
    own: str
    key: str
    namespace: tuple[str, ...]
    word: str
    diary: str
    exported: str
    as_user: bool
    is_own: bool


@dataclass(frozen=True)
class Method:
    """One method and its parameters.

    Attributes:
        name: With its facet: ``history.append``.
        parameters: By name, whether each is required.
    """

    name: str
    parameters: dict[str, bool]

    @property
    def unknown(self) -> list[str]:
        """Parameters that this module does not know what to give for."""
        return [one for one in self.parameters if one not in {*_IDS, *_ALWAYS, *_PLAIN, _USER}]

    @property
    def names_owner(self) -> bool:
        """Tell whether a call can say for whom it is; if not, it is the whole tenant's."""
        return bool(
            {_USER, "namespace", "namespace_prefix", "prefix", "writes", "places", "records"}
            & {*self.parameters}
        )

    @property
    def needs_user(self) -> bool:
        """Tell whether it cannot be called for the whole tenant."""
        return self.parameters.get(_USER, False)

    def places(self) -> list[str | None]:
        """Return the parameters into which a target's id can be put, one at a time."""
        found: list[str | None] = [one for one in _IDS if one in self.parameters]
        if not found and {"query", "writes", "exported", "places", "records"} & set(
            self.parameters
        ):
            return ["elsewhere"]
        return found or [None]

    async def call(self, book: AsyncDaybook, place: str | None, aim: Aim) -> Any:
        """Call it, the target's id in one place and the caller's own in all others."""
        facet, _, name = self.name.partition(".")
        return await getattr(getattr(book, facet), name)(**self._arguments(place, aim))

    def _arguments(self, place: str | None, aim: Aim) -> dict[str, Any]:
        given = {name: _VALUES[name](aim) for name in _ALWAYS if name in self.parameters}
        if _USER in self.parameters and aim.as_user:
            given[_USER] = aim.caller.user
        if self.parameters.get("max_tokens"):
            given["max_tokens"] = 2000
        if self.parameters.get("strategy"):
            given["strategy"] = TokenWindow()
        if self.parameters.get("model"):
            given["model"] = _MODEL
        for name in _IDS:
            if name == place:
                given[name] = self._target(name, aim)
            elif self.parameters.get(name):
                given[name] = {"session_id": aim.own, "key": aim.key}.get(name, aim.other)
        return given

    def _target(self, place: str, aim: Aim) -> str:
        if place == "conversation_id":
            return aim.diary if not (aim.is_own and self.name in _MAKES) else new_id()
        if aim.is_own and (self.name in _MAKES or place == "new_session_id"):
            return new_id()
        if place in {"key", "receipt_id"}:
            return aim.key if place == "key" else aim.receipt
        return aim.other if aim.is_own and place in {"other_id", "into"} else aim.session


_VALUES: dict[str, Callable[[Aim], Any]] = {
    "query": lambda aim: aim.word,
    "namespace": lambda aim: aim.namespace,
    "namespace_prefix": lambda aim: (aim.caller.user,) if aim.as_user else (),
    "prefix": lambda aim: (aim.caller.user,) if aim.as_user else (),
    "messages": lambda _: Message.user("a stranger speaks"),
    "value": lambda _: {"text": "a stranger writes"},
    "writes": lambda aim: [
        RecordWrite(namespace=aim.namespace, key=aim.key, value={"text": "a stranger writes"})
    ],
    "places": lambda aim: [(aim.namespace, aim.key)],
    "records": lambda aim: [_record(aim)],
    # A stranger would give themselves what is not theirs.
    "with_user": lambda aim: _STRANGER if aim.is_own else aim.caller.user,
    "from_user": lambda aim: aim.caller.user,
    "exported": lambda aim: aim.exported,
    "seq": lambda _: 1,
    "operation": lambda _: "chat",
    "used": lambda _: Usage(input_tokens=1, output_tokens=1),
    "model_id": lambda _: _MODEL,
    "reservation": lambda aim: _reservation(aim.caller.user),
    "input_tokens": lambda _: 1,
    "max_output_tokens": lambda _: 1,
    "estimated": lambda _: 10,
    "actual": lambda _: 10,
}


def _record(aim: Aim) -> MemoryRecord:
    """Return a record as somebody might make one up who was never given it."""
    return MemoryRecord(
        namespace=aim.namespace,
        key=aim.key,
        value={},
        version=1,
        created_at=START,
        updated_at=START,
        expires_at=START + timedelta(days=1),
    )


def _reservation(user: str) -> Reservation:
    """Return room that was never held: nothing is given back, nobody hears of anything."""
    return Reservation(
        id=new_id(),
        user_id=user,
        operation="chat",
        model=_MODEL,
        input_tokens=1,
        output_tokens=1,
        micro_usd=1,
        expires_at=START,
    )


def facets_of(book: AsyncDaybook) -> dict[str, Any]:
    """Return the parts through which a daybook's data are reached, by attribute."""
    names = [*vars(book), *(name for name in vars(type(book)) if not hasattr(object, name))]
    public = {name for name in names if not name.startswith("_")} - LIFETIME
    return {name: getattr(book, name) for name in sorted(public)}


def find_methods(book: AsyncDaybook) -> list[Method]:
    """Return every public method of every facet, in order of their names."""
    return sorted(
        (
            Method(f"{facet}.{name}", dict(_parameters(method)))
            for facet, one in facets_of(book).items()
            for name, method in inspect.getmembers(one, callable)
            if not name.startswith("_")
        ),
        key=lambda method: method.name,
    )


def _parameters(method: Callable[..., Any]) -> Iterator[tuple[str, bool]]:
    for name, one in inspect.signature(method).parameters.items():
        yield name, one.default is inspect.Parameter.empty
