"""Power loss on a tree of folders: every disk that a recorded run of the file engine could leave.

As in `tools.crash.power_loss`, with what an engine of many files needs on top: folders that are
made, names that move, files with two names. A name is on the disk for certain once its folder
was synced, whatever was synced of the file it stands for.
"""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from daybook.engines.file.paths import GENERATION
from tools.crash.plan import PLANS, Outcomes, judge, sessions_of
from tools.crash.power_loss import Images, Write, digest, some_sectors, torn_writes, written
from tools.crash.store import FOLDER, observe
from tools.crash.strace import Strace, record
from tools.crash.tally import Tally
from tools.crash.zygote import Zygote

__all__ = ["Step", "Tree", "lose_folder_power", "read_trace", "record_folder_run"]

Action = Literal["ack", "create", "link", "mkdir", "remove", "rename", "sync", "truncate", "write"]

_CALLS = (
    "openat",
    "mkdir",
    "mkdirat",
    "linkat",
    "renameat",
    "renameat2",
    "unlinkat",
    "pwrite64",
    "write",
    "ftruncate",
    "fdatasync",
    "fsync",
)
_MOVES: Mapping[str, Action] = {"linkat": "link", "renameat": "rename", "renameat2": "rename"}
_LINE = re.compile(r"^(\d+)\s+(?:<\.\.\. )?(\w+)(\(| resumed>)(.*)$")
_UNFINISHED = " <unfinished ...>"
_TEXT = r'"((?:\\x[0-9a-f]{2})*)"'
_AT = r"(?:AT_FDCWD|\d+)<((?:\\x[0-9a-f]{2}|[^>\\])*)>"
_PLACE = re.compile(rf"(?:{_AT}, )?{_TEXT}")
_DESCRIPTOR = re.compile(r"^\d+<((?:\\x[0-9a-f]{2}|[^>\\])*)>")
_QUOTED = re.compile(_TEXT)
_EVEN = 0.5
_PROBE_EVERY = 8


@dataclass(frozen=True)
class Step:
    """One thing that happened to the tree, or an acknowledgement that left the process."""

    action: Action
    path: str = ""
    target: str = ""
    offset: int = 0
    data: bytes = b""


def record_folder_run(zygote: Zygote, plan: str, folder: Path, *, synchronous: str) -> list[Step]:
    """Run a plan on a new store in a folder and return what it did to the disk."""
    store = folder / f"book{FOLDER}"
    trace = folder.parent / f"{folder.name}.strace"
    child = zygote.spawn("plan", plan=plan, path=store, synchronous=synchronous)
    with Strace(child, record(_CALLS, trace, longest=1 << 20)):
        child.go()
        child.lines()
        if child.wait():
            raise RuntimeError("the recorded run failed")
    with trace.open() as lines:
        steps = list(read_trace(lines, store))
    trace.unlink()
    return steps


def read_trace(lines: Iterable[str], root: Path) -> Iterator[Step]:
    """Return what a trace did below a root, and the acknowledgements."""
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
        if " = -1 " not in rest and call in _CALLS:
            step = _step(call, rest, root)
            if step is not None:
                yield step


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _text(escaped: str) -> str:
    return _bytes(escaped).decode() if "\\x" in escaped else escaped


def _below(path: str, root: Path) -> str | None:
    """Return a path from the root on, "" for the root; None for what lies elsewhere."""
    if path == str(root):
        return ""
    return path.removeprefix(f"{root}/") if path.startswith(f"{root}/") else None


def _places(rest: str, root: Path) -> list[str | None]:
    """Return the paths that a call names, each from the folder it is relative to."""
    found = []
    for folder, name in _PLACE.findall(rest):
        path = Path(_text(folder)) / _text(name) if folder else Path(_text(name))
        found.append(_below(str(path), root))
    return found


def _step(call: str, rest: str, root: Path) -> Step | None:
    if call in {"write", "pwrite64", "ftruncate", "fdatasync", "fsync"}:
        return _file_step(call, rest, root)
    places = _places(rest, root)
    path = places[0] if places else None
    if path is None:
        return None
    if call == "openat":
        return Step("create", path) if "O_CREAT" in rest else None
    if call.startswith("mkdir"):
        return Step("mkdir", path)
    if call == "unlinkat":
        return Step("remove", path)
    return Step(_MOVES[call], path, places[1] or "")


def _file_step(call: str, rest: str, root: Path) -> Step | None:
    descriptor = _DESCRIPTOR.match(rest)
    path = _text(descriptor[1]) if descriptor else ""
    quoted = _QUOTED.search(rest)
    data = _bytes(quoted[1]) if quoted else b""
    if call == "write" and path.startswith("pipe:"):
        return Step("ack", data=data.strip())
    below = _below(path, root)
    if below is None or call == "write":
        return None
    if call in {"fdatasync", "fsync"}:
        return Step("sync", below)
    number = int(rest.rpartition(")")[0].rpartition(", ")[2])
    if call == "ftruncate":
        return Step("truncate", below, offset=number)
    return Step("write", below, offset=number, data=data)


@dataclass
class _File:
    """What of a file is safe, and what was written since its last sync, in order."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)


@dataclass
class _Folder:
    """The names in a folder now, and those that are safe."""

    now: dict[str, _File | _Folder] = field(default_factory=dict)
    safe: dict[str, _File | _Folder] = field(default_factory=dict)


_Names = Callable[[_Folder], Mapping[str, "_File | _Folder"]]
_Content = Callable[[_File], bytes]


class Tree:
    """What is on the disk for certain, and what may be."""

    def __init__(self) -> None:
        """Begin with an empty root that is safe."""
        self._root = _Folder()

    def apply(self, step: Step) -> None:
        """Let something happen."""
        if step.action == "sync":
            self._sync(self._find(step.path))
        elif step.action in {"write", "truncate"}:
            found = self._find(step.path)
            if isinstance(found, _File):
                data = step.data if step.action == "write" else None
                found.pending.append((step.offset, data))
        elif step.action != "ack" and step.path:
            self._rename(step)

    def _rename(self, step: Step) -> None:
        folder, name = self._parent(step.path)
        if step.action == "create":
            folder.now.setdefault(name, _File())
        elif step.action == "mkdir":
            folder.now[name] = _Folder()
        elif step.action == "remove":
            del folder.now[name]
        else:
            target, new = self._parent(step.target)
            target.now[new] = folder.now[name]
            if step.action == "rename":
                del folder.now[name]

    def _sync(self, found: _File | _Folder) -> None:
        if isinstance(found, _Folder):
            found.safe = dict(found.now)
        else:
            found.durable = written(found.durable, found.pending)
            found.pending = []

    def _find(self, path: str) -> _File | _Folder:
        found: _File | _Folder = self._root
        for name in Path(path).parts:
            if not isinstance(found, _Folder):
                raise KeyError(path)
            found = found.now[name]
        return found

    def _parent(self, path: str) -> tuple[_Folder, str]:
        found = self._find(str(Path(path).parent))
        if not isinstance(found, _Folder):
            raise KeyError(path)
        return found, Path(path).name

    def kept(self) -> dict[str, bytes]:
        """Return the tree on which everything arrived."""
        return _image(self._root, lambda folder: folder.now, _everything)

    def dropped(self) -> dict[str, bytes]:
        """Return the tree on which nothing arrived that was not synced."""
        return _image(self._root, lambda folder: folder.safe, lambda file: bytes(file.durable))

    def scattered(self, rng: random.Random) -> dict[str, bytes]:
        """Return a tree on which any names and any sectors arrived, in any order."""

        def names(folder: _Folder) -> dict[str, _File | _Folder]:
            chosen: dict[str, _File | _Folder] = {}
            for name in sorted({*folder.now, *folder.safe}):
                found = (folder.now if rng.random() < _EVEN else folder.safe).get(name)
                if found is not None:
                    chosen[name] = found
            return chosen

        def content(file: _File) -> bytes:
            return bytes(written(file.durable, some_sectors(file.pending, rng)))

        return _image(self._root, names, content)

    def torn(self, rng: random.Random) -> dict[str, bytes]:
        """Return a tree on which every name arrived, and writes up to the middle of one."""
        return _image(
            self._root,
            lambda folder: folder.now,
            lambda file: bytes(written(file.durable, torn_writes(file.pending, rng))),
        )


def _everything(file: _File) -> bytes:
    return bytes(written(file.durable, file.pending))


def _image(root: _Folder, names: _Names, content: _Content) -> dict[str, bytes]:
    """Return every file and its content; a folder ends in a slash. Two names have one content."""
    image: dict[str, bytes] = {}
    known: dict[int, bytes] = {}

    def walk(folder: _Folder, path: str) -> None:
        for name, found in names(folder).items():
            if isinstance(found, _Folder):
                image[f"{path}{name}/"] = b""
                walk(found, f"{path}{name}/")
                continue
            if id(found) not in known:
                known[id(found)] = content(found)
            image[path + name] = known[id(found)]

    walk(root, "")
    return image


def _draw(
    steps: Iterable[Step], images: Images
) -> Iterator[tuple[str, frozenset[int], dict[str, bytes]]]:
    """Give each distinct image: where it is from, what was acknowledged, its files."""
    rng = random.Random(images.seed)
    tree, acked, seen = Tree(), set[int](), set[bytes]()
    for place, step in enumerate(steps):
        tree.apply(step)
        if step.action == "ack":
            acked.add(int(step.data))
        if place % images.stride:
            continue
        drawn = [("kept", tree.kept()), ("dropped", tree.dropped())]
        for _ in range(images.draws):
            drawn += [("scattered", tree.scattered(rng)), ("torn", tree.torn(rng))]
        for kind, image in drawn:
            mark = digest(image, len(acked))
            if mark not in seen:
                seen.add(mark)
                yield f"{kind} after step {place}", frozenset(acked), image


def _put(image: Mapping[str, bytes], root: Path) -> None:
    """Write an image; the machine has restarted since, so its mark of the last start is gone."""
    root.mkdir()
    for name, content in image.items():
        if name.endswith("/"):
            (root / name).mkdir(exist_ok=True)
        elif name != GENERATION:
            (root / name).write_bytes(content)


def lose_folder_power(
    zygote: Zygote, plan: str, folder: Path, images: Images, *, synchronous: str = "full"
) -> Tally:
    """Record a plan's run, then open every image of it with the engine and judge what it holds."""
    tally = Tally(
        f"power loss: {plan} in a folder, fsync={synchronous == 'full'}".lower(), engine="file"
    )
    started = time.monotonic()
    run = folder / "run"
    run.mkdir()
    steps = record_folder_run(zygote, plan, run, synchronous=synchronous)
    tally.operations = sum(step.action == "ack" for step in steps)
    for where, acked, image in _draw(steps, images):
        shutil.rmtree(run)  # in the same place: a store knows where its index is
        run.mkdir()
        _put(image, run / f"book{FOLDER}")
        tally.images += 1
        probe = tally.images % _PROBE_EVERY == 0
        try:
            observed = asyncio.run(
                observe(run / f"book{FOLDER}", sessions_of(PLANS[plan]), probe=probe)
            )
        except Exception as exc:  # noqa: BLE001 - any failure to open is the finding
            tally.add(where, (), [f"does not open: {type(exc).__name__}: {exc}"])
        else:
            tally.add(where, judge(PLANS[plan], Outcomes(acked), observed.stored), observed.faults)
    tally.seconds = time.monotonic() - started
    return tally
