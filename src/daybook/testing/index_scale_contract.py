"""What searching an index must do where one user has so many documents that it may take a shortcut.

Words are exact whatever the size. Of vectors, nearly all that are nearest must be found; nothing
that is deleted, and nothing that a filter excludes, may be.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from daybook.model.candidates import Candidates
from daybook.model.index_document import IndexDocument
from daybook.protocols.search_index import SearchIndex
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE
from daybook.testing.sample_documents import document, eligible_keys, query
from daybook.testing.scenario import Contract, scenario

__all__ = ["IndexScaleContract"]

_MANY = 5_000
_OF_A_GROUP = 20
_WIDTH = 96
_TOPICS = 40
_WORDS = 300
_QUESTIONS = 12
_NEAREST = 10
_FOUND = 0.98
_AT_ONCE = 1_000

Floats = NDArray[np.float32]


class IndexScaleContract(Contract[SearchIndex]):
    """`SearchIndex.candidates` over some thousand documents of one user."""

    @scenario
    async def test_many_documents_keep_the_nearest(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Of the ten nearest that pass a filter 98 % are handed over, and only what passes it."""
        vectors = _vectors(_MANY)
        await _put(index, _documents(vectors))
        numbers = np.arange(_MANY)
        groups = numbers // _OF_A_GROUP
        some = [f"g{group}" for group in range(3, 9)]
        for only, passes in (
            ({}, numbers >= 0),
            ({"since": 3_000}, numbers >= 3_000),
            ({"since": 500, "until": 700}, (numbers >= 500) & (numbers < 700)),
            ({"groups": some}, (groups >= 3) & (groups < 9)),
        ):
            shares = []
            for number in range(_QUESTIONS):
                asked = _near(vectors, number)
                wanted = query("word1", vector=asked, limit=60, **only)
                handed = eligible_keys(await index.candidates(ALICE, "turns", wanted))
                allowed = {f"m{row}" for row in np.flatnonzero(passes).tolist()}
                assert handed <= allowed, only
                order = np.argsort(-np.where(passes, vectors @ asked, -9.0))[:_NEAREST]
                shares.append(np.mean([f"m{row}" in handed for row in order.tolist()]))
            assert np.mean(shares) >= _FOUND, only

    @scenario
    async def test_many_documents_are_counted_one_by_one(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Frequencies, lengths and weights are of all documents; the best by words are there."""
        documents = _documents(_vectors(_MANY))
        await _put(index, documents)
        lengths = [one.length for one in documents]
        found = await index.candidates(ALICE, "turns", query("word7 rare17", limit=60))
        holders = {f"m{row}" for row in range(_MANY) if row % 1000 == 17}
        assert holders <= eligible_keys(found)
        assert found.document_frequency.tolist() == [_holders("word7"), len(holders)]
        assert found.document_count == _MANY
        assert abs(found.mean_length - np.mean(lengths)) < 1e-3
        assert abs(float(found.weight.sum()) - _MANY) < 1
        _check_neighbours(found)

    @scenario
    async def test_many_documents_change_at_once(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """What another opened engine deletes, replaces and adds is so in the next search."""
        vectors = _vectors(_MANY)
        await _put(index, _documents(vectors))
        asked = _near(vectors, 5)
        wanted = query("word1", vector=asked, limit=60)
        nearest = int(np.argmax(vectors @ asked))
        assert f"m{nearest}" in eligible_keys(await index.candidates(ALICE, "turns", wanted))
        async with self.beside(clock) as other:
            await other.delete(ALICE, "turns", f"g{nearest // _OF_A_GROUP}")
            late = document("late", "word1", group="late", position=1, at=9, vector=asked)
            await other.put(ALICE, "turns", [late])
            found = await index.candidates(ALICE, "turns", wanted)
            begin = nearest - nearest % _OF_A_GROUP
            gone = {f"m{row}" for row in range(begin, begin + _OF_A_GROUP)}
            assert not gone & set(found.keys)
            assert "late" in eligible_keys(found)
            assert found.document_count == _MANY - _OF_A_GROUP + 1
            await other.put(
                ALICE,
                "turns",
                [document("late", "word2", group="late", position=1, at=9, vector=-asked)],
            )
            found = await index.candidates(ALICE, "turns", wanted)
            assert found.document_count == _MANY - _OF_A_GROUP + 1
            assert await other.erase(ALICE, "turns") == _MANY - _OF_A_GROUP + 1
            found = await index.candidates(ALICE, "turns", wanted)
            assert (found.document_count, len(found.keys)) == (0, 0)


async def _put(index: SearchIndex, documents: list[IndexDocument]) -> None:
    for first in range(0, len(documents), _AT_ONCE):
        await index.put(ALICE, "turns", documents[first : first + _AT_ONCE])


def _vectors(count: int) -> Floats:
    """Return unit vectors around some topics, as those of conversations are."""
    rng = np.random.default_rng(5)
    topics = rng.normal(size=(_TOPICS, _WIDTH))
    vectors = topics[rng.integers(0, _TOPICS, count)] + 1.5 * rng.normal(size=(count, _WIDTH))
    vectors += 0.5 * topics[0]  # a common direction, which embedders' vectors have
    unit: Floats = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _near(vectors: Floats, number: int) -> Floats:
    """Return the vector of a question about one of the documents."""
    rng = np.random.default_rng(number)
    asked = vectors[number * 200] + 0.08 * rng.normal(size=_WIDTH)
    unit: Floats = (asked / np.linalg.norm(asked)).astype(np.float32)
    return unit


def _words(row: int) -> list[str]:
    words = [f"word{row * step % _WORDS}" for step in (1, 7, 31)][: 1 + row % 3]
    return [*words, f"rare{row % 1000}"]


def _holders(word: str) -> int:
    return sum(word in _words(row) for row in range(_MANY))


def _documents(vectors: Floats) -> list[IndexDocument]:
    return [
        document(
            f"m{row}",
            " ".join(_words(row)),
            group=f"g{row // _OF_A_GROUP}",
            position=row % _OF_A_GROUP + 1,
            at=row,
            vector=vector,
        )
        for row, vector in enumerate(vectors)
    ]


def _check_neighbours(found: Candidates) -> None:
    """See that what may be answered with has its session's turns before and after it."""
    last = _OF_A_GROUP
    for row in np.flatnonzero(found.eligible).tolist():
        before, after = int(found.previous[row]), int(found.following[row])
        position = int(found.positions[row])
        assert (before < 0) == (position == 1)
        assert (after < 0) == (position == last)
        if before >= 0:
            assert int(found.positions[before]) == position - 1
            assert found.groups[before] == found.groups[row]
