"""What the long leg shares with the short one, and the table it ends with."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.conftest import quick_folder, tracer, zygote
from tools.crash.report import (
    add_row,
    engine_table,
    headline,
    leave,
    read_rows,
    table,
    write_report,
)
from tools.crash.tally import Tally

__all__ = ["judged", "quick_folder", "tracer", "zygote"]

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "torture"
ENGINES_ONLY = "tests/torture/test_engines.py"
Judged = Callable[[Tally], None]


def run_folder() -> Path:
    """Where this run's rows are kept until its last worker ends."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"alone-{os.getpid()}")
    return Path(tempfile.gettempdir()) / f"daybook-torture-{run}"


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Judged:
    """Write a tally into the table, then fail if it is not as it must be.

    A test whose name ends in `convicted` is a control: its tally must not be sound.
    """
    control = request.function.__name__.endswith("convicted")

    def judge(tally: Tally) -> None:
        add_row(run_folder(), tally, control=control)
        assert tally.sound is not control, tally.examples

    return judge


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Print the table when the last worker ends; keep it if nothing was left out."""
    folder = run_folder()
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if not leave(folder, workers):
        return
    rows = read_rows(folder)
    shutil.rmtree(folder)
    if not rows:
        return
    print(f"\n{table(rows)}\n\n{engine_table(rows)}\n\n{headline(rows)}", file=sys.__stderr__)
    if session.config.option.keyword:
        return
    if any(ENGINES_ONLY in argument for argument in session.config.args):
        out = RESULTS.with_name("torture_engines")
        write_report(rows, out, f"make torture ARGS={ENGINES_ONLY}")
    else:
        write_report(rows, RESULTS, "make torture")
