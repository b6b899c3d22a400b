"""Emptying a schema while what a test before left running at the server may still go on.

A client that cancels a call closes its connection and goes on; the server ends the statement in
its own time, holds its locks till then and may write after the tables were emptied. It may even
begin it after that: so the connections of engines, which carry the schema's name, are ended.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

__all__ = ["PATIENCE", "run_alone"]

# Options of an URL: a call may only fail for what a test does to it, not because the machine stood
# still for some seconds.
PATIENCE = "timeout_s=60&connect_timeout_s=60"

_MOST_ATTEMPTS = 10
_QUIET_WITHIN_S = 60.0
_POLL_S = 0.002
_LEFT = """SELECT CASE WHEN application_name = %(schema)s THEN pg_terminate_backend(pid) END
    FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (application_name = %(schema)s
        OR state = 'active' AND strpos(query, %(schema)s) > 0)"""


def run_alone(connection: psycopg.Connection[Any], schema: str, run: Callable[[], object]) -> None:
    """Run something that locks a schema's tables when nothing on the schema is left.

    Args:
        connection: An administrator's, who sees what others run.
        schema: The schema; statements on it hold its name, and engines' connections are called so.
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
    while connection.execute(_LEFT, {"schema": schema}, prepare=True).fetchone() is not None:
        if time.monotonic() > end:
            raise AssertionError(f"a statement on {schema} does not end at the server")
        time.sleep(_POLL_S)
