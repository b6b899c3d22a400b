"""What searching an index must do: true columns, filters before limits, nobody else's documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from daybook.errors import InvalidInputError, StoreClosedError
from daybook.model.index_document import IndexDocument
from daybook.model.namespace import encode_namespace
from daybook.model.scope import Scope
from daybook.protocols.search_index import SearchIndex
from daybook.testing.fake_clock import FakeClock
from daybook.testing.protocol_methods import protocol_methods
from daybook.testing.sample_data import ALICE, BOB, RIVAL
from daybook.testing.sample_documents import document, eligible_keys, query, row_of, unit
from daybook.testing.scenario import Contract, scenario

__all__ = ["INDEX_CASES", "IndexSearchContract"]

_CANARY = "canary-e02b"
_Case = Callable[[SearchIndex, Scope], Awaitable[Any]]

INDEX_CASES: dict[str, _Case] = {
    "put": lambda index, scope: index.put(
        scope, "turns", [document("victim", "mine")], watermarks=[("s", 9)]
    ),
    "delete": lambda index, scope: index.delete(scope, "turns", "s"),
    "erase": lambda index, scope: index.erase(scope),
    "watermark": lambda index, scope: index.watermark(scope, "turns", "s"),
    "speakers": lambda index, scope: index.speakers(scope, "turns"),
    "candidates": lambda index, scope: index.candidates(
        scope, "turns", query("secret", vector=unit(1), limit=99)
    ),
    "stale": lambda index, _scope: index.stale("turns", "e", limit=9),
    "groups": lambda index, scope: index.groups(scope, "turns", limit=9),
    "listed": lambda index, scope: index.listed(scope, "turns", "s"),
    "token_vectors": lambda index, scope: index.token_vectors(scope, "turns", [("s", _CANARY, 1)]),
    "state": lambda index, scope: index.state(scope),
}


def _canary() -> IndexDocument:
    found = document(_CANARY, "secret", vector=unit(1), speaker=_CANARY)
    return replace(found, token_vectors=_CANARY.encode())


class IndexSearchContract(Contract[SearchIndex]):
    """`SearchIndex.candidates`, `speakers`, isolation and use after close."""

    @scenario
    async def test_columns_tell_the_truth(self, index: SearchIndex, clock: FakeClock) -> None:
        """Every field of a document comes back in its row; counts are of the scope."""
        await index.put(
            ALICE,
            "turns",
            [
                document("a", "tea tea milk", position=1, at=10, vector=unit(1), speaker="Ann"),
                document("b", "milk", position=2, at=20, vector=unit(2), speaker="Bea"),
                document("c", "rain", position=1, group="t", at=30),
            ],
        )
        found = await index.candidates(ALICE, "turns", query("tea milk", vector=unit(1)))
        a, b = row_of(found, "a"), row_of(found, "b")
        assert found.group_names[found.groups[a]] == "s"
        assert (int(found.positions[a]), int(found.created_at[a])) == (1, 10)
        assert (int(found.roles[a]), int(found.traits[a])) == (1, 3)
        assert float(found.lengths[a]) == 3.0
        assert found.speaker_names[found.speakers[a]] == "Ann"
        assert found.speaker_names[found.speakers[b]] == "Bea"
        assert found.term_counts[:, a].tolist() == [2.0, 1.0]
        assert found.term_counts[:, b].tolist() == [0.0, 1.0]
        assert found.document_frequency.tolist() == [1.0, 2.0]
        assert found.document_count == 3
        assert found.mean_length == pytest.approx(5 / 3)
        assert found.similarity[a] == pytest.approx(1, abs=0.01)
        assert found.similarity[b] == pytest.approx(0, abs=0.01)
        assert (int(found.previous[b]), int(found.following[a])) == (a, b)
        assert float(found.weight.sum()) == pytest.approx(3)
        tokens = found.token_ids[found.token_starts[b] : found.token_ends[b]]
        assert tokens.tolist() == [0, 1]

    @scenario
    async def test_an_empty_scope_has_no_candidates(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Neither rows nor speakers, with words, a vector or nothing asked."""
        for wanted in (query(), query("tea"), query("tea", vector=unit(1))):
            found = await index.candidates(ALICE, "turns", wanted)
            assert (len(found.keys), found.document_count) == (0, 0)
        assert await index.speakers(ALICE, "turns") == []

    @scenario
    async def test_filters_come_before_limits(self, index: SearchIndex, clock: FakeClock) -> None:
        """One document that passes is found among hundreds of better ones that do not."""
        crowd = [
            document(f"m{number}", "tea tea", position=number, at=number, vector=unit(1))
            for number in range(1, 500)
        ]
        rare = document("rare", "tea and rain", group="r", at=1000, vector=unit(2))
        await index.put(ALICE, "turns", [*crowd, rare])
        for rest in ({"groups": ["r"]}, {"group_prefix": "r"}, {"since": 1000}):
            wanted = query("tea", vector=unit(1), limit=1, **rest)
            assert eligible_keys(await index.candidates(ALICE, "turns", wanted)) == {"rare"}, rest
        early = query("tea", vector=unit(1), limit=1, until=2)
        assert eligible_keys(await index.candidates(ALICE, "turns", early)) == {"m1"}
        both = query("tea", since=5, until=7, limit=99)
        assert eligible_keys(await index.candidates(ALICE, "turns", both)) == {"m5", "m6"}
        none = query("tea", groups=[], limit=99)
        assert eligible_keys(await index.candidates(ALICE, "turns", none)) == set()

    @scenario
    async def test_a_group_prefix_is_of_whole_labels(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Encoded namespaces: ("a",) reaches ("a", "b") and never ("ab",)."""
        for number, home in enumerate([("a",), ("a", "b"), ("ab",), ('a","b',), ("b",)]):
            await index.put(
                ALICE,
                "records",
                [document(f"k{number}", "tea", group=encode_namespace(home), position=0)],
            )
        wanted = query("tea", group_prefix=encode_namespace(("a",)), limit=99)
        assert eligible_keys(await index.candidates(ALICE, "records", wanted)) == {"k0", "k1"}

    @scenario
    async def test_vectors_of_another_embedder_are_not_compared(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """They count as none at all; words still find the document."""
        await index.put(
            ALICE,
            "turns",
            [
                document("a", "tea", position=1, vector=unit(1), embedder="old"),
                document("b", "tea", position=2, vector=unit(1), embedder="new"),
                document("c", "tea", position=3),
            ],
        )
        wanted = query("tea", vector=unit(1), embedder="new")
        found = await index.candidates(ALICE, "turns", wanted)
        assert eligible_keys(found) == {"a", "b", "c"}
        seen = {key: bool(has) for key, has in zip(found.keys, found.has_vector, strict=True)}
        assert seen == {"a": False, "b": True, "c": False}
        assert found.similarity[row_of(found, "a")] == 0

    @scenario
    async def test_meaning_alone_finds_a_document(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """No word in common, the nearest vector: it is among the candidates of a large scope."""
        await index.put(
            ALICE,
            "turns",
            [
                document(f"m{number}", "tea", position=number, vector=unit(number % 5))
                for number in range(1, 2001)
            ],
        )
        await index.put(ALICE, "turns", [document("near", "dog", position=3000, vector=unit(7))])
        found = await index.candidates(ALICE, "turns", query("cat", vector=unit(7), limit=20))
        assert "near" in eligible_keys(found)

    @scenario
    async def test_collections_are_apart(self, index: SearchIndex, clock: FakeClock) -> None:
        """Records are not turns."""
        await index.put(ALICE, "turns", [document("a", "tea")])
        await index.put(ALICE, "records", [document("k", "tea", position=0)])
        for collection, key in (("turns", "a"), ("records", "k")):
            found = await index.candidates(ALICE, collection, query("tea"))  # type: ignore[arg-type] # a literal pair
            assert (list(found.keys), found.document_count) == ([key], 1)

    @scenario
    async def test_speakers_come_in_the_order_they_first_spoke(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Each once; documents without a speaker add none; a deleted one's name may stay."""
        for number, name in enumerate(("Bea", "", "Ann", "Bea"), start=1):
            await index.put(ALICE, "turns", [document(f"m{number}", position=number, speaker=name)])
        assert await index.speakers(ALICE, "turns") == ["Bea", "Ann"]
        assert await index.speakers(BOB, "turns") == []

    @scenario
    async def test_what_was_found_is_the_finders_own(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Changing returned arrays changes no later answer; nor does changing a given vector."""
        given = unit(1)
        await index.put(ALICE, "turns", [document("a", "tea", vector=given, at=7)])
        given[:] = unit(2)
        for _ in range(2):
            found = await index.candidates(ALICE, "turns", query("tea", vector=unit(1)))
            assert found.similarity[0] == pytest.approx(1, abs=0.01)
            assert (int(found.created_at[0]), found.term_counts.tolist()) == (7, [[1.0]])
            for column in (found.similarity, found.created_at, found.term_counts):
                if column.flags.writeable:
                    column.fill(99)

    def test_every_method_has_an_isolation_case(self) -> None:
        """A method without a case is a hole that nobody looked into."""
        assert set(INDEX_CASES) == protocol_methods(SearchIndex)

    @scenario
    async def test_no_method_reaches_anothers_documents(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Every method, under every foreign scope, shows nothing and changes nothing."""
        await index.put(
            ALICE,
            "turns",
            [_canary()],
            watermarks=[("s", 1)],
        )
        before = await _everything(index)
        assert _CANARY in before
        for name, case in INDEX_CASES.items():
            for foreign in (BOB, RIVAL, Scope("rival", "bob"), Scope("acme", "alice ")):
                shown = repr(await case(index, foreign))
                assert _CANARY not in shown, (name, foreign)
                assert await _everything(index) == before, (name, foreign)

    @scenario
    async def test_statistics_are_of_one_user(self, index: SearchIndex, clock: FakeClock) -> None:
        """What others wrote moves no number that a search rests on."""
        await index.put(ALICE, "turns", [document("a", "tea", vector=unit(1))])
        first = await index.candidates(ALICE, "turns", query("tea", vector=unit(1)))
        for scope in (BOB, RIVAL):
            await index.put(
                scope,
                "turns",
                [document(f"m{number}", "tea milk", position=number) for number in range(1, 50)],
            )
        second = await index.candidates(ALICE, "turns", query("tea", vector=unit(1)))
        assert (first.document_count, first.mean_length) == (
            second.document_count,
            second.mean_length,
        )
        assert np.array_equal(first.document_frequency, second.document_frequency)
        assert np.array_equal(first.similarity, second.similarity)
        assert list(second.keys) == ["a"]

    @scenario
    async def test_a_scope_without_a_user_is_refused(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """There is no index of a whole tenant."""
        for name, case in INDEX_CASES.items():
            if name not in ("stale", "state", "groups"):
                with pytest.raises(InvalidInputError):
                    await case(index, Scope("acme"))

    @scenario
    async def test_a_closed_index_refuses_every_method(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Closing is repeatable; everything else raises `StoreClosedError`."""
        await self.engine.close()
        await self.engine.close()
        for name, case in INDEX_CASES.items():
            with pytest.raises(StoreClosedError) as caught:
                await case(index, ALICE)
            assert caught.value.engine == index.capabilities.engine, name


async def _everything(index: SearchIndex) -> str:
    found = await index.candidates(ALICE, "turns", query("secret", vector=unit(1), limit=99))
    rows = [list(found.keys), found.positions.tolist(), found.similarity.tolist()]
    marks = await index.watermark(ALICE, "turns", "s")
    counts = (await index.state(ALICE)).embedders
    return repr((rows, found.document_count, marks, counts, await index.speakers(ALICE, "turns")))
