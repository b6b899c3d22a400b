"""What reading must do: windows, many places at once, pages that stay put."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

from daybook.protocols.message_log import MessageLog
from daybook.testing.fake_clock import FakeClock
from daybook.testing.sample_data import ALICE, entries, entry, message_ids, start_session
from daybook.testing.scenario import Contract, scenario

__all__ = ["LogWindowContract"]


class LogWindowContract(Contract[MessageLog]):
    """`MessageLog.read`, `read_at`, `span` and `clear`."""

    @scenario
    async def test_every_window_of_a_short_session(self, log: MessageLog, clock: FakeClock) -> None:
        """All bounds, limits and directions, against plain slicing; with a cleared head."""
        await start_session(log, clock, "x", "y")
        await log.clear(ALICE, "s")
        await log.append(ALICE, "s", entries("3", "4", "5", "6"))
        bounds = [None, *range(9)]
        for after, before, limit, newest in product(range(9), bounds, [None, 1, 3, 9], [0, 1]):
            wanted = [n for n in (3, 4, 5, 6) if n > after and (before is None or n < before)]
            wanted = (wanted[::-1] if newest else wanted)[:limit]
            found = await log.read(
                ALICE, "s", after=after, before=before, limit=limit, newest_first=bool(newest)
            )
            assert [one.seq for one in found] == wanted, (after, before, limit, newest)
            assert message_ids(found) == [str(n) for n in wanted]

    @scenario
    async def test_a_missing_session_reads_as_empty(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Absence is not an error for any read."""
        assert await log.read(ALICE, "none", newest_first=True, limit=3) == []
        assert await log.read_at(ALICE, [("none", 1, 9)]) == [[]]
        assert await log.span(ALICE, "none") is None
        assert await log.clear(ALICE, "none") == 0

    @scenario
    async def test_pages_backwards_stay_put_while_others_append(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Paging by sequence number sees each older message once, whatever arrives."""
        await start_session(log, clock, *[f"m{number}" for number in range(1, 11)])
        before, seen = None, list[int]()
        for page in range(5):
            found = await log.read(ALICE, "s", before=before, limit=3, newest_first=True)
            seen += [one.seq for one in found]
            before = found[-1].seq if found else before
            await log.append(ALICE, "s", [entry(f"late{page}")])
        assert seen == list(range(10, 0, -1))

    @scenario
    async def test_many_places_in_one_call(self, log: MessageLog, clock: FakeClock) -> None:
        """Each place is answered in its position: overlapping, beyond the end, missing, twice."""
        await start_session(log, clock, "a", "b", "c", session_id="s")
        await start_session(log, clock, "d", session_id="t")
        places = [("t", 1, 1), ("s", 2, 9), ("none", 1, 2), ("s", 1, 2), ("t", 2, 3), ("s", 2, 2)]
        found = await log.read_at(ALICE, places)
        expected = [["d"], ["b", "c"], [], ["a", "b"], [], ["b"]]
        assert [message_ids(one) for one in found] == expected
        assert await log.read_at(ALICE, []) == []

    @scenario
    async def test_hundreds_of_places(self, log: MessageLog, clock: FakeClock) -> None:
        """A long list of places is one call like a short one."""
        await start_session(log, clock, *[f"m{number}" for number in range(1, 31)])
        places = [("s", number % 30 + 1, number % 30 + 1) for number in range(700)]
        found = await log.read_at(ALICE, places)
        assert [one[0].seq for one in found] == [place[1] for place in places]

    @scenario
    async def test_clear_keeps_the_session_and_goes_on_counting(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Clearing is counted, repeatable, and never lets a number be given twice."""
        await start_session(log, clock, "a", "b")
        assert await log.clear(ALICE, "s") == 2
        assert await log.clear(ALICE, "s") == 0
        assert await log.read(ALICE, "s") == []
        assert await log.read_at(ALICE, [("s", 1, 2)]) == [[]]
        session = await log.get_session(ALICE, "s")
        assert session is not None
        assert (session.message_count, session.token_count) == (0, 0)
        result = await log.append(ALICE, "s", entries("b", "c"))
        assert result is not None
        assert (result.first_seq, result.last_seq, result.duplicates) == (3, 4, 0)
        assert message_ids(await log.read(ALICE, "s")) == ["b", "c"]

    @scenario
    async def test_span_tells_what_can_be_read(self, log: MessageLog, clock: FakeClock) -> None:
        """From the first readable number to the highest ever assigned."""
        await start_session(log, clock)
        assert await _span(log) == ("alice", 1, 0)
        await log.append(ALICE, "s", entries("a", "b"))
        assert await _span(log) == ("alice", 1, 2)
        await log.clear(ALICE, "s")
        assert await _span(log) == ("alice", 3, 2)
        await log.append(ALICE, "s", entries("c"))
        assert await _span(log) == ("alice", 3, 3)

    @scenario
    async def test_what_was_read_is_the_readers_own(
        self, log: MessageLog, clock: FakeClock
    ) -> None:
        """Changing a returned or a given list changes nothing stored."""
        await start_session(log, clock)
        given = entries("a", "b")
        await log.append(ALICE, "s", given)
        given.clear()
        (await log.read(ALICE, "s")).clear()
        (await log.read(ALICE, "s", newest_first=True)).reverse()
        clock.advance(timedelta(seconds=1))
        assert message_ids(await log.read(ALICE, "s")) == ["a", "b"]


async def _span(log: MessageLog) -> tuple[str, int, int]:
    span = await log.span(ALICE, "s")
    assert span is not None
    return span.user_id, span.first_seq, span.last_seq
