"""URLs and their options: what is taken, what is refused, and that no secret is shown."""

from __future__ import annotations

import subprocess
import sys

import pytest

from daybook.engines.mongodb import open_engine
from daybook.engines.mongodb.address import read_address
from daybook.errors import ConfigError
from daybook.protocols.clock import SystemClock
from daybook.registry import parse_url


def test_what_is_taken() -> None:
    found = read_address(
        parse_url("mongodb://me:p%40ss@a:1,b:2/book?replicaSet=rs0&timeout_s=2.5&tls=true")
    )
    assert found.url == "mongodb://me:p%40ss@a:1,b:2/?replicaSet=rs0&tls=true"
    assert (found.database, found.timeout_s) == ("book", 2.5)


def test_what_is_left_out() -> None:
    found = read_address(parse_url("mongodb://a"))
    assert (found.database, found.timeout_s) == ("daybook", 10)


def test_saying_what_is_so_anyway_is_no_error() -> None:
    read_address(parse_url("mongodb://a/b?w=majority&journal=true&retryWrites=true"))


@pytest.mark.parametrize(
    "option",
    [
        *("w=1", "w=0", "journal=false", "readPreference=secondary", "readConcernLevel=local"),
        *("retryWrites=false", "timeoutMS=5", "wTimeoutMS=5", "socketTimeoutMS=5"),
        *("maxPoolSize=5", "timeout_s=0", "timeout_s=nan", "timeout_s=soon"),
    ],
)
def test_what_would_break_a_promise_is_refused(option: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_address(parse_url(f"mongodb://me:s3cret@a/b?{option}"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("address", ["", "/book", "a/b.c", "a/b%20c", "a/%24b", "a/b%00c"])
def test_bad_hosts_and_names(address: str) -> None:
    with pytest.raises(ConfigError):
        read_address(parse_url(f"mongodb://{address}"))


@pytest.mark.parametrize("address", ["me:s3cret@a:port/b", "me:s3cret@a/b?tls=perhaps&noSuch=1"])
async def test_what_the_driver_refuses_is_a_config_error(address: str) -> None:
    with pytest.raises(ConfigError) as caught:
        await open_engine(parse_url(f"mongodb://{address}"), clock=SystemClock())
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(("module", "shown"), [("pymongo", "pip install"), ("uuid", "uuid")])
def test_without_the_driver_the_error_names_the_package_to_install(module: str, shown: str) -> None:
    """And only without the driver: another import that fails is what it is."""
    program = f"import daybook, sys; sys.modules[{module!r}] = None; import daybook.engines.mongodb"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    last = done.stderr.strip().splitlines()[-1]
    assert shown in last
    assert ("daybook[mongodb]" in last) == (module == "pymongo")
