"""What a URL says."""

from __future__ import annotations

import pytest

from daybook.engines.postgresql.options import read_options
from daybook.errors import ConfigError
from daybook.registry import parse_url


@pytest.mark.parametrize(
    ("url", "connection"),
    [
        ("postgresql://", {}),
        ("postgresql:///db", {"dbname": "db"}),
        ("postgres://h", {"host": "h", "port": "5432"}),
        ("postgresql://u@h/db", {"user": "u", "host": "h", "port": "5432", "dbname": "db"}),
        (
            "postgresql://u:p%40s%3As%2Fw@h:1/db",
            {"user": "u", "password": "p@s:s/w", "host": "h", "port": "1", "dbname": "db"},
        ),
        ("postgresql://[::1]:9/db", {"host": "::1", "port": "9", "dbname": "db"}),
        ("postgresql://a,b:2/db", {"host": "a,b", "port": "5432,2", "dbname": "db"}),
        ("postgresql://h?sslmode=require", {"host": "h", "port": "5432", "sslmode": "require"}),
    ],
)
def test_where_the_server_is(url: str, connection: dict[str, str]) -> None:
    assert read_options(parse_url(url)).connection == connection


@pytest.mark.parametrize(
    "query",
    ["schema=A", "schema=a-b", "schema=a;b", "pool_size=0", "pool_size=x",
     "timeout_s=0", "timeout_s=-1", "connect_timeout_s=x", "unknown=1"],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_without_showing_it(query: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_options(parse_url(f"postgresql://u:secret@h/db?{query}"))
    assert "secret" not in str(caught.value)


def test_a_port_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError):
        read_options(parse_url("postgresql://h:x/db"))
