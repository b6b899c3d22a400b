"""PostgreSQL's index finds what SQLite's finds, in the same order with the same scores."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from daybook import AsyncDaybook
from daybook.demo.questions import BUNDLED_QUESTIONS, bundled_file
from daybook.importers.run import import_file
from daybook.model.hit import Hit
from tests.engines.postgresql_index.prepared import Prepared, prepared


@pytest.fixture(scope="module")
def place(postgres_url: str) -> Iterator[Prepared]:
    with prepared(postgres_url) as one:
        yield one


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[AsyncDaybook]:
    async with AsyncDaybook.open(f"sqlite:///{tmp_path}/demo.db") as book:
        await import_file(book, bundled_file())
        await book.recall.flush()
        yield book


async def test_the_demo_questions_have_the_same_hits(sqlite: AsyncDaybook, place: Prepared) -> None:
    place.empty()
    async with AsyncDaybook.open("inmemory://", index=place.address) as book:
        await import_file(book, bundled_file())
        await book.recall.flush()
        for question in BUNDLED_QUESTIONS:
            here = await book.recall.search(question.text, user_id=question.user_id)
            there = await sqlite.recall.search(question.text, user_id=question.user_id)
            assert names(here) == names(there), question.text
            assert [hit.score for hit in here] == pytest.approx(
                [hit.score for hit in there], abs=1e-5
            )
            assert here


async def test_two_users_differ(sqlite: AsyncDaybook) -> None:
    """Shows that the comparison above can tell answers apart."""
    question = BUNDLED_QUESTIONS[0]
    users = {one.user_id for one in BUNDLED_QUESTIONS}
    assert len(users) > 1
    answers = [names(await sqlite.recall.search(question.text, user_id=user)) for user in users]
    assert answers[0] != answers[1]


def names(hits: list[Hit]) -> list[tuple[str, int]]:
    return [(hit.session_id, hit.seq) for hit in hits]
