"""Group commit: callers share a commit and nothing else."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from daybook.blocking import Daybook
from daybook.client import AsyncDaybook
from daybook.errors import ConflictError
from daybook.model.entry import Receipt
from daybook.model.message import Message
from tools.crash.cancellation import misdeliver, storm
from tools.crash.store import USER, open_book


async def in_one_batch(book: AsyncDaybook, calls: list[Any]) -> list[Any]:
    """Hold the writer until every call waits for it, so that they meet in one transaction."""
    engine: Any = book._engines[0]
    began, release = threading.Event(), threading.Event()

    def hold(_: object) -> None:
        began.set()
        release.wait()

    holding = asyncio.create_task(engine.log._writer.run(hold, "hold"))
    await asyncio.to_thread(began.wait)
    waiting = asyncio.gather(*calls, return_exceptions=True)
    for _ in range(5):
        await asyncio.sleep(0)
    release.set()
    await holding
    return await waiting


async def test_a_conflict_hurts_its_caller_alone(tmp_path: Path) -> None:
    async with open_book(tmp_path / "book.db") as book:
        await book.history.append("s", Message.user("as it was", id="taken"), user_id=USER)
        batches = [
            [Message.user("new", id=f"new-{number}"), Message.user("other", id="taken")]
            if number % 3 == 1
            else [Message.user("sound", id=f"sound-{number}")]
            for number in range(12)
        ]
        calls = [book.history.append("s", batch, user_id=USER) for batch in batches]
        answers = await in_one_batch(book, calls)
        kinds = [ConflictError if len(batch) == 2 else Receipt for batch in batches]
        assert [type(answer) for answer in answers] == kinds
        stored = await book.history.entries("s", user_id=USER)
    sound = [batch[0].id for batch in batches if len(batch) == 1]
    assert [one.message.id for one in stored] == ["taken", *sound]
    assert [one.seq for one in stored] == list(range(1, len(stored) + 1))


async def test_a_cancelled_call_leaves_the_others_their_answers(tmp_path: Path) -> None:
    async with open_book(tmp_path / "book.db") as book:
        tasks = [
            asyncio.create_task(book.history.append(f"s{number}", Message.user("x"), user_id=USER))
            for number in range(8)
        ]

        async def cancel() -> None:
            for task in tasks[::2]:
                task.cancel()

        answers = (await in_one_batch(book, [cancel(), *tasks]))[1:]
        assert [type(answer) for answer in answers] == [asyncio.CancelledError, Receipt] * 4
        assert [answer.session_id for answer in answers[1::2]] == ["s1", "s3", "s5", "s7"]


async def test_a_storm_of_cancellations_over_several_event_loops(tmp_path: Path) -> None:
    tally = await storm(tmp_path / "book.db", loops=3, callers=8, calls=60)
    assert tally.sound, tally.examples
    assert tally.faults >= 50


async def test_answering_the_wrong_caller_is_convicted(tmp_path: Path) -> None:
    """The control: now and then, somebody else's receipt."""
    tally = await storm(tmp_path / "book.db", loops=1, callers=8, calls=20, deliver=misdeliver())
    assert tally.anomalies["receipt"]


def test_threads_share_one_blocking_daybook(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    with Daybook.open(f"sqlite:///{tmp_path}/book.db", embedder=None) as book:

        def work(name: str) -> None:
            try:
                for number in range(25):
                    book.history.append(name, Message.user(f"{name} {number}"), user_id=name)
                said = [message.text for message in book.history.list(name, user_id=name)]
                assert said == [f"{name} {number}" for number in range(25)]
            except BaseException as exc:  # noqa: BLE001 - carried to the test's thread
                failures.append(exc)

        threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
