"""Power loss: every disk that a recorded run could have left behind, rebuilt and opened.

Strace records one run's writes. A model of the disk knows what was synced; at each operation, what
was not synced may be on the disk, or not, or in part, sector by sector. Names in a folder are
data too: a new file is there for certain once its folder was synced.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tools.crash.plan import PLANS, Outcomes, judge, sessions_of
from tools.crash.store import observe
from tools.crash.strace import Strace, record
from tools.crash.tally import Tally
from tools.crash.zygote import Zygote

__all__ = [
    "Disk",
    "Event",
    "Images",
    "digest",
    "lose_power",
    "parse",
    "record_run",
    "some_sectors",
    "torn_writes",
    "written",
]

Action = Literal["create", "write", "truncate", "sync", "unlink", "ack"]

Write = tuple[int, bytes | None]  # where and what; None: truncated there

_CALLS = ("openat", "pwrite64", "write", "ftruncate", "fdatasync", "fsync", "unlink")
_SECTOR = 512
_EVEN = 0.5
_LINE = re.compile(r"^(\d+)\s+(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)$")
_DESCRIPTOR = re.compile(r"^(\d+)<((?:\\x[0-9a-f]{2}|[^>\\])*)>")
_QUOTED = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_UNFINISHED = " <unfinished ...>"


@dataclass(frozen=True)
class Event:
    """One thing that happened to the disk, or an acknowledgement that left the process."""

    action: Action
    name: str = ""
    offset: int = 0
    data: bytes = b""


def record_run(zygote: Zygote, plan: str, folder: Path, *, synchronous: str) -> list[Event]:
    """Run a plan on a new file in an empty folder and return what it did to the disk."""
    trace = folder.parent / f"{folder.name}.strace"
    child = zygote.spawn("plan", plan=plan, path=folder / "book.db", synchronous=synchronous)
    with Strace(child, record(_CALLS, trace, longest=1 << 20)):
        child.go()
        child.lines()
        if child.wait():
            raise RuntimeError("the recorded run failed")
    with trace.open() as lines:
        events = list(parse(lines, folder))
    trace.unlink()
    return events


def parse(lines: Iterable[str], folder: Path) -> Iterator[Event]:
    """Return the events of a trace that touch the folder, and the acknowledgements."""
    begun: dict[str, str] = {}
    for line in lines:
        match = _LINE.match(line.rstrip("\n"))
        if match is None:
            continue
        thread, call, opening, rest = match.groups()
        if rest.endswith(_UNFINISHED):
            begun[thread] = rest.removesuffix(_UNFINISHED)
            continue
        if opening != "(":
            rest = begun.pop(thread, "") + rest
        if " = -1 " in rest or call not in _CALLS:
            continue
        event = _event(call, rest, folder)
        if event is not None:
            yield event


def _text(escaped: str) -> str:
    return _bytes(escaped).decode(errors="replace") if "\\x" in escaped else escaped


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _event(call: str, rest: str, folder: Path) -> Event | None:
    """Return what a finished call did to the folder, if anything."""
    if call in {"openat", "unlink"}:
        quoted = _QUOTED.search(rest)
        name = _inside(_text(quoted[1]), folder) if quoted else None
        if not name or (call == "openat" and "O_CREAT" not in rest):
            return None
        return Event("create" if call == "openat" else "unlink", name)
    descriptor = _DESCRIPTOR.match(rest)
    path = _text(descriptor[2]) if descriptor else ""
    if call == "write" and path.startswith("pipe:"):
        return Event("ack", data=_quoted(rest).strip())
    name = _inside(path, folder)
    return None if name is None else _file_event(call, rest, name)


def _file_event(call: str, rest: str, name: str) -> Event:
    if call in {"fdatasync", "fsync"}:
        return Event("sync", name)
    number = int(rest.rpartition(")")[0].rpartition(", ")[2])
    if call == "ftruncate":
        return Event("truncate", name, offset=number)
    return Event("write", name, offset=number, data=_quoted(rest))


def _quoted(rest: str) -> bytes:
    found = _QUOTED.search(rest)
    return _bytes(found[1]) if found else b""


def _inside(path: str, folder: Path) -> str | None:
    """Return a file's name, "" for the folder itself, None for what a power loss leaves out."""
    if path == str(folder):
        return ""
    if not path.startswith(f"{folder}/") or path.endswith(("-shm", "-lock")):
        return None
    return path.removeprefix(f"{folder}/")


@dataclass
class _File:
    """What of a file is safe, and what was written since its last sync, in order."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)  # None: truncated there


class Disk:
    """What is on the disk for certain, and what may be."""

    def __init__(self) -> None:
        """Begin with an empty folder that is safe."""
        self._now: dict[str, _File] = {}
        self._safe: dict[str, _File] = {}

    def apply(self, event: Event) -> None:
        """Let something happen."""
        if event.action == "create":
            self._now.setdefault(event.name, _File())
        elif event.action == "unlink":
            self._now.pop(event.name, None)
        elif event.action == "write":
            self._now[event.name].pending.append((event.offset, event.data))
        elif event.action == "truncate":
            self._now[event.name].pending.append((event.offset, None))
        elif event.action == "sync" and event.name:
            file = self._now[event.name]
            file.durable = written(file.durable, file.pending)
            file.pending = []
        elif event.action == "sync":
            self._safe = dict(self._now)

    def kept(self) -> dict[str, bytes]:
        """Return the disk on which everything arrived."""
        return {name: bytes(written(f.durable, f.pending)) for name, f in self._now.items()}

    def dropped(self) -> dict[str, bytes]:
        """Return the disk on which nothing arrived that was not synced."""
        return {name: bytes(file.durable) for name, file in self._safe.items()}

    def scattered(self, rng: random.Random) -> dict[str, bytes]:
        """Return a disk on which any sectors arrived, in any order, and any names."""
        names = dict(self._safe)
        for name in sorted({*self._now, *self._safe}):
            if rng.random() < _EVEN:
                _set(names, name, self._now.get(name))
        return {
            name: bytes(written(file.durable, some_sectors(file.pending, rng)))
            for name, file in names.items()
        }

    def torn(self, rng: random.Random) -> dict[str, bytes]:
        """Return a disk on which writes arrived in order, up to the middle of one."""
        image = {}
        for name, file in self._now.items():
            image[name] = bytes(written(file.durable, torn_writes(file.pending, rng)))
        return image


def _set(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def torn_writes(writes: Sequence[Write], rng: random.Random) -> list[Write]:
    """Return writes up to the middle of one."""
    arrived = list(writes[: rng.randint(0, len(writes))])
    if arrived and arrived[-1][1]:
        offset, data = arrived[-1]
        sectors = rng.randint(0, len(data or b"") // _SECTOR)
        arrived[-1] = (offset, (data or b"")[: sectors * _SECTOR])
    return arrived


def written(start: bytearray, writes: Iterable[Write]) -> bytearray:
    """Return a content with writes made to it in order."""
    content = bytearray(start)
    for offset, data in writes:
        if data is None:
            del content[offset:]
            content.extend(bytes(max(offset - len(content), 0)))
        elif data:
            content.extend(bytes(max(offset - len(content), 0)))
            content[offset : offset + len(data)] = data
    return content


def some_sectors(writes: Iterable[Write], rng: random.Random) -> Iterator[Write]:
    """Give any sectors of some writes."""
    for offset, data in writes:
        if data is None:
            if rng.random() < _EVEN:
                yield offset, None
            continue
        end, at = offset + len(data), offset
        while at < end:
            following = min(end, (at // _SECTOR + 1) * _SECTOR)
            if rng.random() < _EVEN:
                yield at, data[at - offset : following - offset]
            at = following


@dataclass(frozen=True)
class Images:
    """How to draw images from a run: every `stride`-th operation, `draws` random ones of a kind."""

    seed: int = 0
    stride: int = 1
    draws: int = 1

    def of(self, events: Iterable[Event]) -> Iterator[tuple[str, frozenset[int], dict[str, bytes]]]:
        """Return each distinct image: where it is from, what was acknowledged, its files."""
        rng = random.Random(self.seed)
        disk, acked, seen = Disk(), set[int](), set[bytes]()
        for place, event in enumerate(events):
            disk.apply(event)
            if event.action == "ack":
                acked.add(int(event.data))
            if place % self.stride:
                continue
            for kind, image in self._draw(disk, rng):
                mark = digest(image, len(acked))
                if mark not in seen:
                    seen.add(mark)
                    yield f"{kind} after operation {place}", frozenset(acked), image

    def _draw(self, disk: Disk, rng: random.Random) -> Iterator[tuple[str, dict[str, bytes]]]:
        yield "kept", disk.kept()
        yield "dropped", disk.dropped()
        for _ in range(self.draws):
            yield "scattered", disk.scattered(rng)
            yield "torn", disk.torn(rng)


def digest(image: Mapping[str, bytes], acked: int) -> bytes:
    """Return what tells one image from another."""
    digest = hashlib.blake2b(str(acked).encode(), digest_size=16)
    for name in sorted(image):
        digest.update(name.encode() + b"\0" + image[name] + b"\0")
    return digest.digest()


def lose_power(
    zygote: Zygote, plan: str, folder: Path, images: Images, *, synchronous: str = "full"
) -> Tally:
    """Record a plan's run, then open every image of it with the engine and judge what it holds."""
    tally = Tally(f"power loss: {plan}, synchronous={synchronous}")
    started = time.monotonic()
    run = folder / "run"
    run.mkdir()
    events = record_run(zygote, plan, run, synchronous=synchronous)
    tally.operations = sum(event.action == "ack" for event in events)
    for where, acked, image in images.of(events):
        place = folder / f"image-{tally.images}"
        place.mkdir()
        for name, content in image.items():
            (place / name).write_bytes(content)
        path = place / "book.db"
        tally.images += 1
        try:
            observed = asyncio.run(
                observe(path, sessions_of(PLANS[plan]), probe=tally.images % 8 == 0)
            )
        except Exception as exc:  # noqa: BLE001 - any failure to open is the finding
            tally.add(where, (), [f"does not open: {type(exc).__name__}: {exc}"])
        else:
            tally.add(where, judge(PLANS[plan], Outcomes(acked), observed.stored), observed.faults)
        for file in place.iterdir():
            file.unlink()
        place.rmdir()
    tally.seconds = time.monotonic() - started
    return tally
