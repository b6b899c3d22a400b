"""The servers that tests use start, keep what they should, freeze, and never outlive their user."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from pymongo import MongoClient

from tests.servers import reaper
from tests.servers.catalog import KINDS
from tests.servers.dynalite import dynalite_server
from tests.servers.dynamodb import dynamodb_server
from tests.servers.launch import HOST, Server, ServerFailedError, free_port, running
from tests.servers.mongodb import DATABASE, mongodb_server
from tests.servers.postgres import postgres_server
from tests.servers.redis import ask, redis_server
from tests.servers.redis_cluster import redis_cluster
from tests.servers.sharing import shared_server

REPOSITORY = Path(__file__).resolve().parents[2]
MAKERS: dict[str, Callable[[], AbstractContextManager[Server]]] = {
    "redis": lambda: redis_server(appendonly=True, appendfsync="always"),
    "postgres": postgres_server,
    "plain-postgres": lambda: postgres_server(plain=True),
    "mongodb": mongodb_server,
    "dynamodb": dynamodb_server,
    "dynalite": dynalite_server,
}


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Return once `true` holds; fail the test after a minute."""
    deadline = time.monotonic() + 60
    while not _holds(true):
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def _holds(true: Callable[[], bool]) -> bool:
    try:
        return true()
    except OSError:  # who was asked is gone, or does not answer
        return False


def test_no_port_is_given_to_two_workers_or_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test runner sets chance to: both workers' servers may start at the same time."""
    given: list[int] = []
    for worker in ("gw0", "gw1", "gw0"):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", worker)
        random.seed(1)
        given += [free_port() for _ in range(30)]
    assert len(set(given)) == 90


@pytest.mark.parametrize("name", MAKERS)
def test_a_killed_server_comes_back_at_its_address(name: str) -> None:
    with MAKERS[name]() as server:
        url = server.url
        server.kill()
        assert not server.running
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((HOST, server.port), timeout=2)
        server.restart()
        assert server.ready()
        assert server.url == url
        folder = server.folder
    assert reaper.members(folder) == []
    assert not folder.exists()


def test_redis_keeps_what_its_settings_say() -> None:
    for appendonly, kept in ((True, b"here"), (False, b"")):
        with redis_server(appendonly=appendonly, appendfsync="always") as server:
            assert ask(server.port, "SET", "k", "here") == b"+OK"
            server.kill()
            server.restart()
            assert ask(server.port, "GET", "k") == kept


def test_postgres_keeps_a_commit_over_a_kill_and_has_pgvector() -> None:
    with postgres_server() as server:
        with psycopg.connect(server.url, autocommit=True) as session:
            session.execute("CREATE EXTENSION vector")
            session.execute("CREATE TABLE t AS SELECT '[1,2]'::vector AS v")
        server.kill()
        server.restart()
        with psycopg.connect(server.url) as session:
            assert session.execute("SELECT v::text FROM t").fetchall() == [("[1,2]",)]


def test_plain_postgres_has_no_pgvector() -> None:
    with postgres_server(plain=True) as server, psycopg.connect(server.url) as session:
        row = session.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'")
        assert row.fetchall() == []


def test_mongodb_has_transactions_and_keeps_a_commit_over_a_kill() -> None:
    with mongodb_server() as server:
        with (
            MongoClient[dict[str, object]](server.url) as client,
            client.start_session() as session,
        ):
            table = client.get_default_database()["t"]
            with session.start_transaction():
                table.insert_one({"a": 1}, session=session)
            with session.start_transaction():
                table.insert_one({"a": 2}, session=session)
                session.abort_transaction()
        server.kill()
        server.restart()
        with MongoClient[dict[str, object]](server.url) as client:
            found = client[DATABASE]["t"].find({}, {"_id": 0})
            assert list(found) == [{"a": 1}]


@pytest.mark.parametrize("name", ["redis", "postgres"])
def test_a_frozen_server_answers_nobody_until_it_goes_on(name: str) -> None:
    """PostgreSQL's sessions are processes of their own, made before and after the freeze."""
    with MAKERS[name]() as server:
        with server.stop_cont():
            wait_for(lambda: states(server) == {"T"}, "every process is stopped")
            if name == "redis":
                with pytest.raises(TimeoutError):
                    ask(server.port, "PING", limit_s=1)
        assert "T" not in states(server)
        assert server.ready()


def states(server: Server) -> set[str]:
    """Return the states that the server's processes are in, as `ps` letters."""
    found = set()
    for pid in reaper.members(server.folder):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
            stat = Path(f"/proc/{pid}/stat").read_text()
            found.add(stat.rpartition(")")[2].split()[0])
    return found


def test_a_cluster_serves_every_slot_and_part_of_them_without_a_node() -> None:
    with redis_cluster() as cluster:
        assert cluster.healthy
        answers = {ask(node.port, "SET", "{u}k", "1")[:6] for node in cluster.nodes}
        assert answers == {b"+OK", b"-MOVED"}
        first, *others = cluster.masters
        first.kill()
        cluster.suspect_after(1)
        wait_for(
            lambda: all(
                b"cluster_slots_fail:0" not in ask(n.port, "CLUSTER", "INFO") for n in others
            ),
            "the others notice",
        )
        first.restart()
        cluster.wait_until_healthy()


def test_a_replica_takes_over() -> None:
    with redis_cluster(replicas=3) as cluster:
        cluster.masters[0].kill()
        cluster.suspect_after(1)
        heir = cluster.replicas[0]
        wait_for(lambda: b"role:master" in ask(heir.port, "INFO", "replication"), "it takes over")
        wait_for(lambda: cluster.healthy, "all slots are served again")


class _Stillborn(Server):
    """A server that prints why and ends."""

    name = "stillborn"

    @property
    def url(self) -> str:
        return "none"

    def command(self) -> list[str]:
        return [sys.executable, "-S", "-c", "raise SystemExit('no luck')"]


def test_a_server_that_ends_at_once_says_why_and_leaves_nothing() -> None:
    folders: list[Path] = []

    def make(folder: Path, port: int) -> _Stillborn:
        folders.append(folder)
        return _Stillborn(folder, port)

    with pytest.raises(ServerFailedError, match="no luck"), running(make):
        pytest.fail("it runs")
    assert len(set(folders)) == 3
    assert not any(folder.exists() for folder in folders)


HOLD = """
import sys
from pathlib import Path
from tests.servers.sharing import shared_server
with shared_server("redis", Path(sys.argv[1])) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(place: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run another process that uses the shared Redis, and give it with the URL it got."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(place)],
        cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def answers(url: str) -> bool:
    port = int(url.split(":")[2].split("/", maxsplit=1)[0])
    try:
        return ask(port, "PING") == b"+PONG"
    except OSError:
        return False


def test_a_shared_server_lasts_until_its_last_user_even_if_both_are_killed(tmp_path: Path) -> None:
    with holder(tmp_path) as (first, url), holder(tmp_path) as (second, same_url):
        assert url == same_url
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert answers(url)
        second.send_signal(signal.SIGKILL)
        second.wait()
        wait_for(lambda: not answers(url), "the server ends")
    folder = Path(next(tmp_path.glob("redis.json")).read_text().split('"')[-2])
    wait_for(lambda: not folder.exists(), "its folder goes")
    assert reaper.members(folder) == []


def test_a_shared_server_that_ended_is_started_again(tmp_path: Path) -> None:
    with shared_server("redis", tmp_path) as url:
        assert answers(url)
    wait_for(lambda: not answers(url), "the server ends")
    with shared_server("redis", tmp_path) as next_url:
        assert answers(next_url)


RUN = """
import time
def test_it(redis_url, postgres_url):
    print("UP", redis_url, flush=True)
    time.sleep(60)
"""


def test_a_killed_test_run_leaves_no_server(tmp_path: Path) -> None:
    """As `kill -9` of pytest does, or the machine's memory guard."""
    (tmp_path / "conftest.py").write_text((REPOSITORY / "tests" / "conftest.py").read_text())
    (tmp_path / "test_case.py").write_text(RUN)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", "--basetemp"]
    with subprocess.Popen(
        [*command, str(tmp_path / "base"), str(tmp_path)],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=_environment(),
    ) as run:  # fmt: skip
        assert run.stdout is not None
        url = next(line for line in run.stdout if "UP" in line).split()[-1]
        assert answers(url)
        notes = list((tmp_path / "base" / "servers").glob("*.json"))
        run.kill()
    folders = [Path(note.read_text().split('"')[-2]) for note in notes]
    assert len(folders) == 2
    wait_for(lambda: not any(folder.exists() for folder in folders), "the folders go")
    assert [reaper.members(folder) for folder in folders] == [[], []]


def _environment() -> dict[str, str]:

    own = {kind.variable for kind in KINDS.values()}
    kept = {name: value for name, value in os.environ.items() if name not in own}
    kept.pop("PYTEST_XDIST_WORKER", None)
    return {**kept, "PYTHONPATH": str(REPOSITORY), "HYPOTHESIS_PROFILE": "dev"}
