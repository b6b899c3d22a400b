"""Many processes on one session: what they saw is judged together."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.crash.append_checker import check, load
from tools.crash.clients import SESSION
from tools.crash.store import USER, integrity, open_book
from tools.crash.tally import Tally
from tools.crash.zygote import Zygote

__all__ = ["Crowd", "contend", "contend_unlocked"]


@dataclass(frozen=True)
class Crowd:
    """How many processes, what each does.

    Attributes:
        processes: How many.
        batches: Batches of 1 to 4 messages each sends; a tenth of them two to five times.
        reads: Share of batches followed by a read.
        seed: Decides sizes and retries.
        synchronous: The store's setting.
    """

    processes: int
    batches: int
    reads: float = 0.2
    seed: int = 1
    synchronous: str = "full"

    def spec(self, client: int, folder: Path) -> dict[str, Any]:
        """Return what one child is told."""
        return {
            "client": client,
            "batches": self.batches,
            "reads": self.reads,
            "seed": self.seed,
            "synchronous": self.synchronous,
            "history": folder / f"client-{client}.jsonl",
        }


def contend(zygote: Zygote, crowd: Crowd, folder: Path) -> Tally:
    """Let processes append to one session of one store at once; an error surfaced is a defect."""
    path = folder / "book.db"
    tally = Tally(f"{crowd.processes} processes, one session")
    return _contend(
        zygote, crowd, folder, tally, kind="client", path=path,
        final=lambda: asyncio.run(_final(path)), broken=lambda: integrity(path),
    )  # fmt: skip


def contend_unlocked(zygote: Zygote, crowd: Crowd, folder: Path) -> Tally:
    """The control: the same with a file that is read, changed and written without a lock."""
    path = folder / "list.txt"
    tally = Tally(f"control: {crowd.processes} processes without a lock")
    return _contend(
        zygote, crowd, folder, tally, kind="unlocked", path=path,
        final=lambda: list(enumerate(path.read_text().split(), start=1)), broken=list,
    )  # fmt: skip


def _contend(
    zygote: Zygote,
    crowd: Crowd,
    folder: Path,
    tally: Tally,
    *,
    kind: str,
    path: Path,
    final: Callable[[], list[tuple[int, str]]],
    broken: Callable[[], list[str]],
) -> Tally:
    started = time.monotonic()
    children = [
        zygote.spawn(kind, path=path, **crowd.spec(client, folder))
        for client in range(crowd.processes)
    ]
    for child in children:
        child.go()
    errors: Counter[str] = Counter()
    statuses = []
    for child in children:
        lines = child.lines(patience_s=600)
        errors.update(json.loads(lines[-1]) if lines else {})
        statuses.append(child.wait())
    history = load(sorted(folder.glob("client-*.jsonl")))
    history.final = final()
    tally.operations = sum(append.outcome == "ok" for append in history.appends)
    defects = [f"{count} times {name}" for name, count in errors.items()]
    defects += [f"a client ended with status {status}" for status in statuses if status]
    tally.add("one run", check(history), defects + broken())
    tally.seconds = time.monotonic() - started
    return tally


async def _final(path: Path) -> list[tuple[int, str]]:
    async with open_book(path) as book:
        entries = await book.history.entries(SESSION, user_id=USER)
    return [(one.seq, one.message.id) for one in entries]
