"""One store for many threads and event loops; two processes on one file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from langgraph.store.base import GetOp, Op, PutOp, SearchOp

from daybook.adapters.langgraph import DaybookStore
from daybook.errors import MissingDependencyError, StoreUnavailableError
from tests.adapters.langgraph.stores import daybook_store

_ENGINES = ("inmemory", "sqlite", "postgresql", "redis")


@pytest.mark.parametrize("engine", _ENGINES)
def test_threads_and_loops_use_one_store_at_once(
    engine: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Every write is there; a search by query meanwhile never fails."""
    with daybook_store(engine, request, tmp_path) as (open_store, _):
        store = open_store()

        async def on_a_loop(worker: int) -> None:
            await asyncio.gather(
                *(store.aput(("a", f"w{worker}"), f"k{n}", {"t": "tea"}) for n in range(10)),
                *(store.asearch(("a",), query="tea", limit=3) for _ in range(2)),
            )

        def work(worker: int) -> None:
            if worker % 2:
                asyncio.run(on_a_loop(worker))
            for n in range(10):
                store.put(("a", f"w{worker}"), f"k{n}", {"t": "tea", "n": n})
            store.search(("a",), query="tea", limit=3)

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(work, range(6)))
        assert len(store.search(("a",), limit=999)) == 60
        assert store.list_namespaces() == [("a", f"w{worker}") for worker in range(6)]


def test_a_batch_of_hundreds_on_every_kind_of_limit(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """More than DynamoDB writes at once."""
    with daybook_store("dynamodb", request, tmp_path) as (open_store, _):
        store = open_store(index_url="none")
        ops: list[Op] = [PutOp(("a",), f"k{n}", {"n": n}) for n in range(130)]
        store.batch([*ops, PutOp(("a",), "none", None), GetOp(("a",), "k1")])
        [found, kept] = store.batch([SearchOp(("a",), limit=200), GetOp(("a",), "k129")])
        assert len(found) == 130
        assert kept.value == {"n": 129}


def test_another_process_sees_what_was_stored(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    program = (
        "from daybook.adapters.langgraph import DaybookStore\n"
        f"with DaybookStore({url!r}) as store:\n"
        "    store.put(('a',), 'k', {'from': 'child'})\n"
    )
    with DaybookStore(url) as store:
        store.put(("a",), "mine", {})
        subprocess.run([sys.executable, "-c", program], check=True, timeout=100)
        found = store.get(("a",), "k")
        assert found is not None
        assert found.value == {"from": "child"}


def test_a_failure_reaches_the_caller() -> None:
    """A graph never goes on with a write that was lost."""
    store = DaybookStore("redis://127.0.0.1:1/0", index_url="none")
    with pytest.raises(StoreUnavailableError):
        store.put(("a",), "k", {})


def test_the_core_and_the_package_need_no_framework() -> None:
    program = (
        "import sys\n"
        "sys.modules['langgraph'] = None\n"
        "import daybook.adapters.langgraph as package\n"
        "from daybook.importers import langgraph_threads\n"
        "from daybook.errors import MissingDependencyError\n"
        "try:\n"
        "    package.DaybookStore\n"
        "except MissingDependencyError as error:\n"
        "    print(error.install)\n"
        "assert not any(name.startswith('langchain') for name in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=100
    )
    assert ran.stdout.strip() == "pip install 'daybook[langgraph]'"
    assert issubclass(MissingDependencyError, ImportError)
