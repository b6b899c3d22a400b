"""What holds for every test: property profiles, real servers, skips that count as failures."""

# ruff: noqa: E402 - assertions are rewritten only in what is loaded later

from __future__ import annotations

import os
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

# Assertions of the shipped kit explain themselves as a test module's do; before anything loads it.
pytest.register_assert_rewrite("daybook.testing")

from tests.servers.catalog import KINDS
from tests.servers.dynamodb import CREDENTIALS, REGION
from tests.servers.launch import ServerMissingError
from tests.servers.sharing import shared_server

# Whoever runs tests in the background may have had Ctrl-C ignored; children inherit that, and some
# tests are about it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Runs in a server's own process; importing it for doctests would need the server's packages.
collect_ignore = ["servers/moto_one_at_a_time.py"]

# The frameworks of adapters are in an environment of their own: `make test-adapters`.
if find_spec("langgraph") is None:
    collect_ignore.append("adapters")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# Where a change is judged, examples are the same each time. A rare one is for those who look for
# it, at their desks and in `make torture`; it refuses no change that has nothing to do with it.
settings.register_profile("dev", max_examples=40, deadline=None, derandomize=False)
settings.register_profile(
    "ci",
    max_examples=60,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "torture",
    max_examples=2000,
    deadline=None,
    derandomize=False,
    print_blob=True,
    stateful_step_count=100,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
if settings().derandomize:
    # Hypothesis also tries constants of whatever modules of ours are loaded, and that hangs on the
    # order of the tests.
    no_constants = Constants()
    pytest.MonkeyPatch().setattr(providers, "_get_local_constants", lambda: no_constants)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that skips although everything it needs is promised to be there."""
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that skips itself, for the same reason."""
    return _refuse_skip((yield))


def _refuse_skip(report: Report) -> Report:
    """Turn a skip into a failure where ``DAYBOOK_TEST_REQUIRE`` is ``all``; xfail is no skip."""
    required = os.environ.get("DAYBOOK_TEST_REQUIRE", "").split(",")
    if "all" in required and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: {reason} (DAYBOOK_TEST_REQUIRE=all allows no skip)"
    return report


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep models and indexes that are made on the way out of the user's own cache."""
    with pytest.MonkeyPatch.context() as patch:
        # Beside the workers' folders: a model is written once for all of them.
        patch.setenv("DAYBOOK_CACHE", str(tmp_path_factory.getbasetemp().parent / "daybook-cache"))
        yield


# Servers: each fixture gives the URL of one that the whole run shares, so a test keeps to names
# of its own in it. A test that breaks servers starts its own (`tests.servers.redis` and so on).


@pytest.fixture(scope="session")
def servers_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where the worker processes of this run agree on their servers."""
    own = tmp_path_factory.getbasetemp()
    run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return run / "servers"


@contextmanager
def _url(kind: str, place: Path) -> Iterator[str]:
    """Give the URL from the environment, else of a shared server, else skip or fail."""
    if given := os.environ.get(KINDS[kind].variable):
        yield given
        return
    try:
        with shared_server(kind, place) as url:
            yield url
    except ServerMissingError as missing:
        if kind in os.environ.get("DAYBOOK_TEST_REQUIRE", "").split(","):
            pytest.fail(f"{missing} (DAYBOOK_TEST_REQUIRE asks for {kind})")
        pytest.skip(f"{missing}, or set {KINDS[kind].variable}")


@pytest.fixture(scope="session")
def redis_url(servers_place: Path) -> Iterator[str]:
    """A Redis server; use keys of your own."""
    with _url("redis", servers_place) as url:
        yield url


@pytest.fixture(scope="session")
def redis_cluster_url(servers_place: Path) -> Iterator[str]:
    """A Redis Cluster of three masters; use keys of your own."""
    with _url("redis_cluster", servers_place) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_url(servers_place: Path) -> Iterator[str]:
    """A PostgreSQL database with pgvector at hand; use schemas or databases of your own."""
    with _url("postgres", servers_place) as url:
        yield url


@pytest.fixture(scope="session")
def plain_postgres_url(servers_place: Path) -> Iterator[str]:
    """A PostgreSQL database without pgvector."""
    with _url("plain_postgres", servers_place) as url:
        yield url


@pytest.fixture(scope="session")
def mongodb_url(servers_place: Path) -> Iterator[str]:
    """A MongoDB replica set; use databases or collections of your own."""
    with _url("mongodb", servers_place) as url:
        yield url


@pytest.fixture(scope="session")
def dynamodb_url(servers_place: Path, dynamodb_credentials: None) -> Iterator[str]:
    """DynamoDB as moto plays it, transactions included; use tables of your own."""
    with _url("dynamodb", servers_place) as url:
        yield url


@pytest.fixture(scope="session")
def dynalite_url(servers_place: Path, dynamodb_credentials: None) -> Iterator[str]:
    """DynamoDB as dynalite plays it, without transactions; use tables of your own."""
    with _url("dynalite", servers_place) as url:
        yield url


@pytest.fixture(scope="session")
def dynamodb_credentials() -> Iterator[None]:
    """Credentials and a region for the emulators, where the environment has none.

    A given URL without an endpoint leads to AWS, which wants the real ones, wherever they are.
    """
    given = os.environ.get(KINDS["dynamodb"].variable, "endpoint=")
    wanted = {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in wanted.items():
            if "endpoint=" in given and name not in os.environ:
                patch.setenv(name, value)
        yield
