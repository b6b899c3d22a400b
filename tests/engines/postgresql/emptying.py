"""Emptying a schema while what a test before left running at the server may still go on.

A client that cancels a call closes its connection and goes on; the server ends the statement in
its own time, holds its locks till then and may write after the tables were emptied.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

_MOST_ATTEMPTS = 10
_QUIET_WITHIN_S = 60.0
_RUNNING = """SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()
    AND strpos(query, %s) > 0 LIMIT 1"""


def run_alone(connection: psycopg.Connection[Any], schema: str, run: Callable[[], object]) -> None:
    """Run something that locks a schema's tables when no statement on the schema is left.

    Args:
        connection: An administrator's, who sees what others run.
        schema: The schema; statements on it hold its name.
        run: Called anew where a statement that came in between made a deadlock of it.
    """
    for _ in range(_MOST_ATTEMPTS):
        _wait_until_quiet(connection, schema)
        with suppress(psycopg.errors.DeadlockDetected):
            run()
            return
    raise AssertionError(f"statements on {schema} go on at the server")


def _wait_until_quiet(connection: psycopg.Connection[Any], schema: str) -> None:
    end = time.monotonic() + _QUIET_WITHIN_S
    while connection.execute(_RUNNING, (schema,), prepare=True).fetchone() is not None:
        if time.monotonic() > end:
            raise AssertionError(f"a statement on {schema} does not end at the server")
        time.sleep(0.005)
