"""What the contract cannot ask: the database's own walls, pgvector's absence, large scopes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import numpy as np
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from daybook.model.candidates import CandidateQuery, Candidates
from daybook.model.index_document import IndexDocument
from daybook.protocols.search_index import SearchIndex
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, BOB
from daybook.testing.sample_documents import document, eligible_keys, query, unit
from tests.engines.postgresql_index.prepared import Prepared, as_plain_role, prepared

_WORDS = [f"word{number}" for number in range(200)]
_MANY = 3_000  # more than are handed to the ranker whole


@pytest.fixture(scope="module")
def shared(postgres_url: str) -> Iterator[Prepared]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    with prepared(as_plain_role(postgres_url), admin=postgres_url) as one:
        yield one


@pytest.fixture
def place(shared: Prepared) -> Prepared:
    shared.empty()
    return shared


@pytest.fixture
def database_without_vector(postgres_url: str) -> Iterator[str]:
    name = f"bare_{os.getpid()}_{os.urandom(4).hex()}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield urlsplit(postgres_url)._replace(path=f"/{name}", query="").geturl()
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


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


def count(place: Prepared, table: str) -> int:
    with psycopg.connect(place.admin) as connection:
        counted = connection.execute(
            SQL("SELECT count(*) FROM {}").format(Identifier(place.schema, table))
        ).fetchone()
        assert counted is not None
        return int(counted[0])


async def test_a_database_without_pgvector_says_so(plain_postgres_url: str) -> None:
    with prepared(plain_postgres_url) as plain:
        engine = await plain.open(FakeClock(), index_most_held=0)
        try:
            said = [one for one in engine.capabilities.warnings if "pgvector" in one]
            assert len(said) == 1
            assert "not on this server" in said[0]
            await engine.index.put(ALICE, "turns", [document("a", "tea")])
            found = await engine.index.candidates(ALICE, "turns", query("tea"))
            assert eligible_keys(found) == {"a"}
        finally:
            await engine.close()


async def test_pgvector_that_may_not_be_installed_is_asked_for(
    database_without_vector: str,
) -> None:
    role = as_plain_role(database_without_vector)
    with prepared(role, admin=database_without_vector) as bare:
        engine = await bare.open(FakeClock())
        await engine.close()
        assert any("CREATE EXTENSION vector" in one for one in engine.capabilities.warnings)
        with psycopg.connect(database_without_vector, autocommit=True) as connection:
            connection.execute("CREATE EXTENSION vector")
        engine = await bare.open(FakeClock())
        await engine.close()
        assert not any("pgvector" in one for one in engine.capabilities.warnings)


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


@pytest.mark.parametrize(
    "only",
    [{}, {"groups": [f"s{number}" for number in range(5)]}, {"since": _MANY - 200}, {"until": 90}],
    ids=["all", "groups", "since", "until"],
)
async def test_large_scopes_have_the_same_candidates_inside_the_database(
    place: Prepared, only: dict[str, object]
) -> None:
    held = await place.open(FakeClock())
    inside = await place.open(FakeClock(), index_most_held=100)
    try:
        await held.index.put(ALICE, "turns", many(0, _MANY))
        await held.index.put(BOB, "turns", many(7, 50))
        for number in range(5):
            wanted = asked(number, **only)
            one = await held.index.candidates(ALICE, "turns", wanted)
            other = await inside.index.candidates(ALICE, "turns", wanted)
            assert eligible_keys(one)
            assert places(one) == places(other)
            np.testing.assert_allclose(one.similarity, other.similarity, atol=2e-3)
            np.testing.assert_allclose(one.session_lexical, other.session_lexical, atol=1e-5)
            np.testing.assert_allclose(one.previous_dot, other.previous_dot, atol=1e-5)
            assert one.document_frequency.tolist() == other.document_frequency.tolist()
            assert tokens(one) == tokens(other)
    finally:
        await held.close()
        await inside.close()


def asked(number: int, **only: object) -> CandidateQuery:
    return query(
        f"word{number} word{number + 50} word{number + 90}",
        vector=unit(number),
        limit=60,
        **only,  # type: ignore[arg-type] # a test's own
    )


def places(found: Candidates) -> list[tuple[str, bool, float, int, int]]:
    columns = (found.keys, found.eligible, found.weight, found.previous, found.following)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def tokens(found: Candidates) -> dict[str, list[int]]:
    return {
        found.keys[row]: sorted(
            found.token_ids[found.token_starts[row] : found.token_ends[row]].tolist()
        )
        for row in np.flatnonzero(found.eligible).tolist()
    }


async def test_what_is_deleted_leaves_both_legs(place: Prepared) -> None:
    engine = await place.open(FakeClock(), index_most_held=0)
    try:
        await engine.index.put(ALICE, "turns", many(0, 60))
        assert count(place, "index_legs") == 60
        await engine.index.delete(ALICE, "turns", "s0")
        assert count(place, "index_legs") == 30
        await engine.index.put(ALICE, "turns", many(30, 10))
        assert count(place, "index_legs") == 30
        assert await engine.index.erase(ALICE) == 30
        assert count(place, "index_legs") == 0
    finally:
        await engine.close()


async def test_small_scopes_leave_pgvector_alone(place: Prepared) -> None:
    engine = await place.open(FakeClock(), index_most_held=60)
    try:
        await engine.index.put(ALICE, "turns", many(0, 60))
        await engine.index.candidates(ALICE, "turns", query("word1"))
        assert count(place, "index_legs") == 0
        await engine.index.put(ALICE, "turns", many(60, 1))
        assert count(place, "index_legs") == 61
    finally:
        await engine.close()


async def test_writers_of_two_engines_fill_each_document_once(place: Prepared) -> None:
    engines = [await place.open(FakeClock(), index_most_held=10) for _ in range(2)]
    try:
        await asyncio.gather(
            *(
                engines[number % 2].index.put(ALICE, "turns", many(30 * number, 30))
                for number in range(10)
            )
        )
        assert count(place, "index_legs") == 300
        for engine in engines:
            found = await engine.index.candidates(ALICE, "turns", query("word1"))
            assert found.document_count == 300
    finally:
        for engine in engines:
            await engine.close()


@pytest.mark.parametrize("most", [0, 1_000_000])
async def test_event_loops_of_several_threads_share_an_index(place: Prepared, most: int) -> None:
    engine = await place.open(FakeClock(), index_most_held=most)

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
