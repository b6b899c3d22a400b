"""One value that many processes change at once, in records that do not pile up.

A change is compare-and-set: read, work the new value out, write it if the version is still the one
that was read, else begin again. What callers of one event loop ask for at the same time is worked
into one write.

A record store keeps every version of a key. So the value moves to a fresh key after some changes,
in one atomic write that also marks the old key as left, and the old key goes with its versions.
Nobody can write to a key that was left or removed: they expect a version that is not there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from daybook.errors import ConflictError, CorruptRecordError, DaybookError, StoreError
from daybook.model.codec import encode_json
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord, Provenance
from daybook.model.scope import Scope
from daybook.protocols.record_store import RecordStore

__all__ = ["BoundedCell", "Step", "Stepped"]

_MOST_VERSIONS = 64
_ATTEMPTS = 200
_LONGEST_PAUSE_S = 0.05

# Marks that the cell was begun: made once, with the first key, and never removed, so that nobody
# who saw no key at all can begin it a second time.
_BEGUN = "begun"

Value = TypeVar("Value")
Result = TypeVar("Result")


class Stepped(msgspec.Struct, Generic[Value], frozen=True):
    """What a step made.

    Attributes:
        value: The new value; the very object that was given if nothing changes.
        result: What the caller of `change` gets.
        also: Records to write with it, all or nothing; of the same owner.
    """

    value: Value
    result: Any = None
    also: tuple[NewRecord, ...] = ()


# From the present value (None: there is none yet) to the next; pure, since it may run many times.
# A step that raises changes nothing, and its caller gets the error.
Step = Callable[[Value | None], Stepped[Value]]
_Batch = Sequence[tuple[Step[Any], asyncio.Future[Any]]]


class _Head(msgspec.Struct, Generic[Value], frozen=True):
    """The key that holds the value now; number 0 if there is none yet."""

    number: int = 0
    version: int = 0
    value: Value | None = None


class _Lane(Generic[Value]):
    """What callers of one event loop wait for."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Step[Value], asyncio.Future[Any]]] = []
        self.worker: asyncio.Task[None] | None = None


class BoundedCell(Generic[Value]):
    """A value of one owner, shared by processes."""

    def __init__(
        self, records: RecordStore, scope: Scope, namespace: Namespace, kind: type[Value]
    ) -> None:
        """Name a cell; nothing is read.

        Args:
            records: Where it is.
            scope: Under which tenant.
            namespace: Its own: nothing else may be there.
            kind: Type of the value, which msgspec turns into JSON and back.
        """
        self._records = records
        self._scope = scope
        self._namespace = namespace
        self._kind = kind
        self._last_seen = 0
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Lane[Value]] = (
            WeakKeyDictionary()
        )

    async def read(self) -> Value | None:
        """Return the value; None if there is none yet."""
        return (await self._head()).value

    async def change(self, step: Step[Value]) -> Any:
        """Change the value by a step and return the step's result.

        Atomicity: with all that happens at the same time, as if one came after the other. A caller
        that is cancelled may find its change made or not.

        Raises:
            ConflictError: Others were quicker, very many times in a row.
            DaybookError: What the step raised; nothing was changed by it.
        """
        loop = asyncio.get_running_loop()
        lane = self._lanes.setdefault(loop, _Lane())
        done: asyncio.Future[Any] = loop.create_future()
        lane.waiting.append((step, done))
        if lane.worker is None or lane.worker.done():
            lane.worker = loop.create_task(self._work(lane))
        return await done

    async def _work(self, lane: _Lane[Value]) -> None:
        """Apply what is waiting until nothing is."""
        while lane.waiting:
            batch = [(step, done) for step, done in lane.waiting if not done.done()]
            lane.waiting.clear()
            try:
                await self._apply(batch)
            except Exception as exc:  # noqa: BLE001 - handed to every caller of the batch
                _fail(batch, exc)
            except BaseException:  # the loop ends
                for _, done in [*batch, *lane.waiting]:
                    done.cancel()
                raise

    async def _apply(self, batch: _Batch) -> None:
        for attempt in range(_ATTEMPTS):
            head = await self._head()
            value, also, told = _worked(batch, head.value)
            try:
                if value is not None and value is not head.value:
                    await self._write(head, value, also)
            except ConflictError:
                await asyncio.sleep(_pause_s(attempt))
                continue
            for done, result in told:
                _tell(done, result)
            return
        raise ConflictError(
            f"{'/'.join(self._namespace[1:])}: {_ATTEMPTS} writes in a row met others': try again"
        )

    async def _head(self) -> _Head[Value]:
        """Find the key that holds the value: where it was last, else the highest."""
        for attempt in range(_ATTEMPTS):
            found = await self._look()
            if found is None:
                return _Head()
            if "state" in found.value:
                self._last_seen = int(found.key)
                return _Head(self._last_seen, found.version, self._decoded(found))
            self._last_seen = 0  # it moved while we looked
            if attempt:
                await asyncio.sleep(_pause_s(attempt))
        raise ConflictError(f"{'/'.join(self._namespace[1:])}: it moves all the time: try again")

    async def _look(self) -> MemoryRecord | None:
        if self._last_seen:
            place = (self._namespace, _key(self._last_seen))
            found = (await self._records.get(self._scope, [place]))[0]
            if found is not None:
                return found
        listed = await self._records.list(self._scope, self._namespace, limit=100)
        # The mark sorts behind all numbers; it is the highest only between two keys.
        numbered = [one for one in listed if one.key != _BEGUN]
        return max(numbered or listed, key=lambda one: one.key, default=None)

    async def _write(self, head: _Head[Value], value: Value, also: tuple[NewRecord, ...]) -> None:
        """Write the value if it is still where and as it was read."""
        state = {"state": msgspec.to_builtins(value)}
        if head.number and head.version < _MOST_VERSIONS:
            await self._put([self._record(_key(head.number), state, head.version)], also)
            return
        fresh = self._record(_key(head.number + 1), state, 0)
        if not head.number:
            await self._put([self._record(_BEGUN, {}, 0), fresh], also)
            return
        left = self._record(_key(head.number), {"left": True}, head.version)
        await self._put([fresh, left], also)
        # What a failure leaves behind goes with the next move: the value has moved already.
        with contextlib.suppress(StoreError):
            places = [(self._namespace, _key(head.number - back)) for back in range(3)]
            await self._records.delete(self._scope, places)

    async def _put(self, own: list[NewRecord], also: tuple[NewRecord, ...]) -> None:
        await self._records.put(self._scope, [*own, *also])

    def _record(self, key: str, value: dict[str, Any], expected: int) -> NewRecord:
        return NewRecord(
            namespace=self._namespace,
            key=key,
            value=encode_json(value),
            provenance=Provenance(source=self._namespace[1]),
            expected_version=expected,
        )

    def _decoded(self, record: MemoryRecord) -> Value:
        try:
            return msgspec.convert(record.value["state"], self._kind)
        except msgspec.ValidationError as exc:
            raise CorruptRecordError(
                f"{'/'.join(self._namespace[1:])} is not as this version writes it: {exc}",
                engine=self._records.capabilities.engine,
                operation="read",
            ) from None


def _worked(
    batch: _Batch, value: Value | None
) -> tuple[Value | None, tuple[NewRecord, ...], list[tuple[asyncio.Future[Any], Any]]]:
    """Run the steps one after the other; return the value, what to write too, and the answers."""
    also: tuple[NewRecord, ...] = ()
    told: list[tuple[asyncio.Future[Any], Any]] = []
    for step, done in batch:
        try:
            stepped = step(value)
        except DaybookError as exc:
            told.append((done, exc))
            continue
        value = stepped.value
        also += stepped.also
        told.append((done, stepped.result))
    return value, also, told


def _tell(done: asyncio.Future[Any], result: Any) -> None:
    if done.done():  # its caller was cancelled
        return
    if isinstance(result, DaybookError):
        done.set_exception(result)
    else:
        done.set_result(result)


def _fail(batch: _Batch, exc: Exception) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(exc)


def _key(number: int) -> str:
    return f"{number:012d}"


def _pause_s(attempt: int) -> float:
    """Return a random pause that grows: those who met once should not meet again."""
    longest = min(_LONGEST_PAUSE_S, 0.001 * 2 ** min(attempt, 10))
    return float(longest * os.urandom(1)[0] / 256)
