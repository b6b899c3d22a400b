"""What the numbers were measured on: machine, disk, versions, commit, command."""

from __future__ import annotations

import os
import platform
import shlex
import sqlite3
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from tempfile import NamedTemporaryFile

__all__ = ["describe", "fsync_cost"]

_PEERS = (
    "aiosqlite",
    "ai-infra",
    "langchain-community",
    "langchain-core",
    "langchain-mongodb",
    "langchain-postgres",
    "langgraph",
    "langgraph-checkpoint-sqlite",
    "openai-agents",
    "psycopg",
    "pymongo",
    "redis",
)
_FSYNCS = 60


def describe(folder: Path, arguments: list[str]) -> dict[str, str]:
    """Return what a result's header says."""
    return {
        "command": shlex.join(["python", "-m", "benchmarks", *arguments]),
        "commit": _commit(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} "
        f"{platform.release()}; load when started {os.getloadavg()[0]:.1f}",
        "disk": f"one fsync of a grown file {fsync_cost(folder) * 1e6:.0f} µs, median of {_FSYNCS}",
        "versions": f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"daybook {version('daybook')}",
        "others": ", ".join(_installed()),
    }


def fsync_cost(folder: Path) -> float:
    """Return the median time of one 4 KiB write with fsync, in seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    taken: list[float] = []
    with NamedTemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(_FSYNCS):
            start = time.perf_counter()
            file.write(b"x" * 4096)
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - start)
    return median(taken)


def _commit() -> str:
    root = Path(__file__).parent
    try:
        head = _git(root, "rev-parse", "--short", "HEAD")
        changed = _git(root, "status", "--porcelain", "--", "../src")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head} with uncommitted changes in src" if changed else head


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _installed() -> list[str]:
    found: list[str] = []
    for name in _PEERS:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} not installed")
    return found


if __name__ == "__main__":
    print(describe(Path(".bench"), sys.argv[1:]))
