"""What the server reports becomes one of Daybook's errors, without a word of what is stored."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql import PostgreSQLEngine
from daybook.engines.postgresql.driver_errors import map_errors
from daybook.errors import (
    ConfigError,
    CorruptRecordError,
    DaybookError,
    StoreError,
    StoreFullError,
    StoreTimeoutError,
    StoreUnavailableError,
)
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entry, start_session
from tests.engines.postgresql.installation import Installation

_SECRET = "the-secret-text"


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("53100", StoreFullError),
        ("57014", StoreTimeoutError),
        ("55P03", StoreTimeoutError),
        ("53300", StoreUnavailableError),
        ("57P01", StoreUnavailableError),
        ("40P01", StoreUnavailableError),
        ("25006", StoreUnavailableError),
        ("42501", ConfigError),
        ("3D000", ConfigError),
        ("XX001", CorruptRecordError),
        ("42P01", StoreError),
        ("23505", StoreError),
        ("XX000", StoreError),
    ],
)
def test_what_a_server_raises_is_mapped_without_its_words(
    postgres_url: str, state: str, kind: type[DaybookError]
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        with pytest.raises(psycopg.Error, match=_SECRET) as raw:  # the control: the driver shows it
            connection.execute(_raising(state))
        assert raw.value.sqlstate == state
        with pytest.raises(kind) as mapped, map_errors("test"):
            connection.execute(_raising(state))
    assert type(mapped.value) is kind
    assert _SECRET not in repr(mapped.value) + str(mapped.value)
    assert mapped.value.__cause__ is None
    assert mapped.value.__suppress_context__


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ('FATAL:  password authentication failed for user "u"', ConfigError),
        ('FATAL:  database "d" does not exist', ConfigError),
        ("FATAL:  sorry, too many clients already", StoreUnavailableError),
        ("could not receive data: Connection reset by peer", StoreUnavailableError),
    ],
)
def test_a_refused_connection_is_mapped_by_what_the_server_said(
    words: str, kind: type[DaybookError]
) -> None:
    with pytest.raises(kind) as mapped, map_errors("open"):
        raise psycopg.OperationalError(words)
    assert type(mapped.value) is kind
    assert words not in str(mapped.value)


async def test_a_message_that_the_server_refuses_is_not_in_the_error(
    engine: PostgreSQLEngine, place: Installation, clock: FakeClock
) -> None:
    """A constraint's error shows the whole row in its details; a call's error must not."""
    await start_session(engine.log, clock, "a")
    table = Identifier(place.schema, "messages")
    with place.connect() as connection:
        connection.execute(SQL("ALTER TABLE {} ADD CONSTRAINT odd CHECK (seq < 2)").format(table))
        try:
            with pytest.raises(StoreError, match="SQLSTATE 23514") as caught:
                await engine.log.append(ALICE, "s", [entry(_SECRET, text=_SECRET)])
        finally:
            connection.execute(SQL("ALTER TABLE {} DROP CONSTRAINT odd").format(table))
    assert _SECRET not in repr(caught.value) + str(caught.value)
    assert _SECRET.encode().hex() not in str(caught.value)
    assert await engine.log.append(ALICE, "s", [entry(_SECRET, text=_SECRET)])


def _raising(state: str) -> bytes:
    return (
        f"DO $$ BEGIN RAISE EXCEPTION 'refused: {_SECRET}' USING ERRCODE = '{state}', "
        f"DETAIL = 'Failing row contains ({_SECRET})'; END $$"
    ).encode()
