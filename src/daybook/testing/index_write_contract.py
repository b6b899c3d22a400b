"""What writing to a search index must do: replace, delete, marks of progress, erase."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from daybook.model.index_document import IndexDocument
from daybook.model.scope import Scope
from daybook.protocols.search_index import SearchIndex
from daybook.testing.fake_clock import FakeClock
from daybook.testing.odd_data import AWKWARD_IDS
from daybook.testing.sample_data import ALICE, BOB
from daybook.testing.sample_documents import document, eligible_keys, query, unit
from daybook.testing.scenario import Contract, scenario

__all__ = ["IndexWriteContract", "keys_with"]


async def keys_with(index: SearchIndex, word: str) -> set[str]:
    """Return the keys of Alice's turns that hold a word."""
    found = await index.candidates(ALICE, "turns", query(word))
    held = found.term_counts[0] > 0
    return set(found.keys[found.eligible & held])


class IndexWriteContract(Contract[SearchIndex]):
    """`SearchIndex.put`, `delete`, `erase`, `watermark`, `stale`, `state` and the listings."""

    @scenario
    async def test_a_put_is_seen_by_the_next_search(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Again and again, also between searches."""
        for number in range(1, 6):
            await index.put(ALICE, "turns", [document(f"m{number}", "tea", position=number)])
            assert await keys_with(index, "tea") == {f"m{one}" for one in range(1, number + 1)}

    @scenario
    async def test_a_document_put_again_replaces_itself(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """In one call or in another: the old words find nothing, the count stays."""
        await index.put(
            ALICE,
            "turns",
            [document("a", "old", position=1), document("b", "other", position=2)],
            watermarks=[("s", 2)],
        )
        assert await keys_with(index, "old") == {"a"}
        await index.put(ALICE, "turns", [document("a", "new", position=1)])
        assert await keys_with(index, "old") == set()
        assert await keys_with(index, "new") == {"a"}
        await index.put(ALICE, "records", [document("k", "old", position=0)])
        await index.put(ALICE, "records", [document("k", "new", position=0)])
        found = await index.candidates(ALICE, "records", query("new"))
        assert (list(found.keys), found.document_count) == (["k"], 1)
        assert (await index.state(ALICE)).documents == 3

    @scenario
    async def test_a_repeated_put_changes_nothing(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Indexing ten times is indexing once."""
        batch = [document(f"m{number}", "tea", position=number) for number in range(1, 5)]
        for _ in range(10):
            await index.put(ALICE, "turns", batch, watermarks=[("s", 4)])
        found = await index.candidates(ALICE, "turns", query("tea"))
        assert sorted(found.keys) == ["m1", "m2", "m3", "m4"]
        assert (found.document_count, float(found.document_frequency[0])) == (4, 4.0)
        assert (await index.state(ALICE)).documents == 4

    @scenario
    async def test_one_key_in_two_groups_is_two_documents(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Message ids are unique in their session only."""
        await index.put(ALICE, "turns", [document("m", "tea", group="s")])
        await index.put(ALICE, "turns", [document("m", "tea", group="t")])
        found = await index.candidates(ALICE, "turns", query("tea"))
        groups = sorted(found.group_names[number] for number in found.groups)
        assert (groups, found.document_count) == (["s", "t"], 2)
        assert await index.delete(ALICE, "turns", "s") == 1
        assert await keys_with(index, "tea") == {"m"}

    @scenario
    async def test_watermarks_follow_puts_and_groups(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """0 before the first; with or without documents; gone with the whole group only."""
        assert await index.watermark(ALICE, "turns", "s") == 0
        await index.put(ALICE, "turns", [document("a", position=3)], watermarks=[("s", 3)])
        await index.put(ALICE, "turns", [], watermarks=[("s", 5), ("t", 1)])
        assert await index.watermark(ALICE, "turns", "s") == 5
        assert await index.watermark(ALICE, "turns", "t") == 1
        assert await index.watermark(ALICE, "records", "s") == 0
        assert await index.watermark(BOB, "turns", "s") == 0
        await index.delete(ALICE, "turns", "s", keys=["a"])
        await index.delete(ALICE, "turns", "s", before=9)
        assert await index.watermark(ALICE, "turns", "s") == 5
        await index.delete(ALICE, "turns", "s")
        assert await index.watermark(ALICE, "turns", "s") == 0
        assert await index.watermark(ALICE, "turns", "t") == 1

    @scenario
    async def test_deletion_by_group_key_and_position(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Counted, repeatable, and nothing deleted is found; both limits together mean both."""
        batch = [document(f"m{number}", "tea", position=number) for number in range(1, 7)]
        await index.put(ALICE, "turns", batch, watermarks=[("s", 6)])
        await index.put(ALICE, "turns", [document("t1", "tea", group="t")])
        assert await keys_with(index, "tea") == {*(f"m{n}" for n in range(1, 7)), "t1"}
        assert await index.delete(ALICE, "turns", "s", keys=["m1", "m6"], before=4) == 1
        assert await index.delete(ALICE, "turns", "s", keys=["m2", "none", "t1"]) == 1
        assert await index.delete(ALICE, "turns", "s", keys=["m2"]) == 0
        assert await keys_with(index, "tea") == {"m3", "m4", "m5", "m6", "t1"}
        assert await index.delete(ALICE, "turns", "s", before=5) == 2
        assert await keys_with(index, "tea") == {"m5", "m6", "t1"}
        assert await index.delete(ALICE, "turns", "s") == 2
        assert await index.delete(ALICE, "turns", "s") == 0
        found = await index.candidates(ALICE, "turns", query("tea"))
        assert (list(found.keys), found.document_count) == (["t1"], 1)

    @scenario
    async def test_a_group_made_again_starts_anew(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Nothing of its former life is found or counted."""
        await index.put(ALICE, "turns", [document("a", "old")], watermarks=[("s", 1)])
        await index.delete(ALICE, "turns", "s")
        await index.put(ALICE, "turns", [document("a", "new")], watermarks=[("s", 1)])
        assert await keys_with(index, "old") == set()
        assert await keys_with(index, "new") == {"a"}
        assert (await index.state(ALICE)).documents == 1

    @scenario
    async def test_erase_takes_a_users_documents(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """One collection or both; others' stay; it is repeatable."""
        for scope in (ALICE, BOB):
            await index.put(scope, "turns", [document("a", "tea")], watermarks=[("s", 1)])
            await index.put(scope, "records", [document("k", "tea", position=0)])
        assert await index.erase(ALICE, "records") == 1
        assert eligible_keys(await index.candidates(ALICE, "turns", query("tea"))) == {"a"}
        assert await index.erase(ALICE) == 1
        assert await index.erase(ALICE) == 0
        assert await index.watermark(ALICE, "turns", "s") == 0
        assert len((await index.candidates(ALICE, "turns", query("tea"))).keys) == 0
        assert (await index.state(ALICE)).documents == 0
        assert (await index.state(BOB)).documents == 2
        assert eligible_keys(await index.candidates(BOB, "turns", query("tea"))) == {"a"}

    @scenario
    async def test_stale_documents_are_those_of_other_embedders(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """In every scope; putting them again under the current one ends it."""
        await index.put(ALICE, "turns", [document("a", vector=unit(1), embedder="old")])
        await index.put(BOB, "turns", [document("b", vector=unit(1), embedder="old")])
        await index.put(BOB, "turns", [document("c", position=2, vector=unit(1), embedder="new")])
        await index.put(BOB, "records", [document("k", position=0, vector=unit(1), embedder="old")])
        found = await index.stale("turns", "new", limit=9)
        assert sorted(found, key=repr) == [(ALICE, "s", "a", 1), (BOB, "s", "b", 1)]
        assert len(await index.stale("turns", "new", limit=1)) == 1
        assert await index.stale("records", "new", limit=9) == [(BOB, "s", "k", 0)]
        await index.put(ALICE, "turns", [document("a", vector=unit(1), embedder="new")])
        await index.delete(BOB, "turns", "s", keys=["b"])
        assert await index.stale("turns", "new", limit=9) == []

    @scenario
    async def test_state_counts_documents_by_embedder(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Of one user and of all; replaced and deleted ones do not count."""
        await index.put(ALICE, "turns", [document("a", vector=unit(1), embedder="x")])
        await index.put(ALICE, "turns", [document("b", position=2, vector=unit(1), embedder="y")])
        await index.put(BOB, "turns", [document("a", vector=unit(1), embedder="y")])
        mine, everyone = await index.state(ALICE), await index.state()
        assert (mine.documents, mine.embedders) == (2, {"x": 1, "y": 1})
        assert (everyone.documents, everyone.embedders) == (3, {"x": 1, "y": 2})
        await index.put(ALICE, "turns", [document("a", vector=unit(1), embedder="y")])
        await index.delete(ALICE, "turns", "s", keys=["b"])
        assert (await index.state(ALICE)).embedders == {"y": 1}

    @scenario
    async def test_a_tenants_groups_are_listed_in_pages(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """With or without documents, each once; nothing of another tenant or collection."""
        other = Scope("elsewhere", "alice")
        for name in AWKWARD_IDS:
            await index.put(ALICE, "turns", [document("m", "tea", group=name)])
        await index.put(BOB, "turns", [], watermarks=[("empty", 3)])
        await index.put(other, "turns", [document("m", group="theirs")])
        await index.put(ALICE, "records", [document("k", group="notes", position=0)])
        found: list[tuple[str, str]] = []
        while page := await index.groups(
            Scope(ALICE.tenant), "turns", after=found[-1] if found else None, limit=3
        ):
            assert len(page) <= 3
            found += page
        mine = [("alice", name) for name in AWKWARD_IDS]
        assert sorted(found) == sorted([*mine, ("bob", "empty")])
        assert await index.groups(Scope(ALICE.tenant), "records", limit=9) == [("alice", "notes")]
        assert await index.groups(BOB, "turns", limit=9) == [("bob", "empty")]
        assert await index.groups(BOB, "turns", after=("bob", "empty"), limit=9) == []
        await index.delete(BOB, "turns", "empty")
        assert ("bob", "empty") not in await index.groups(BOB, "turns", limit=999)

    @scenario
    async def test_a_groups_documents_are_listed(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """In their order, each once however often it was written, and of one user alone."""
        batch = [document(f"m{number}", position=number) for number in (1, 2, 4)]
        await index.put(ALICE, "turns", batch)
        await index.put(ALICE, "turns", [document("m1", "again", position=1)])
        await index.put(ALICE, "turns", [document("t1", group="t")])
        await index.put(BOB, "turns", [document("b1")])
        assert await index.listed(ALICE, "turns", "s") == [("m1", 1), ("m2", 2), ("m4", 4)]
        assert await index.listed(ALICE, "records", "s") == []
        await index.delete(ALICE, "turns", "s", keys=["m2"])
        assert await index.listed(ALICE, "turns", "s") == [("m1", 1), ("m4", 4)]
        for name in AWKWARD_IDS:
            await index.put(ALICE, "records", [document(name, group=name, position=0)])
            assert await index.listed(ALICE, "records", name) == [(name, 0)]

    @scenario
    async def test_token_vectors_are_those_of_the_document(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """As last written, in the order asked, of one user alone; none of what is gone."""

        def with_vectors(key: str, position: int, vectors: bytes) -> IndexDocument:
            return replace(document(key, position=position), token_vectors=vectors)

        batch = [with_vectors("a", 1, b"\x00old"), with_vectors("b", 2, b"b"), document("c")]
        await index.put(ALICE, "turns", batch)
        await index.put(ALICE, "turns", [with_vectors("a", 1, b"\xff\x00new")])
        await index.put(ALICE, "turns", [with_vectors("a", 1, b""), with_vectors("a", 1, b"last")])
        await index.put(BOB, "turns", [with_vectors("b", 2, b"of Bob")])
        places = [("s", "b", 2), ("s", "c", 1), ("s", "a", 1), ("t", "a", 1), ("s", "b", 2)]
        assert await index.token_vectors(ALICE, "turns", places) == [b"b", b"", b"last", b"", b"b"]
        assert await index.token_vectors(ALICE, "records", places) == [b""] * 5
        assert await index.token_vectors(ALICE, "turns", []) == []
        await index.put(ALICE, "turns", [document("a", position=1)])
        await index.delete(ALICE, "turns", "s", keys=["b"])
        await index.put(ALICE, "turns", [document("b", position=2)])
        assert await index.token_vectors(ALICE, "turns", places) == [b""] * 5
        await index.put(ALICE, "turns", batch)
        await index.erase(ALICE)
        await index.put(ALICE, "turns", [document("b", position=2)])
        assert await index.token_vectors(ALICE, "turns", places) == [b""] * 5
        assert await index.token_vectors(BOB, "turns", places[:1]) == [b"of Bob"]

    @scenario
    async def test_any_id_names_one_document(self, index: SearchIndex, clock: FakeClock) -> None:
        """As a key and as a group; deleting one leaves the others."""
        for name in AWKWARD_IDS:
            await index.put(ALICE, "turns", [document(name, "tea", group=name)])
        wanted = query("tea", limit=999)
        assert eligible_keys(await index.candidates(ALICE, "turns", wanted)) == {*AWKWARD_IDS}
        for gone in ("*", "%", "\x00"):
            assert await index.delete(ALICE, "turns", gone) == 1
        left = {*AWKWARD_IDS} - {"*", "%", "\x00"}
        assert eligible_keys(await index.candidates(ALICE, "turns", wanted)) == left

    @scenario
    async def test_writers_and_searchers_at_once(
        self, index: SearchIndex, clock: FakeClock
    ) -> None:
        """Every search sees whole puts; at the end everything is there."""

        async def write(group: str) -> None:
            for number in range(1, 6):
                batch = [
                    document(f"{group}.{number}{half}", "tea", group=group, position=2 * number + i)
                    for i, half in enumerate("ab")
                ]
                await index.put(ALICE, "turns", batch)

        async def search() -> None:
            for _ in range(10):
                assert len(await keys_with(index, "tea")) % 2 == 0

        await asyncio.gather(*(write(f"g{number}") for number in range(4)), search(), search())
        assert len(await keys_with(index, "tea")) == 40

    @scenario
    async def test_a_second_open_sees_the_index(self, index: SearchIndex, clock: FakeClock) -> None:
        """Documents and watermarks; or nothing, if declared so."""
        await index.put(
            ALICE, "turns", [document("a", "tea", vector=unit(2))], watermarks=[("s", 1)]
        )
        again = await self.reopen(clock)
        assert await again.watermark(ALICE, "turns", "s") == int(self.persists)
        found = await again.candidates(ALICE, "turns", query("tea", vector=unit(2)))
        assert eligible_keys(found) == ({"a"} if self.persists else set())
