"""What a URL may say, and what it must not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from daybook.engines.redis.address import _OPTIONS, read_address
from daybook.errors import ConfigError
from daybook.registry import parse_url


def test_a_bare_url_is_the_local_server() -> None:
    address = read_address(parse_url("redis://"))
    assert (address.host, address.port, address.db, address.tls) == ("localhost", 6379, 0, False)
    assert (address.username, address.password, address.cluster) == (None, None, False)


def test_every_part_is_read() -> None:
    address = read_address(
        parse_url("rediss://me:p%40ss%2Fw%3Ard@cache.example:7000/3?prefix=a.b&timeout_s=2.5")
    )
    assert (address.host, address.port, address.db, address.tls) == ("cache.example", 7000, 3, True)
    assert (address.username, address.password) == ("me", "p@ss/w:rd")
    assert (address.prefix, address.timeout_s) == ("a.b", 2.5)


def test_a_password_alone_and_an_ipv6_address() -> None:
    address = read_address(parse_url("valkey://:secret@[::1]:6380"))
    assert (address.host, address.port) == ("::1", 6380)
    assert (address.username, address.password) == (None, "secret")


@pytest.mark.parametrize(
    "wrong",
    [
        "redis://host:port",
        "redis://host/one",
        "redis://host?cluster=yes",
        "redis://host/1?cluster=true",
        "redis://host?prefix=a{b}",
        "redis://host?timeout_s=0",
        "redis://host?timeout_s=nan",
        "redis://host?max_connections=x",
        "redis://host?durable=yes",
    ],
)
def test_what_is_wrong_is_a_config_error(wrong: str) -> None:
    with pytest.raises(ConfigError):
        read_address(parse_url(wrong))


def test_no_password_is_shown() -> None:
    url = "redis://me:hunter2@host:1/0"
    assert "hunter2" not in repr(read_address(parse_url(url)))
    with pytest.raises(ConfigError) as caught:
        read_address(parse_url(url.replace(":1/", ":x/")))
    assert "hunter2" not in str(caught.value)


def test_the_page_lists_every_option_with_its_default() -> None:
    page = Path(__file__).parents[3] / "docs/engines/redis.md"
    table = page.read_text(encoding="utf-8").partition("\n## ")[0]
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (?:`(\w+)`)? *\|", table, re.MULTILINE)
    told = {name: default for names, default in rows for name in re.findall(r"\w+", names)}
    assert told == _OPTIONS
