"""One of several clients that append to one session and read it, writing down all they see."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from daybook.client import AsyncDaybook
from daybook.errors import DaybookError
from tools.crash.append_checker import Append, Read, write_line
from tools.crash.store import USER, make_message, open_book

__all__ = ["SESSION", "append_and_read", "append_unlocked"]

SESSION = "shared"
_RETRIED = 0.1  # share of batches that are delivered several times
_SEEN = 50  # messages a read looks at

Spec = Mapping[str, Any]
Send = Callable[[str], None]


def _batches(client: int, count: int, rng: random.Random) -> list[tuple[str, ...]]:
    return [
        tuple(f"c{client}-{number}-{part}" for part in range(rng.randint(1, 4)))
        for number in range(count)
    ]


async def append_and_read(spec: Spec, send: Send) -> None:
    """Append `batches` batches; deliver some up to five times, read after some."""
    client: int = spec["client"]
    rng = random.Random(spec["seed"] * 1000 + client)
    errors: dict[str, int] = {}
    with _history_file(spec) as out:
        async with open_book(Path(spec["path"]), synchronous=spec["synchronous"]) as book:
            for ids in _batches(client, spec["batches"], rng):
                deliveries = rng.randint(2, 5) if rng.random() < _RETRIED else 1
                for _ in range(deliveries):
                    append = await _deliver(book, client, ids, errors)
                    out.write(write_line(append))
                if rng.random() < spec["reads"]:
                    out.write(write_line(await _read(book, client)))
    send(json.dumps(errors))


async def _deliver(
    book: AsyncDaybook, client: int, ids: tuple[str, ...], errors: dict[str, int]
) -> Append:
    append = Append(client, ids, time.monotonic_ns(), None, "unknown")
    try:
        messages = [make_message(one) for one in ids]
        receipt = await book.history.append(SESSION, messages, user_id=USER)
    except DaybookError as exc:
        name = type(exc).__name__
        errors[name] = errors.get(name, 0) + 1
        return append
    return replace(
        append,
        completed=time.monotonic_ns(),
        outcome="ok",
        first_seq=receipt.first_seq,
        last_seq=receipt.last_seq,
    )


async def _read(book: AsyncDaybook, client: int) -> Read:
    invoked = time.monotonic_ns()
    entries = await book.history.entries(SESSION, limit=_SEEN, user_id=USER)
    seen = tuple((one.seq, one.message.id) for one in entries)
    return Read(client, seen, invoked, time.monotonic_ns())


async def append_unlocked(spec: Spec, send: Send) -> None:
    """The control: the same client on a file that is read, changed and written without a lock."""
    client: int = spec["client"]
    rng = random.Random(spec["seed"] * 1000 + client)
    with _history_file(spec) as out:
        for ids in _batches(client, spec["batches"], rng):
            out.write(write_line(_rewrite(Path(spec["path"]), client, ids)))
    send("{}")


def _rewrite(path: Path, client: int, ids: tuple[str, ...]) -> Append:
    invoked = time.monotonic_ns()
    stored = path.read_text().split() if path.exists() else []
    scratch = path.with_name(f"{path.name}-{client}")
    scratch.write_text("\n".join([*stored, *ids]))
    scratch.replace(path)
    first, last = len(stored) + 1, len(stored) + len(ids)
    return Append(client, ids, invoked, time.monotonic_ns(), "ok", first, last)


def _history_file(spec: Spec) -> BinaryIO:
    return Path(spec["history"]).open("wb", buffering=1 << 16)
