"""``daybook doctor``: is everything there, and is this daybook well."""

from __future__ import annotations

import asyncio
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, metadata, version
from typing import Any

import click

from daybook._version import __version__
from daybook.cli.command import daybook_command
from daybook.cli.settings import Settings
from daybook.cli.terminal import make_console, print_json, printable
from daybook.client import AsyncDaybook
from daybook.errors import DaybookError
from daybook.registry import EMBEDDERS, ENGINES, available, load_embedder

__all__ = ["command"]

_EXTRAS = ("minilm",)


@daybook_command("doctor", examples=["daybook doctor --url sqlite:///chat.db"])
async def command(settings: Settings) -> None:
    """Check the installation and this daybook.

    Tells what is installed, what the engine promises here, and how far the index is behind. The
    exit code is 1 if something is wrong.
    """
    found = await asyncio.to_thread(_installation)
    found["daybook"] = await _daybook(settings)
    found["problems"] = _problems(found)
    if settings.as_json:
        print_json(found)
    else:
        _show(found)
    if found["problems"]:
        click.get_current_context().exit(1)


def _installation() -> dict[str, Any]:
    return {
        "version": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "sqlite": sqlite3.sqlite_version,
        "engines": {name: _engine(name) for name in available(ENGINES)},
        "embedders": {name: _embedder(name) for name in available(EMBEDDERS)},
        "extras": {name: _extra(name) for name in _EXTRAS},
    }


def _engine(name: str) -> str:
    """Return ``ok``, or why an engine cannot be loaded."""
    try:
        available(ENGINES)[name].load()
    except (ImportError, AttributeError, DaybookError) as exc:
        return _reason(exc)
    return "ok"


def _embedder(name: str) -> str:
    """Return the embedder's id, or why it cannot be used."""
    try:
        return f"ok: {load_embedder(name).id}"
    except (ImportError, AttributeError, DaybookError, OSError) as exc:
        return _reason(exc)


def _extra(name: str) -> dict[str, Any]:
    """Return which packages of an extra are installed."""
    packages: dict[str, str | None] = {}
    for requirement in metadata("daybook").get_all("Requires-Dist") or []:
        wanted, _, marker = str(requirement).partition(";")
        if f"extra == '{name}'" not in marker and f'extra == "{name}"' not in marker:
            continue
        package = wanted.split("[")[0].split(">")[0].split("=")[0].split("<")[0].strip()
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = None
    return {"installed": all(packages.values()), "packages": packages}


async def _daybook(settings: Settings) -> dict[str, Any]:
    """Return what can be said of the daybook the settings name."""
    about: dict[str, Any] = {"tenant": settings.tenant, "embedder": settings.embedder}
    path = settings.path
    if path is not None:
        about["file"] = str(path)
        about["exists"] = path.exists()
        if not about["exists"]:
            return about
        about["bytes"] = path.stat().st_size
    try:
        async with settings.open() as book:
            about.update(await _opened(book))
    except DaybookError as exc:
        about["error"] = str(exc)
    return about


async def _opened(book: AsyncDaybook) -> dict[str, Any]:
    counts = await book.sessions.stats()
    work = book.reindexing
    return {
        "capabilities": book.capabilities,
        "sessions": counts.session_count,
        "messages": counts.message_count,
        "index": await book.recall.state(),
        "reindex": None if work is None else await work.unfinished(),
    }


def _problems(found: dict[str, Any]) -> list[str]:
    """Return what is wrong; what is merely not installed is not."""
    problems = [
        f"engine {name}: {state}"
        for name, state in found["engines"].items()
        if state != "ok" and not state.startswith("not installed")
    ]
    problems += [
        f"embedder {name}: {state}"
        for name, state in found["embedders"].items()
        if not state.startswith(("ok", "not installed"))
    ]
    daybook = found["daybook"]
    if "error" in daybook:
        problems.append(daybook["error"])
    chosen = daybook["embedder"].partition(":")[0]
    if chosen != "none" and not found["embedders"].get(chosen, "").startswith("ok"):
        problems.append(f"the chosen embedder {chosen} cannot be used")
    index = daybook.get("index")
    if index is not None and index.last_error:
        problems.append(f"indexing waits after an error: {index.last_error}")
    return problems


def _reason(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"not installed: {error}"
    return f"{type(error).__name__}: {error}"


def _show(found: dict[str, Any]) -> None:
    from rich.text import Text  # noqa: PLC0415 - slow to load

    console = make_console()

    def line(name: str, value: str, *, good: bool | None = None) -> None:
        mark, style = {True: ("✓", "green"), False: ("✗", "red"), None: (" ", "")}[good]
        text = Text.assemble((f"{mark} ", style), (f"{name:<14}", "bold"), printable(value))
        console.print(text, soft_wrap=True)

    line("daybook", found["version"])
    line("python", f"{found['python']} on {found['platform']}")
    line("sqlite", found["sqlite"])
    for kind in ("engines", "embedders"):
        for name, state in found[kind].items():
            missing = state.startswith("not installed")
            line(name, state, good=None if missing else state.startswith("ok"))
    for name, extra in found["extras"].items():
        absent = [package for package, has in extra["packages"].items() if not has]
        line(f"extra {name}", "installed" if not absent else f"without {', '.join(absent)}")
    console.print()
    for name, value in _daybook_lines(found["daybook"]):
        line(name, value)
    for problem in found["problems"]:
        line("problem", problem, good=False)
    if not found["problems"]:
        line("all is well", "", good=True)


def _daybook_lines(about: dict[str, Any]) -> list[tuple[str, str]]:
    lines = [("tenant", about["tenant"])]
    if "file" in about:
        size = f"{about['bytes']:,} bytes" if about["exists"] else "not there yet"
        lines.insert(0, ("file", f"{about['file']} ({size})"))
    if "capabilities" not in about:
        return lines
    engine, index = about["capabilities"], about["index"]
    waiting = (
        f"more than {index.pending_sessions:,}"
        if index.more_pending
        else (f"{index.pending_sessions:,}")
    )
    lines += [
        ("engine", engine.engine),
        ("durability", f"{engine.ack}: {engine.durability}"),
        ("order", engine.order),
        ("processes", "several may share it" if engine.several_processes else "one only"),
        ("holds", f"{about['sessions']:,} sessions, {about['messages']:,} messages"),
        ("indexed", f"{index.documents:,} messages and records, {waiting} sessions wait"),
    ]
    lines += [("embedded by", f"{name or 'none'}: {n:,}") for name, n in index.embedders.items()]
    old = sum(n for name, n in index.embedders.items() if name != index.current_embedder)
    if old:
        lines.append(
            ("to re-embed", f"{old:,} of another embedder: by and by, or with `daybook reindex`")
        )
    if run := about["reindex"]:
        lines.append(
            ("reindexing", f"{run.done:,} of {run.total:,} sessions: `daybook reindex` goes on")
        )
    lines += [("warning", warning) for warning in engine.warnings]
    return lines
