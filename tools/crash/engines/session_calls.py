"""What clients write down of their calls on many sessions, a line of JSON for each."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.crash.append_checker import Append, Read

__all__ = ["Call", "Fork", "Removal", "SessionCalls", "collect", "load_calls", "write_call"]


@dataclass(frozen=True)
class Fork:
    """A fork that was acknowledged; what it showed of its parent is a read of the parent.

    Attributes:
        parent: The older session.
        first: The first number it shares; beyond 1 if the parent was cleared.
        at: The last number it shares.
    """

    parent: str
    first: int
    at: int


@dataclass(frozen=True)
class Removal:
    """The one call that removed a session or its messages.

    Attributes:
        clear: The session stays and its numbers go on; else it is gone with everything.
        invoked: When the call began, in nanoseconds of a clock that all clients share.
        completed: When it returned; None if it never did, or with an error.
    """

    clear: bool
    invoked: int
    completed: int | None


Call = Append | Read | Fork | Removal
_KINDS: dict[str, type[Any]] = {
    "append": Append,
    "read": Read,
    "fork": Fork,
    "removal": Removal,
}


@dataclass
class SessionCalls:
    """All calls on one session.

    Attributes:
        appends: Every delivery of every batch.
        reads: Every read.
        fork: How it was made, if it is a fork; its appends and reads leave out what it inherited.
        removals: At most one.
    """

    appends: list[Append] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    fork: Fork | None = None
    removals: list[Removal] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many calls these are."""
        return len(self.appends) + len(self.reads) + len(self.removals) + (self.fork is not None)

    @property
    def acknowledged(self) -> int:
        """How many deliveries were acknowledged."""
        return sum(append.outcome == "ok" for append in self.appends)

    def add(self, call: Call) -> None:
        """Note one more."""
        if isinstance(call, Append):
            self.appends.append(call)
        elif isinstance(call, Read):
            self.reads.append(call)
        elif isinstance(call, Fork):
            self.fork = call
        else:
            self.removals.append(call)


def write_call(session: str, call: Call) -> bytes:
    """Return a call as one line of a history file."""
    kind = type(call).__name__.lower()
    return json.dumps({"session": session, "kind": kind, **asdict(call)}).encode() + b"\n"


def load_calls(paths: Iterable[Path]) -> dict[str, SessionCalls]:
    """Read the history files of all clients, by session."""
    return collect(
        _parse(json.loads(line)) for path in paths for line in path.read_bytes().splitlines()
    )


def collect(calls: Iterable[tuple[str, Call]]) -> dict[str, SessionCalls]:
    """Return calls by session."""
    found: dict[str, SessionCalls] = defaultdict(SessionCalls)
    for session, call in calls:
        found[session].add(call)
    return dict(found)


def _parse(line: dict[str, Any]) -> tuple[str, Call]:
    session, kind = line.pop("session"), line.pop("kind")
    if "ids" in line:
        line["ids"] = tuple(line["ids"])
    if "entries" in line:
        line["entries"] = tuple((seq, one) for seq, one in line["entries"])
    call: Call = _KINDS[kind](**line)
    return session, call
