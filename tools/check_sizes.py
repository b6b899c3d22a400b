"""Keep files, classes and functions small: fail over the limits, report the medians.

A file that is too long holds two ideas; a function that is too long hides one. Lines are
physical lines, docstrings and blanks included, decorators not.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = {"file": 700, "class": 400, "function": 60}


@dataclass(frozen=True)
class Measure:
    """How long one file, class or function is."""

    kind: str
    where: str
    lines: int

    @property
    def too_long(self) -> bool:
        """Tell whether this is over the limit for its kind."""
        return self.lines > LIMITS[self.kind]


def measure_source(source: str, where: str) -> list[Measure]:
    """Measure one module's text and every class and function in it, nested ones too."""
    measures = [Measure("file", where, len(source.splitlines()))]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef):
            kind = "class"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "function"
        else:
            continue
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        measures.append(Measure(kind, f"{where}:{node.lineno} {node.name}", lines))
    return measures


def measure_folder(folder: Path) -> list[Measure]:
    """Measure every Python file under `folder`."""
    return [
        measure
        for path in sorted(folder.rglob("*.py"))
        for measure in measure_source(path.read_text(), str(path.relative_to(folder)))
    ]


def describe(measures: list[Measure], kind: str) -> str:
    """Sum up one kind: count, median, 95th percentile and maximum against the limit."""
    lengths = sorted(measure.lines for measure in measures if measure.kind == kind)
    if not lengths:
        return f"{kind}: none"
    high = lengths[min(len(lengths) - 1, int(len(lengths) * 0.95))]
    return (
        f"{kind}: {len(lengths)}, median {statistics.median(lengths):g}, "
        f"p95 {high}, longest {lengths[-1]} (limit {LIMITS[kind]})"
    )


def main() -> int:
    """Measure a folder; the exit status is 1 if anything in it is too long."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "src")
    measures = measure_folder(parser.parse_args().folder)
    for kind in LIMITS:
        print(describe(measures, kind))
    offenders = [measure for measure in measures if measure.too_long]
    for offender in offenders:
        limit = LIMITS[offender.kind]
        print(f"{offender.where}: {offender.kind} of {offender.lines} lines, limit {limit}")
    return 1 if offenders else 0


if __name__ == "__main__":
    sys.exit(main())
