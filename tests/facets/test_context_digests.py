"""Digests through the public API: nothing is lost when a model fails, races or is cut off."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from daybook.client import AsyncDaybook
from daybook.context import Observations, Summary, TokenWindow
from daybook.context.strategy import StrategyLike
from daybook.errors import NotFoundError
from daybook.model.context import Context
from daybook.model.message import Message
from daybook.testing.fake_clock import FakeClock
from tests.context.planted import FACTS
from tools.fact_survival import MODES, false_positives, measure, stub

BUDGET = 1_000
CANARY = "Kiwi-7f3a"
FINE = Summary(chunk_tokens=200) + TokenWindow()
STRATEGIES: list[StrategyLike] = [Summary(), Observations(), Summary(extractive=True)]
Answer = Callable[[tuple[Message, ...]], Awaitable[str]]


def chat(turns: int, start: int = 0) -> list[Message]:
    return [
        message
        for turn in range(start, start + turns)
        for message in (
            Message.user(f"Question {turn}: what about part {turn} of it?", id=f"u{turn}"),
            Message.assistant(f"Answer {turn}: it is like part {turn - 1}.", id=f"a{turn}"),
        )
    ]


async def says(_: tuple[Message, ...]) -> str:
    return '{"summary": "They spoke of parts.", "facts": [], "observations": []}'


async def fails(_: tuple[Message, ...]) -> str:
    raise ConnectionError("gone")


def open_book(model: Answer | None, url: str = "inmemory://") -> AsyncDaybook:
    return AsyncDaybook.open(url, model=model, clock=FakeClock(), index=None)  # type: ignore[return-value] # entered by async with


def accounted(context: Context) -> set[int]:
    """Return the numbers that a context holds, stands for, or names as missing."""
    receipt = context.receipt
    ranges = list(receipt.included)
    if receipt.digest is not None:
        ranges.append(receipt.digest.seqs)
        if receipt.digest.missing is not None:
            ranges.append(receipt.digest.missing)
    return {seq for first, last in ranges for seq in range(first, last + 1)}


def block(context: Context) -> str:
    """Return the rendered digest."""
    return "\n".join(
        one.text for one in context.messages if "digest" in one.metadata.get("daybook", {})
    )


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
async def test_every_evicted_message_is_covered(strategy: StrategyLike) -> None:
    async with open_book(says) as book:
        for turn in range(0, 200, 10):
            await book.history.append("s", chat(10, turn), user_id="ann")
            context = await book.context.build("s", max_tokens=BUDGET, strategy=strategy)
            assert accounted(context) == set(range(1, 2 * turn + 21))
            assert context.tokens <= BUDGET
        assert len(await book.history.list("s")) == 400


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("strategy", [Summary(), Observations()], ids=repr)
async def test_facts_outlive_compactions(strategy: StrategyLike, mode: str) -> None:
    survived = await measure(FACTS["first person"], strategy, mode, compactions=3)
    assert survived.kept == survived.planted == 8
    assert survived.compactions >= 3
    assert survived.lost == survived.open_jobs == 0
    assert (survived.failed > 0) == (mode == MODES[2])


def test_small_talk_is_seldom_taken_for_a_fact() -> None:
    talk, remarks = false_positives()
    assert talk <= 50
    assert remarks <= 7


@pytest.mark.parametrize("strategy", [Summary(), Observations()], ids=repr)
async def test_a_model_that_fails_loses_nothing(strategy: StrategyLike) -> None:
    kind = "summary" if isinstance(strategy, Summary) else "observations"
    state = {"model": says}

    async def model(messages: tuple[Message, ...]) -> str:
        return await state["model"](messages)

    async with open_book(model) as book:
        await book.history.append("s", Message.user("My cat is called Kiwi."), user_id="ann")
        await book.history.append("s", chat(40))
        await book.context.build("s", max_tokens=BUDGET, strategy=strategy)
        before = await book.context.digest("s", kind=kind)
        assert before is not None
        state["model"] = fails
        await book.history.append("s", [*chat(1, 40), Message.user("My dog is called Rex.")])
        await book.history.append("s", chat(60, 50))
        for attempt in (1, 2):
            context = await book.context.build("s", max_tokens=BUDGET, strategy=strategy)
            use = context.receipt.digest
            assert use is not None
            assert use.missing is not None
            assert use.missing[0] == before.last_seq + 1
            (job,) = await book.context.jobs(user_id="ann")
            assert (job.first_seq, job.last_seq) == use.missing
            assert (job.attempts, job.error, job.kind) == (attempt, "ProviderError", kind)
            assert "Kiwi" in block(context)
            assert "Rex" in block(context)
            assert await book.context.digest("s", kind=kind) == before
            lines = (await book.context.explain("s", context.receipt.id)).lines
            assert any("does not cover" in line for line in lines)
        assert not await book.context.prepare("s", max_tokens=BUDGET, strategy=strategy)
        state["model"] = says
        assert await book.context.prepare("s", max_tokens=BUDGET, strategy=strategy)
        assert await book.context.jobs(user_id="ann") == []
        context = await book.context.build("s", max_tokens=BUDGET, strategy=strategy)
        assert context.receipt.digest is not None
        assert context.receipt.digest.missing is None
        assert "Rex" in block(context)
        assert len(await book.history.list("s")) == 1 + 80 + 3 + 120


async def test_a_model_that_is_down_is_left_alone_for_longer_and_longer() -> None:
    asked = 0

    async def counts(_: tuple[Message, ...]) -> str:
        nonlocal asked
        asked += 1
        raise ConnectionError("gone")

    clock = FakeClock()
    async with AsyncDaybook.open("inmemory://", model=counts, clock=clock, index=None) as book:
        await book.history.append("s", chat(100), user_id="ann")
        paused = []
        for _ in range(600):
            before = asked
            context = await book.context.build("s", max_tokens=BUDGET, strategy=Summary())
            assert context.receipt.digest is not None
            assert context.receipt.digest.missing is not None
            if asked == before:
                paused.append(asked)
            clock.advance(timedelta(seconds=1))
        waits = [1 + paused.count(attempt) for attempt in range(1, asked)]
        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256]
        assert not await book.context.prepare("s", max_tokens=BUDGET, strategy=Summary())
        assert asked == 11


async def test_more_than_one_call_takes_is_visible_as_a_job() -> None:
    strategy = Summary(chunk_tokens=200)
    async with open_book(says) as book:
        await book.history.append("s", chat(400), user_id="ann")
        context = await book.context.build("s", max_tokens=BUDGET, strategy=strategy)
        (job,) = await book.context.jobs(user_id="ann")
        assert context.receipt.digest is not None
        assert context.receipt.digest.missing == (job.first_seq, job.last_seq)
        assert (job.attempts, job.error) == (0, "")
        for _ in range(40):
            if await book.context.prepare("s", max_tokens=BUDGET, strategy=strategy):
                break
        assert await book.context.jobs(user_id="ann") == []


@pytest.mark.parametrize("seed", range(3))
async def test_observations_are_only_appended_to_within_a_generation(seed: int) -> None:
    async def observes(messages: tuple[Message, ...]) -> str:
        seq = int(messages[-1].text.rsplit("\n[", 1)[1].split("]")[0])
        return (
            f'{{"observations": [{{"message": {seq}, "priority": {1 + seq % 3}, '
            f'"text": "Seen {seq * (seed + 1)} at once."}}]}}'
        )

    generations, before, grown = set(), "", 0
    async with open_book(observes) as book:
        for turn in range(0, 600, 6):
            await book.history.append("s", chat(6, turn), user_id="ann")
            context = await book.context.build("s", max_tokens=BUDGET, strategy=Observations())
            use = context.receipt.digest
            if use is None or not use.generation:
                continue
            text = block(context)
            if use.generation in generations:
                kept = before.rsplit("\n", 1)[0]
                assert text.startswith(kept)
                grown += text != before
            generations.add(use.generation)
            before = text
    assert len(generations) > 2
    assert grown > 3


async def test_compaction_keeps_what_must_not_be_lost() -> None:
    async def observes(messages: tuple[Message, ...]) -> str:
        seq = int(messages[-1].text.rsplit("\n[", 1)[1].split("]")[0])
        weight = 3 if seq < 40 else 1
        note = f'{{"message": {seq}, "priority": {weight}, "text": "Saw {seq}."}}'
        return f'{{"observations": [{note}]}}'

    async with open_book(observes) as book:
        important: set[str] = set()
        for turn in range(0, 1_200, 10):
            await book.history.append("s", chat(10, turn), user_id="ann")
            await book.context.build("s", max_tokens=BUDGET, strategy=Observations())
            digest = await book.context.digest("s", kind="observations")
            if digest is None:
                continue
            important |= {note.text for note in digest.notes if note.priority == 3}
            assert important <= {note.text for note in digest.notes}
        last = await book.context.digest("s", kind="observations")
        assert last is not None
        assert last.generation > 2
        assert important


@pytest.mark.parametrize("builders", [2, 5])
async def test_builders_at_once_make_one_digest(builders: int) -> None:
    calls: list[int] = []

    async def slow(messages: tuple[Message, ...]) -> str:
        calls.append(len(messages))
        await asyncio.sleep(0)
        return await says(messages)

    async with open_book(slow) as book:
        await book.history.append("s", chat(60), user_id="ann")
        contexts = await asyncio.gather(
            *(
                book.context.build("s", max_tokens=BUDGET, strategy=Summary())
                for _ in range(builders)
            )
        )
        assert len(calls) == 1
        assert all(accounted(one) == set(range(1, 121)) for one in contexts)
        assert len({block(one) for one in contexts}) == 1


BUILDER = """
import asyncio, sys
from daybook import AsyncDaybook, Message
from daybook.context import Summary

async def says(_):
    await asyncio.sleep(0.001)
    return '{"summary": "They spoke of parts.", "facts": []}'

async def main(url, name, turns):
    async with AsyncDaybook.open(url, model=says, index=None) as book:
        for turn in range(turns):
            text = f"Question {turn} of {name}: what about it?"
            said = [Message.user(text), Message.assistant("So.")]
            await book.history.append("s", said, user_id="ann")
            strategy = Summary(chunk_tokens=200)
            context = await book.context.build("s", max_tokens=600, strategy=strategy)
            receipt = context.receipt
            use, inside = receipt.digest, set()
            ranges = list(receipt.included)
            if use:
                ranges += [use.seqs] + ([use.missing] if use.missing else [])
            for first, last in ranges:
                inside |= set(range(first, last + 1))
            missing = set(range(1, receipt.included[-1][1] + 1)) - inside
            assert not missing, (name, turn, sorted(missing))

asyncio.run(main(sys.argv[1], sys.argv[2], 60))
"""


async def test_builders_in_two_processes_leave_no_gap(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"
    builders = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", BUILDER, url, name, stderr=subprocess.PIPE
        )
        for name in ("one", "two")
    ]
    for builder in builders:
        _, stderr = await builder.communicate()
        assert builder.returncode == 0, stderr.decode()
    async with AsyncDaybook.open(url, index=None) as book:
        digest = await book.context.digest("s")
        assert digest is not None
        assert digest.first_seq == 1
        assert digest.last_seq >= 120


async def test_a_crash_between_two_chunks_loses_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'book.db'}"
    calls = 0

    async def dies(messages: tuple[Message, ...]) -> str:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return await says(messages)

    strategy = Summary(chunk_tokens=300)
    async with open_book(None, url) as book:
        await book.history.append("s", Message.user("My cat is called Kiwi."), user_id="ann")
        await book.history.append("s", chat(60))
    with pytest.raises(KeyboardInterrupt):
        # As if the process ended: a coroutine that is never run on.
        await _crash(url, dies, strategy)
    async with open_book(says, url) as book:
        begun = await book.context.digest("s")
        assert begun is not None
        assert 1 < begun.last_seq < 60
        context = await book.context.build("s", max_tokens=BUDGET, strategy=strategy)
        assert accounted(context) == set(range(1, 122))
        assert "Kiwi" in block(context)


async def _crash(url: str, model: Answer, strategy: StrategyLike) -> None:
    async with open_book(model, url) as book:
        await book.context.build("s", max_tokens=BUDGET, strategy=strategy)


@pytest.mark.parametrize("end", ["delete", "clear", "expire"])
async def test_no_note_outlives_its_session(end: str, tmp_path: Path) -> None:
    clock = FakeClock()
    answer, _ = stub(3, failing=0.5)
    url = f"sqlite:///{tmp_path / 'book.db'}"
    async with AsyncDaybook.open(url, model=answer, clock=clock, index=None) as book:
        await book.sessions.create(user_id="ann", session_id="s", ttl=timedelta(hours=1))
        await book.history.append("s", Message.user(f"My cat is called {CANARY}."))
        await book.history.append("s", chat(40))
        await book.context.build("s", max_tokens=BUDGET, strategy=FINE)
        context = await book.context.build("s", max_tokens=BUDGET, strategy=Observations())
        assert CANARY in block(context)
        if end == "delete":
            await book.sessions.delete("s")
        elif end == "clear":
            await book.history.clear("s")
        else:
            clock.advance(timedelta(hours=1, seconds=1))
        await _nothing_told(book, context.receipt.id)
        await book.history.append("s", chat(40), user_id="ann")
        await _nothing_told(book, context.receipt.id)
        again = await book.context.build("s", max_tokens=BUDGET, strategy=FINE)
        assert CANARY not in "".join(one.text for one in again.messages)
        if end == "expire":
            clock.advance(timedelta(hours=2))
            await book.sessions.expire_idle()
            await book.records.expire()
        assert CANARY not in await _values(book)
    with closing(sqlite3.connect(tmp_path / "book.db")) as raw:
        tables = raw.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%record%'"
        )
        names = [name for (name,) in tables]
        rows = [row for name in names for row in raw.execute(f'SELECT * FROM "{name}"')]  # noqa: S608
    assert names
    assert CANARY not in str(rows)


async def _nothing_told(book: AsyncDaybook, receipt_id: str) -> None:
    """Check that no digest, job or receipt of the session's past can be read."""
    for kind in ("summary", "observations"):
        with suppress(NotFoundError):
            assert await book.context.digest("s", kind=kind) is None
    assert await book.context.jobs(user_id="ann") == []
    with pytest.raises(NotFoundError):
        await book.context.explain("s", receipt_id)
    with pytest.raises(NotFoundError):
        await book.context.explain("s")


async def _values(book: AsyncDaybook) -> str:
    """Return all that the internal tenant's records hold, as text."""
    found = await book._store.list(book._notes.scope, (), limit=10_000)
    return "".join(str(record.value) for record in found)


async def test_what_is_deleted_while_a_model_answers_is_not_kept() -> None:
    book_of: list[AsyncDaybook] = []

    async def deletes(messages: tuple[Message, ...]) -> str:
        if await book_of[0].sessions.get("s"):
            await book_of[0].sessions.delete("s")
        return await says(messages)

    async with open_book(deletes) as book:
        book_of.append(book)
        await book.history.append("s", Message.user("My cat is called Kiwi."), user_id="ann")
        await book.history.append("s", chat(60))
        await book.context.build("s", max_tokens=BUDGET, strategy=Summary(), keep_receipt=False)
        assert "Kiwi" not in await _values(book)
