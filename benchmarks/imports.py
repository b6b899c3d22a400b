"""How long an import takes in a fresh interpreter, above one that imports nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from benchmarks.harness import Settings, interleave, timed
from benchmarks.report import Report, Table, at_most

__all__ = ["run"]

_NOTHING = "pass"
_STATEMENTS = (
    _NOTHING,
    "import asyncio",
    "import daybook",
    "from daybook import Daybook, Message",
    "from agents import SQLiteSession",
    "from langchain_community.chat_message_histories import SQLChatMessageHistory",
    "from langgraph.checkpoint.sqlite import SqliteSaver",
    "from langgraph.store.sqlite import SqliteStore",
    "import ai_infra",
    "import sqlalchemy",
    "import numpy",
)
_LIMIT_MS = 60.0


def run(settings: Settings) -> Report:
    """Measure imports."""
    report = Report("Import, wall")
    works = {one: _works(one) for one in _STATEMENTS}
    steps = {one: _round_of(one) for one, fine in works.items() if fine}
    found = interleave(steps, settings, "imports")
    rows: list[list[str]] = []
    for statement in _STATEMENTS:
        if statement not in found:
            rows.append([f"`{statement}`", "not installed", ""])
            continue
        report.keep(statement, found[statement])
        added = found[statement].minus(found[_NOTHING]).median * 1e3
        rows.append([f"`{statement}`", f"{added:.0f} ms", str(_modules(statement))])
        if "daybook" in statement:
            report.verdicts.append(at_most(statement, added, _LIMIT_MS, "ms", 0))
    columns = ["statement", "above an empty interpreter", "modules loaded"]
    report.tables.append(Table("Wall time, files cached", columns, rows))
    return report


def _run(statement: str, tail: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", statement + tail],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else ""


def _works(statement: str) -> bool:
    return _run(statement, "\nprint('fine')") == "fine"


def _modules(statement: str) -> int:
    return int(_run(statement, "\nimport sys; print(len(sys.modules))") or 0)


def _round_of(statement: str) -> Callable[[], float]:
    return lambda: timed(lambda: _run(statement))
