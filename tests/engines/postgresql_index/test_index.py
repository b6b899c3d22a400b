"""What the contract cannot ask: the database's own walls, other processes, an older schema."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from daybook.engines.postgresql.schema import STEPS, render
from daybook.model.index_document import IndexDocument
from daybook.protocols.search_index import SearchIndex
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE
from daybook.testing.sample_documents import document, eligible_keys, query, unit
from tests.engines.postgresql_index.prepared import Prepared, as_plain_role, prepared

_WORDS = [f"word{number}" for number in range(200)]


@pytest.fixture(scope="module")
def shared(postgres_url: str) -> Iterator[Prepared]:
    with prepared(as_plain_role(postgres_url), admin=postgres_url) as one:
        yield one


@pytest.fixture
def place(shared: Prepared) -> Prepared:
    shared.empty()
    return shared


def many(first: int, count: int) -> list[IndexDocument]:
    """Return documents of random words and directions, in sessions of thirty."""
    rng = np.random.default_rng(first)
    made = []
    for number in range(first, first + count):
        vector = rng.normal(size=8).astype(np.float32)
        made.append(
            document(
                f"m{number}",
                " ".join(rng.choice(_WORDS, 6)),
                group=f"s{number // 30}",
                position=number % 30 + 1,
                at=number,
                vector=vector / np.linalg.norm(vector),
            )
        )
    return made


async def test_a_statement_without_its_condition_sees_nothing(place: Prepared) -> None:
    engine = await place.open(FakeClock())
    await engine.index.put(ALICE, "turns", [document("a", "tea")])
    await engine.close()
    with psycopg.connect(place.url) as connection:

        def seen(table: str) -> int:
            rows = connection.execute(
                SQL("SELECT 1 FROM {}").format(Identifier(place.schema, table))
            )
            return len(rows.fetchall())

        tables = ("index_scopes", "index_groups", "index_counts", "index_documents")
        assert [seen(table) for table in tables] == [0, 0, 0, 0]
        with psycopg.connect(place.admin) as superuser:
            row = superuser.execute(
                SQL("SELECT row FROM {}").format(Identifier(place.schema, "index_scopes"))
            ).fetchone()
            assert row is not None
        connection.execute("SELECT set_config('daybook.index_scope', %s, false)", (str(row[0]),))
        assert [seen(table) for table in tables] == [0, 1, 1, 1]


async def test_what_another_process_deletes_is_gone_at_once(place: Prepared) -> None:
    """Columns that are held lose what the database lost, and keep the rest, large or not."""
    writer = await place.open(FakeClock())
    readers = [await place.open(FakeClock(), index_most_exact=most) for most in (10_000, 100)]
    try:
        await writer.index.put(ALICE, "turns", many(0, 600))
        wanted = query("word7", vector=unit(3), limit=600)
        for reader in readers:
            assert len(eligible_keys(await reader.index.candidates(ALICE, "turns", wanted))) == 600
        await writer.index.delete(ALICE, "turns", "s4")
        await writer.index.put(ALICE, "turns", many(600, 30))
        gone = {f"m{number}" for number in range(120, 150)}
        for reader in readers:
            found = await reader.index.candidates(ALICE, "turns", wanted)
            assert not eligible_keys(found) & gone
            assert found.document_count == 600
        await writer.index.erase(ALICE)
        for reader in readers:
            found = await reader.index.candidates(ALICE, "turns", wanted)
            assert (found.document_count, len(found.keys)) == (0, 0)
    finally:
        for engine in (writer, *readers):
            await engine.close()


async def test_an_older_schema_loses_what_pgvector_was_used_for(postgres_url: str) -> None:
    """Step 5 drops the tables of a copy nobody reads any more."""
    with prepared(postgres_url) as old:
        installation = (
            f"CREATE SCHEMA {old.schema}",
            "CREATE TABLE {schema}.installation AS SELECT 4 AS version",
            "CREATE TABLE {schema}.index_legs (scope bigint)",
        )
        with psycopg.connect(old.url, autocommit=True) as connection:
            for statement in (installation[0], *chain(*STEPS[:4]), *installation[1:]):
                connection.execute(render(statement, old.schema).encode())
        engine = await old.open(FakeClock())
        try:
            await engine.index.put(ALICE, "turns", many(0, 20))
            found = await engine.index.candidates(ALICE, "turns", query("word7"))
            assert found.document_count == 20
            with psycopg.connect(old.url) as connection:
                legs = connection.execute(
                    "SELECT to_regclass(%s)", (f"{old.schema}.index_legs",)
                ).fetchone()
            assert legs == (None,)
        finally:
            await engine.close()


@pytest.mark.parametrize("most", [0, 1_000_000])
async def test_event_loops_of_several_threads_share_an_index(place: Prepared, most: int) -> None:
    engine = await place.open(FakeClock(), index_most_exact=most)

    def work(number: int) -> int:
        async def steps(index: SearchIndex) -> int:
            await index.put(ALICE, "turns", many(30 * number, 30))
            found = await index.candidates(ALICE, "turns", query("word1"))
            return found.document_count

        return asyncio.run(steps(engine.index))

    try:
        with ThreadPoolExecutor(4) as threads:
            loop = asyncio.get_running_loop()
            seen = await asyncio.gather(
                *(loop.run_in_executor(threads, work, number) for number in range(8))
            )
        assert max(seen) == 240
        assert all(one % 30 == 0 for one in seen)
    finally:
        await engine.close()
