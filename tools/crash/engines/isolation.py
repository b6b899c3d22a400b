"""The isolation matrix: every method, every caller, aimed at everything that is not the caller's.

For each cell the method is called with another's id (alive, a fork, a conversation named like the
caller's own, deleted, or one that exists in every tenant), with ids of nothing, and with the
caller's own. No word of another's may be in a result, an error or a log record; what others have
must be as it was; and what is not the caller's must be answered as if it did not exist.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from daybook.errors import DaybookError, InvalidInputError
from daybook.protocols.clock import new_id
from tools.crash.engines.isolation_calls import Aim, Method, find_methods
from tools.crash.engines.isolation_world import DIARY, GUESSED, KINDS, Owner, World, text_of
from tools.crash.tally import Tally

__all__ = ["Matrix", "isolate"]

# These take an id to make something under it, so that a free id and a taken one differ.
_MAKES = {
    "history.append",
    "sessions.create",
    "sessions.fork",
    "sessions.id_of",
    "sessions.import_",
    "records.put",
    "records.put_many",
}
_UNHELD = {"costs.cancel", "costs.settle"}  # of a reservation that was never made
_BRANCHES = {"other_id", "into"}  # parameters that name a second session of the caller's
# These show what a session or a record holds: the caller's own word must be in the answer.
_SHOWS = {
    "history.list",
    "history.entries",
    "sessions.get",
    "sessions.export",
    "sessions.touch",
    "sessions.branches",
    "context.build",
    "recall.search",
    "records.get",
    "records.list",
    "records.search",
    "records.versions",
}


@dataclass(frozen=True)
class _Answer:
    """What a call came to: `text` is all that it let out."""

    error: str
    found: bool
    text: str


@dataclass(frozen=True)
class _Target:
    """Whose thing a cell is aimed at, and of which kind."""

    owner: Owner
    kind: str
    is_own: bool = False


class _Logged(logging.Handler):
    """Keeps what is logged meanwhile, with everything that hangs on it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.text += f"{record.getMessage()} {record.__dict__} "
        if record.exc_info and record.exc_info[1]:
            self.text += _told_by(record.exc_info[1])


class Matrix:
    """One run over a filled world.

    Attributes:
        cells: How many calls were judged.
        defects: What they let out or changed, in words.
        methods: What was called.
    """

    def __init__(
        self, world: World, *, first_only: bool = False, callers: int | None = None
    ) -> None:
        self.cells = 0
        self.defects: list[str] = []
        self.methods = find_methods(next(iter(world.books.values())))
        self._world = world
        self._first_only = first_only
        self._callers = callers
        self._logged = _Logged()
        self._baseline: dict[str, str] = {}

    async def run(self) -> None:
        """Judge every cell; with `first_only` stop after the first method with a defect."""
        self._baseline = await self._world.snapshot()
        self.defects += await self._world.miscounts()
        with _logging_to(self._logged):
            for method in self.methods:
                if method.unknown:
                    self.defects.append(f"{method.name}: nothing is known of {method.unknown}")
                else:
                    await self._run_method(method)
                if self.defects and self._first_only:
                    return

    async def _run_method(self, method: Method) -> None:
        for as_user in (True, False):
            if not (method.names_owner if as_user else not method.needs_user):
                continue
            for caller in self._world.owners[: self._callers]:
                for place in method.places():
                    await self._run_row(method, caller, place, as_user=as_user)
        await self._compare(method)

    async def _run_row(
        self, method: Method, caller: Owner, place: str | None, *, as_user: bool
    ) -> None:
        scratch = await self._scratch(caller, forked=bool(_BRANCHES & set(method.parameters)))
        nothing = await self._judge(
            method,
            place,
            await self._aim(method, caller, _Target(caller, GUESSED), scratch, as_user),
        )
        for target in self._targets(method, caller, place, as_user=as_user):
            aim = await self._aim(method, caller, target, scratch, as_user)
            answer = await self._judge(method, place, aim)
            self._expect(method, place, target, aim, answer, nothing)
            if target.kind == "common" and (not as_user or target.owner.user == caller.user):
                await self._world.mend(Owner(caller.tenant, target.owner.user))
        await self._world.tidy(caller.tenant)

    def _targets(
        self, method: Method, caller: Owner, place: str | None, *, as_user: bool
    ) -> Iterator[_Target]:
        if place is None:
            yield _Target(caller, "live", is_own=True)
            return
        is_record = method.name.startswith("records.")
        kinds = [kind for kind in KINDS if not (is_record and kind in {"fork", "diary"})]
        if place == "elsewhere":
            kinds = ["live"]
        for owner in self._world.owners:
            if owner == caller or (owner.tenant == caller.tenant and not as_user):
                continue
            for kind in kinds:
                if kind != "common" or owner.user != caller.user or _is_next(owner, caller):
                    yield _Target(owner, kind)
        yield _Target(caller, "deleted")
        yield _Target(caller, "live", is_own=True)

    async def _aim(
        self,
        method: Method,
        caller: Owner,
        target: _Target,
        scratch: tuple[str, str],
        as_user: bool,
    ) -> Aim:
        own, fork = scratch
        owner, kind = target.owner, target.kind
        session = own if target.is_own else owner.session(kind)
        book = self._world.book(caller)
        key = owner.key(kind)
        if target.is_own and "receipt_id" in method.parameters:
            await book.context.build(own, max_tokens=None, user_id=caller.user)
        if target.is_own:
            key = f"key-{own}"
            await book.records.put(caller.namespace, key, {"text": caller.canary})
        exported = ""
        if "exported" in method.parameters:
            exported = await book.sessions.export(own, user_id=caller.user)
        # Records know no users: the caller names the place, and as a user it is their own.
        namespace = caller.namespace if as_user else owner.namespace
        return Aim(
            caller=caller,
            session=session,
            receipt=self._world.receipts.get(owner, "") if kind != GUESSED else new_id(),
            other=fork,
            own=own,
            key=key,
            namespace=namespace,
            word=owner.canary,
            diary=DIARY,
            exported=exported if target.is_own else exported.replace(own, session),
            as_user=as_user,
            is_own=target.is_own,
        )

    async def _scratch(self, caller: Owner, *, forked: bool) -> tuple[str, str]:
        """Make a session of the caller's and perhaps a fork of it, for calls to use up."""
        self._number = getattr(self, "_number", 0) + 1
        own = f"own-{self._number}"
        book = self._world.book(caller)
        await self._world.make(caller, own)
        fork = f"{own}-fork"
        if forked:
            await book.sessions.fork(own, user_id=caller.user, new_session_id=fork)
        return own, fork

    async def _judge(self, method: Method, place: str | None, aim: Aim) -> _Answer:
        self.cells += 1
        self._logged.text = ""
        answer = await _ask(method, self._world.book(aim.caller), place, aim)
        hidden = [
            owner
            for owner in self._world.owners
            if owner != aim.caller and (aim.as_user or owner.tenant != aim.caller.tenant)
        ]
        for owner in hidden:
            told = owner.canary in answer.text
            same_tenant = owner.tenant == aim.caller.tenant
            if told or (same_tenant and owner.user in answer.text):
                self._blame(method, place, aim, f"tells of {owner.user} of {owner.tenant}")
        quiet = self._logged.text + (answer.text if answer.error else "")
        if any(owner.canary in quiet for owner in self._world.owners):
            self._blame(method, place, aim, "logs what was said, or has it in an error")
        return answer

    def _expect(
        self,
        method: Method,
        place: str | None,
        target: _Target,
        aim: Aim,
        answer: _Answer,
        nothing: _Answer,
    ) -> None:
        if target.is_own:
            self._expect_own(method, place, aim, answer)
            return
        is_mine = target.kind == "common" and target.owner.user == aim.caller.user
        common = target.kind == "common" and not aim.as_user
        if is_mine or common or method.name in _MAKES or place in {"conversation_id", "elsewhere"}:
            return
        if (answer.error, answer.found) != (nothing.error, nothing.found):
            what = f"answers {target.kind} ids of others unlike ids of nothing"
            self._blame(method, place, aim, what)

    def _expect_own(self, method: Method, place: str | None, aim: Aim, answer: _Answer) -> None:
        # Some calls need a user or an id of something: they refuse with this error.
        unnamed = place is None or not aim.as_user
        if method.name in _UNHELD or place == "receipt_id":
            return
        if answer.error == InvalidInputError.__name__ and unnamed:
            return
        if answer.error:
            self._blame(method, place, aim, f"refuses what is the caller's: {answer.text[-200:]}")
        shows = method.name in _SHOWS and place not in {None, "conversation_id"}
        if shows and aim.caller.canary not in answer.text:
            self._blame(method, place, aim, "does not show what is the caller's")

    def _blame(self, method: Method, place: str | None, aim: Aim, what: str) -> None:
        who = f"{aim.caller.user} of {aim.caller.tenant}" if aim.as_user else aim.caller.tenant
        self.defects.append(f"{method.name}({place or ''}) by {who}: {what}")

    async def _compare(self, method: Method) -> None:
        after = await self._world.snapshot()
        for tenant, contents in self._baseline.items():
            if after[tenant] != contents:
                self.defects.append(f"{method.name} changed what others have in {tenant}")
        self._baseline = after


def _is_next(owner: Owner, caller: Owner) -> bool:
    """Tell whether this is the one of the caller's name whose common things are aimed at."""
    tenants = ["north", "east", "south"]
    return tenants[(tenants.index(caller.tenant) + 1) % len(tenants)] == owner.tenant


async def _ask(method: Method, book: Any, place: str | None, aim: Aim) -> _Answer:
    try:
        result = await method.call(book, place, aim)
    except DaybookError as exc:
        return _Answer(type(exc).__name__, found=False, text=_told_by(exc))
    found = bool(result.session_count) if hasattr(result, "session_count") else bool(result)
    return _Answer("", found, text_of(result))


def _told_by(error: BaseException | None) -> str:
    """Return what an error says, with its fields, its notes and the errors behind it."""
    if error is None:
        return ""
    behind = _told_by(error.__cause__) + _told_by(error.__context__)
    return f"{error} {text_of(error.args)} {text_of(vars(error))} {behind}"


@contextmanager
def _logging_to(handler: logging.Handler) -> Iterator[None]:
    ours, root = logging.getLogger("daybook"), logging.getLogger()
    level = ours.level
    ours.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        ours.setLevel(level)


async def isolate(
    engine: str, opened: Any, *, first_only: bool = False, callers: int | None = None
) -> Tally:
    """Run the matrix on an opened engine, under which nothing is stored yet, and close it.

    Args:
        engine: For the report.
        opened: The engine.
        first_only: Stop after the first method with a defect.
        callers: Only the first so many owners call; None for all.
    """
    tally = Tally("isolation matrix", engine=engine)
    started = time.monotonic()
    try:
        async with World.on(opened) as world:
            matrix = Matrix(world, first_only=first_only, callers=callers)
            await matrix.run()
            tally.calls = matrix.cells
            tally.add("matrix", (), matrix.defects)
            tally.measures["methods"] = len(matrix.methods)
    except DaybookError as exc:  # nobody's call may stand in the way of another's
        tally.add("world", (), [f"owners are in each other's way: {type(exc).__name__}"])
    tally.seconds = time.monotonic() - started
    return tally
