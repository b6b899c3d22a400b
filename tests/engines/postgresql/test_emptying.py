"""A schema that was emptied is empty, whatever a call that was cut short left at the server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.engines.postgresql.installation import Installation

pytestmark = pytest.mark.usefixtures("engine")

_LOCK = 20_611
_LATE = "INSERT INTO {} (name) SELECT 'late' FROM pg_advisory_lock(%s)"
_WAITS = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event = 'advisory'"


@contextmanager
def _late_write(place: Installation) -> Iterator[Callable[[], object]]:
    """Have a statement at the server that writes when the block calls what it is given."""
    late = SQL(_LATE).format(Identifier(place.schema, "index_embedders"))
    with place.connect() as other, place.connect() as holder, ThreadPoolExecutor(1) as thread:
        holder.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        written = thread.submit(other.execute, late, (_LOCK,))
        while holder.execute(_WAITS, (other.info.backend_pid,)).fetchone() is None:
            assert not written.done()
        yield partial(holder.execute, "SELECT pg_advisory_unlock(%s)", (_LOCK,))
        written.result()


def test_it_waits_for_statements_that_were_left(place: Installation) -> None:
    with _late_write(place) as write, ThreadPoolExecutor(1) as thread:
        emptied = thread.submit(place.empty)
        time.sleep(0.3)  # long enough for one that does not wait to be done
        write()
        emptied.result()
    assert place.count("index_embedders") == 0


def test_it_ends_what_engines_left_connected(place: Installation) -> None:
    """Such a connection may be about to begin a statement; others on the server stay."""
    with (
        psycopg.connect(place.url.partition("?")[0], application_name=place.schema) as left,
        psycopg.connect(place.url.partition("?")[0], application_name="another") as other,
    ):
        place.empty()
        with pytest.raises(psycopg.errors.AdminShutdown):
            left.execute("SELECT 1")
        other.execute("SELECT 1")


def test_without_waiting_a_late_write_stays(place: Installation) -> None:
    with _late_write(place) as write, place.connect() as connection:
        connection.execute(
            SQL("DELETE FROM {}").format(Identifier(place.schema, "index_embedders"))
        )
        write()
    assert place.count("index_embedders") == 1
