"""No id reaches outside the store, and no two ids meet in one file."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from daybook.engines.file import FileEngine
from daybook.engines.file.paths import (
    Place,
    listing_of,
    name_of,
    records_place,
    session_key,
    session_place,
    tenant_of,
)
from daybook.errors import StoreUnavailableError
from daybook.model.scope import Scope
from daybook.testing.fake_clock import FakeClock
from daybook.testing.odd_data import AWKWARD_IDS
from daybook.testing.sample_data import entries, make_session, record
from tests.engines.file.stores import engine_at, sessions_in

HOSTILE = [
    "../../etc/passwd",
    "..",
    ".",
    "/etc/passwd",
    "//host/share",
    "\\\\host\\share",
    "C:",
    "C:\\x",
    "CON",
    "con",
    "NUL.txt",
    "aux",
    "a/../../b",
    "a\0b",
    "a\nb",
    "~root",
    "$HOME",
    "%2e%2e%2f",
    "x" * 300,
    "y" * 1024,
    "caf\u00e9",
    "cafe\u0301",
    "Key",
    "key",
    "KEY",
    "stra\u00dfe",
    "strasse",
    "name.",
    "name ",
    "name",
    "daybook.json",
    "lock",
    "tmp",
    ".git",
    "-rf",
    "*",
]


def _many() -> list[str]:
    """Return 5,000 different ids made of what confuses paths."""
    rng = random.Random(8)  # noqa: S311 - reproducible on purpose
    parts = ["..", "/", "\\", "\0", ".", ":", " ", "a", "A", "\u0301", "\u202e", "con", "x" * 60]
    made = {*HOSTILE, *AWKWARD_IDS}
    while len(made) < 5000:
        made.add("".join(rng.choices(parts, k=rng.randint(1, 8))))
    return sorted(made)


def _logs(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*.log") if path.is_file()]


def _parts(place: Place) -> tuple[str, ...]:
    return (*place.folders, place.name)


def test_names_are_plain_and_differ_when_case_is_folded() -> None:
    """Five thousand ids in each role: plain lower-case names, never the same one twice."""
    plain = set("abcdefghijklmnopqrstuvwxyz0123456789.")
    found: set[str] = set()
    ids = _many()
    for one in ids:
        places = [
            _parts(session_place(session_key("t", one))),
            _parts(session_place(session_key(one, "s"))),
            listing_of(tenant_of("t"), name_of("user", "t", one)),
            _parts(records_place(tenant_of("t"), name_of("records", "t", one))),
        ]
        for parts in places:
            assert all(set(part) <= plain and part.strip(".") for part in parts)
            found.add("/".join(parts).casefold())
    assert len(found) == 4 * len(ids)


def test_ids_do_not_run_together() -> None:
    assert name_of("session", "ab", "c") != name_of("session", "a", "bc")
    assert name_of("session", "a") != name_of("user", "a")


async def test_hostile_ids_stay_inside(tmp_path: Path) -> None:
    clock = FakeClock()
    engine = FileEngine(tmp_path / "s", clock=clock, fsync=False)
    for name in HOSTILE:
        scope = Scope(name, name)
        made = make_session(name, clock, user=name)
        await engine.log.append(scope, name, entries("m"), create=made)
        await engine.records.put(scope, [record(name, namespace=(name,))])
    assert await engine.log.tenants() == sorted(HOSTILE)
    await engine.close()
    assert [path.name for path in tmp_path.iterdir()] == ["s"]  # noqa: ASYNC240
    assert len(sessions_in(tmp_path / "s")) == len(HOSTILE)
    async with engine_at(tmp_path / "s", clock) as again:
        for name in HOSTILE:
            assert len(await again.log.read(Scope(name, name), name)) == 1
            page = await again.log.list_sessions(Scope(name, name), limit=9)
            assert [one.id for one in page.items] == [name]


@pytest.mark.parametrize("level", ["tenants", "tenant", "sessions", "part", "file"])
async def test_links_are_not_followed(tmp_path: Path, level: str) -> None:
    """A link that somebody put in the place of a folder or file of the store."""
    clock, scope = FakeClock(), Scope("t", "u")
    async with engine_at(tmp_path / "s", clock) as engine:
        await engine.log.append(scope, "x", entries("a"), create=make_session("x", clock, user="u"))
    place = session_place(session_key("t", "x"))
    depth = ["tenants", "tenant", "sessions", "part", "file"].index(level) + 1
    target = (tmp_path / "s").joinpath(*_parts(place)[:depth])
    moved = tmp_path / "elsewhere"
    target.rename(moved)
    target.symlink_to(moved)
    before = {path: path.read_bytes() for path in _logs(tmp_path)}
    with pytest.raises(StoreUnavailableError):
        async with engine_at(tmp_path / "s", clock) as engine:
            await engine.log.append(scope, "x", entries("b"))
    assert all(path.read_bytes() == body for path, body in before.items())
