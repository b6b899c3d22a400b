"""What the crash tests share: a source of children, strace, a folder in memory."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.crash.engines.addresses import fresh_url, local_url, with_options
from tools.crash.strace import available
from tools.crash.zygote import Zygote

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only to open images of a disk quickly


@pytest.fixture(scope="session")
def zygote(dynamodb_credentials: None) -> Iterator[Zygote]:
    """Children in milliseconds."""
    with Zygote() as started:
        yield started


@pytest.fixture(scope="session")
def tracer(zygote: Zygote) -> Zygote:
    """The same where strace is there to be attached to them."""
    if not available():
        pytest.skip("strace is not installed: make system-tools")
    return zygote


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: images need no disk of their own."""
    if not SHARED_MEMORY.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="daybook-", dir=SHARED_MEMORY))
    yield folder
    shutil.rmtree(folder)


# The engines by name, with the fixture of the server that each needs.
SERVERS = {
    "redis": "redis_url",
    "redis_cluster": "redis_cluster_url",
    "postgresql": "postgres_url",
    "mongodb": "mongodb_url",
    "dynamodb": "dynamodb_url",
}
ENGINES = ("inmemory", "sqlite", "file", *SERVERS)
# A call that failed only because the machine stood still would count as a defect.
PATIENCE_S = 60
# A cluster's client learns its nodes' own addresses and goes past a proxy.
PROXIED = tuple(engine for engine in SERVERS if engine != "redis_cluster")


@pytest.fixture
def url_of(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Gives an address under which an engine has stored nothing yet, on the run's own servers."""

    def give(engine: str) -> str:
        if engine not in SERVERS:
            return local_url(engine, tmp_path)
        url = fresh_url(request.getfixturevalue(SERVERS[engine]))
        patience = {"connect_timeout_s": PATIENCE_S} if engine == "postgresql" else {}
        return with_options(url, timeout_s=PATIENCE_S, **patience)

    return give
