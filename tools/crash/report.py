"""The table of a long run: each check leaves a row, the last one to end writes them all down."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.crash.tally import Tally

__all__ = ["add_row", "engine_table", "headline", "leave", "read_rows", "table", "write_report"]

Row = Mapping[str, Any]

_COLUMNS = ("operations", "kills", "faults", "images")
_ANOMALIES = ("lost", "duplicated", "reordered", "torn")
_ABOUT = (
    "Operations are acknowledged batches; kills, faults and images are what the store was put "
    "through; a cancelled call counts as a fault. Lost, duplicated, reordered and torn count "
    "batches; the last column counts anything else: a damaged file, an error without a type, a "
    "call that never returned, a message that recall does not find, a cell of the isolation "
    "matrix. Controls are broken on purpose: a run in which one of them passes is void. "
    "`docs/reliability.md` explains each check."
)


def add_row(folder: Path, tally: Tally, *, control: bool) -> None:
    """Leave a check's row."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = {"anomalies": dict(tally.anomalies), "boundaries": dict(tally.boundaries)}
    row = {"control": control, "sound": tally.sound, **vars(tally), **counts}
    of = f"{tally.engine}-{tally.check}"
    name = "".join(letter if letter.isalnum() else "-" for letter in of)
    (folder / f"row-{name}.json").write_text(json.dumps(row))


def read_rows(folder: Path) -> list[Row]:
    """Return every row, controls last."""
    rows: list[Row] = [json.loads(path.read_text()) for path in folder.glob("row-*.json")]
    return sorted(rows, key=lambda row: (row["control"], row["engine"], row["check"]))


def leave(folder: Path, of: int) -> bool:
    """Count a worker out; tell whether it was the last."""
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "left") as counter:
        left = int(counter.read_text() or 0) + 1
        counter.write_text(str(left))
    return left == of


@contextmanager
def _locked(path: Path) -> Iterator[Path]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield path


def headline(rows: Sequence[Row]) -> str:
    """Return the run in one sentence."""
    real = [row for row in rows if not row["control"]]
    done = {name: sum(row[name] for row in real) for name in _COLUMNS}
    bad = {name: sum(row["anomalies"].get(name, 0) for row in real) for name in _ANOMALIES}
    other = sum(row["defects"] for row in real) + sum(
        count for row in real for kind, count in row["anomalies"].items() if kind not in _ANOMALIES
    )
    convicted = sum(not row["sound"] for row in rows if row["control"])
    return (
        f"{done['operations']:,} acknowledged batches, {done['kills']:,} kills, "
        f"{done['faults']:,} faults, {done['images']:,} power-loss images: "
        + ", ".join(f"{count} {name}" for name, count in bad.items())
        + f", {other} other; {convicted} of {len(rows) - len(real)} controls convicted."
    )


def engine_table(rows: Sequence[Row]) -> str:
    """Return what each engine was put through and what it did wrong, controls left out."""
    heads = ("engine", "checks", "calls", "faults", "acknowledged", *_ANOMALIES, "other")
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    for engine in sorted({row["engine"] for row in rows}):
        mine = [row for row in rows if row["engine"] == engine and not row["control"]]
        if not mine:
            continue
        bad: Counter[str] = sum((Counter(row["anomalies"]) for row in mine), Counter())
        faults = sum(row["kills"] + row["faults"] + row["images"] for row in mine)
        calls = sum(max(row["calls"], row["operations"]) for row in mine)
        cells = [str(len(mine)), f"{calls:,}", f"{faults:,}"]
        cells.append(f"{sum(row['operations'] for row in mine):,}")
        cells += [str(bad[one]) for one in _ANOMALIES]
        other = sum(count for kind, count in bad.items() if kind not in _ANOMALIES)
        cells.append(str(other + sum(row["defects"] for row in mine)))
        lines.append(f"| {' | '.join([engine, *cells])} |")
    return "\n".join(lines)


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    heads = ("engine", "check", *_COLUMNS, *_ANOMALIES, "other", "seconds")
    lines = [f"| {' | '.join(heads)} |", f"|---|---|{'---:|' * (len(heads) - 2)}"]
    for row in rows:
        kinds = row["anomalies"]
        other = row["defects"] + sum(kinds.values()) - sum(kinds.get(one, 0) for one in _ANOMALIES)
        name = f"{'control: ' if row['control'] else ''}{row['check'].removeprefix('control: ')}"
        cells = [row["engine"], name, *(f"{row[one]:,}" for one in _COLUMNS)]
        cells += [str(kinds.get(one, 0)) for one in _ANOMALIES]
        cells += [str(other), f"{row['seconds']:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def write_report(rows: Sequence[Row], out: Path, command: str) -> None:
    """Write the table and its raw numbers beside each other."""
    where = _where(command)
    facts = "\n".join(f"- {name}: {value}" for name, value in where.items())
    text = f"# Torture\n\n{headline(rows)}\n\n{facts}\n\n## Every engine\n\n{engine_table(rows)}\n"
    text += f"\n## Every check\n\n{_ABOUT}\n\n{table(rows)}\n"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".md").write_text(text)
    document = {"headline": headline(rows), **where, "rows": rows}
    out.with_suffix(".json").write_text(json.dumps(document, indent=1) + "\n")


def _where(command: str) -> dict[str, str]:
    root = Path(__file__).resolve().parents[2]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=root, capture_output=True, text=True,
        check=False,
    ).stdout.strip()  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "command": command,
        "commit": commit or "unknown",
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}, shared with other work; load {os.getloadavg()[0]:.1f}",
        "versions": f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
    }
