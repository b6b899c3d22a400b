"""One of many clients on many sessions: appends, reads, forks and removes, and writes it all down.

It runs as a child process (`run_client`) or as tasks beside a test (`SessionClient.work`).
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from daybook.client import AsyncDaybook
from daybook.errors import NotFoundError, StoreError
from tools.crash.append_checker import Append, Read
from tools.crash.engines.addresses import open_url
from tools.crash.engines.session_calls import Call, Fork, Removal, write_call
from tools.crash.store import USER, make_message

__all__ = ["Mix", "SessionClient", "run_client"]

Note = Callable[[str, Call], None]
_SEEN = 50  # messages a read looks at
_FORK_BATCHES = 2
_LEAST_STEPS = 5  # of each client of a process: the time may be over before it gets to run


@dataclass(frozen=True)
class Mix:
    """What clients do.

    Attributes:
        clients: How many there are.
        sessions: How many sessions they share.
        slot_s: Every so often a new session begins that is removed in the middle of its time;
            0 for none.
        reads: Share of the steps that are reads.
        forks: Share of the steps that are forks.
        passing: Share of the appends that go to the session that is removed.
        repeated: Share of the batches that are delivered two to five times.
        pause_s: How long a client waits between steps.
        seed: Decides everything else.
    """

    clients: int
    sessions: int = 4
    slot_s: float = 1.0
    reads: float = 0.15
    forks: float = 0.01
    passing: float = 0.2
    repeated: float = 0.1
    pause_s: float = 0.0
    seed: int = 1


@dataclass
class SessionClient:
    """One client.

    Attributes:
        book: An opened daybook; many clients may share it.
        number: Its own, from 0.
        mix: What it does.
        note: Takes down a call.
        began: The moment that all clients count from, in monotonic nanoseconds.
        lived: The clock by which its calls are timed, in seconds.
        errors: How often it met which error.
        latest_s: The longest that one call took.
    """

    book: AsyncDaybook
    number: int
    mix: Mix
    note: Note
    began: int
    lived: Callable[[], float] = time.monotonic
    errors: Counter[str] = field(default_factory=Counter)
    latest_s: float = 0.0
    _count: int = 0
    _removed: int = -1

    def __post_init__(self) -> None:
        self._random = random.Random(self.mix.seed * 1000 + self.number)

    async def work(self, going_on: Callable[[], bool], *, least: int = 0) -> None:
        """Take steps while `going_on` says so, and so many in any case."""
        taken = 0
        while going_on() or taken < least:
            await self._step()
            taken += 1
            # A call on memory need not give way to anybody.
            await asyncio.sleep(self.mix.pause_s)

    async def _step(self) -> None:
        choice = self._random.random()
        if self.mix.slot_s and await self._remove_if_due():
            return
        if choice < self.mix.reads:
            await self._read(self._shared())
        elif choice < self.mix.reads + self.mix.forks:
            await self._fork(self._any())
        else:
            await self._send(self._any())

    def _shared(self) -> str:
        return f"shared-{self._random.randrange(self.mix.sessions)}"

    def _any(self) -> str:
        if self.mix.slot_s and self._random.random() < self.mix.passing:
            return f"passing-{self._slot()[0]}"
        return self._shared()

    def _slot(self) -> tuple[int, float]:
        """Return which slot this is and how much of it is over."""
        slots = (time.monotonic_ns() - self.began) / 1e9 / self.mix.slot_s
        return int(slots), slots % 1

    async def _remove_if_due(self) -> bool:
        """Remove a slot's session in the middle of the slot; one client does, once."""
        slot, passed = self._slot()
        mine = slot % self.mix.clients == self.number
        if not mine or slot == self._removed or not 0.3 < passed < 0.8:  # noqa: PLR2004
            return False
        self._removed = slot
        session, clear = f"passing-{slot}", slot % 2 == 0
        removal = Removal(clear, time.monotonic_ns(), None)
        remove = self.book.history.clear if clear else self.book.sessions.delete
        if await self._try(remove(session, user_id=USER)):
            removal = replace(removal, completed=time.monotonic_ns())
        self.note(session, removal)
        return True

    async def _send(self, session: str) -> None:
        self._count += 1
        length = self._random.randint(1, 4)
        ids = tuple(f"c{self.number}-{self._count}-{part}" for part in range(length))
        repeated = self._random.random() < self.mix.repeated
        for _ in range(self._random.randint(2, 5) if repeated else 1):
            self.note(session, await self._deliver(session, ids))

    async def _deliver(self, session: str, ids: tuple[str, ...]) -> Append:
        append = Append(self.number, ids, time.monotonic_ns(), None, "unknown")
        messages = [make_message(one) for one in ids]
        receipt = None
        found = await self._try(self.book.history.append(session, messages, user_id=USER))
        if found:
            receipt = found[0]
            return replace(
                append,
                completed=time.monotonic_ns(),
                outcome="ok",
                first_seq=receipt.first_seq,
                last_seq=receipt.last_seq,
            )
        return append

    async def _read(self, session: str) -> None:
        invoked = time.monotonic_ns()
        seen = await self._entries(session)
        if seen is not None:
            self.note(session, Read(self.number, tuple(seen), invoked, time.monotonic_ns()))

    async def _entries(self, session: str) -> list[tuple[int, str]] | None:
        call = self.book.history.entries(session, limit=_SEEN, user_id=USER)
        found = await self._try(call)
        return [(one.seq, one.message.id) for one in found[0]] if found else None

    async def _fork(self, parent: str) -> None:
        """Fork a session, go on in the fork, read it: the first part is a read of the parent."""
        self._count += 1
        name = f"fork-{self.number}-{self._count}"
        invoked = time.monotonic_ns()
        call = self.book.sessions.fork(parent, user_id=USER, new_session_id=name)
        if not (found := await self._try(call)):
            return
        at: int = found[0].last_seq
        self.note(name, Fork(parent, found[0].first_seq, at))
        for _ in range(_FORK_BATCHES):
            await self._send(name)
        read_from = time.monotonic_ns()
        if (seen := await self._entries(name)) is None:
            return
        done = time.monotonic_ns()
        inherited = tuple(one for one in seen if one[0] <= at)
        own = tuple(one for one in seen if one[0] > at)
        if not parent.startswith("passing"):
            self.note(parent, Read(self.number, inherited, invoked, done))
        self.note(name, Read(self.number, own, read_from, done))

    async def _try(self, call: Any) -> tuple[Any] | None:
        """Return what a call returns, in a tuple; None after an error that it may end with."""
        began = self.lived()
        try:
            return (await call,)
        except NotFoundError:
            return None
        except StoreError as exc:
            self.errors[type(exc).__name__] += 1
            return None
        finally:
            self.latest_s = max(self.latest_s, self.lived() - began)


async def run_client(spec: Mapping[str, Any], send: Callable[[str], None]) -> None:
    """Be several clients of one process; send how often they met which error."""
    mix = Mix(**spec["mix"])
    with _history_file(spec) as out:

        def note(session: str, call: Call) -> None:
            out.write(write_call(session, call))

        async with open_url(spec["url"]) as book:
            began = spec["began"]
            clients = [SessionClient(book, number, mix, note, began) for number in spec["numbers"]]
            # On a busy machine the moment may be over when all is open.
            ends = max(began, time.monotonic_ns()) + int(spec["seconds"] * 1e9)
            async with asyncio.TaskGroup() as group:
                for client in clients:
                    group.create_task(
                        client.work(lambda: time.monotonic_ns() < ends, least=_LEAST_STEPS)
                    )
    errors: Counter[str] = Counter()
    for client in clients:
        errors.update(client.errors)
    send(json.dumps(errors))


def _history_file(spec: Mapping[str, Any]) -> BinaryIO:
    return Path(spec["history"]).open("wb", buffering=1 << 16)
