"""Processes in one session: turns queue between them; one that is killed loses nothing it owed."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from daybook.chat import AsyncChatApplication
from daybook.model.message import Message
from tests.chat.scripted_models import echo, in_pairs, mark, texts
from tests.chat.turn_taker import TURNS

ROOT = Path(__file__).parents[2]
# Who is killed holds its lease to the end; who is only held up for a while must not lose it.
SHORT_S, LONG_S = 2.0, 60.0
LIMIT_S = 60.0


@contextmanager
def taker(
    url: str, index: str, name: str, mode: str, lease_s: float
) -> Iterator[subprocess.Popen[str]]:
    """Run a process that waits for its start."""
    arguments = [url, index, "s", name, mode, str(lease_s)]
    command = [sys.executable, "-m", "tests.chat.turn_taker", *arguments]
    process = subprocess.Popen(
        command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


async def line_of(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    return (await asyncio.to_thread(process.stdout.readline)).split()


async def start(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert await line_of(process) == ["ready"]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@asynccontextmanager
async def shared_chat(url: str, index: str, lease_s: float) -> AsyncIterator[AsyncChatApplication]:
    async with AsyncChatApplication(
        url, index=index or None, embedder="hash", background=False, model=echo, lease_s=lease_s
    ) as chat:
        await chat.create_session("alice", session_id="s")
        yield chat


@pytest.fixture(params=["sqlite", "redis"])
def place(
    request: pytest.FixtureRequest, url_of: Callable[[str], str], tmp_path: Path
) -> tuple[str, str]:
    """A store that processes share, and its index."""
    index = "" if request.param == "sqlite" else f"sqlite:///{tmp_path}/index.db"
    return url_of(request.param), index


async def test_turns_of_two_processes_go_one_after_the_other(place: tuple[str, str]) -> None:
    async with shared_chat(*place, LONG_S) as chat:
        with ExitStack() as stack:
            pair = [
                stack.enter_context(taker(*place, name, "turns", LONG_S)) for name in ("a", "b")
            ]
            await start(*pair)
            for process in pair:
                assert await line_of(process) == ["done"]
        history = await chat.history("s")
    assert len(history) == 4 * TURNS
    assert in_pairs(history, lambda text: f"you said {text}")
    for name in ("a", "b"):
        asked = [one.text for one in history if one.text.startswith(name)]
        assert asked == [f"{name} {number}" for number in range(TURNS)]


async def killed_in_an_answer(place: tuple[str, str], mode: str) -> list[Message]:
    """Kill a process in the middle of an answer, take a turn, and return what is there."""
    async with shared_chat(*place, SHORT_S) as chat:
        with taker(*place, "a", mode, SHORT_S) as process:
            await start(process)
            acknowledged: list[str] = []
            while (said := await line_of(process))[0] == "acknowledged":
                acknowledged += said[1:]
            assert said[0] == "piece"
            process.kill()
            process.wait()
        async with asyncio.timeout(LIMIT_S):
            await chat.chat("s", "and now?")
        history = await chat.history("s")
    assert set(acknowledged) <= {one.id for one in history}
    assert len(acknowledged) == 6
    return history


async def test_killed_in_an_answer_the_question_stays_and_the_next_turn_works(
    place: tuple[str, str],
) -> None:
    history = await killed_in_an_answer(place, "hang")
    assert texts(history)[6:] == [
        ("user", "now hang"),
        ("user", "and now?"),
        ("assistant", "you said and now?"),
    ]


async def test_a_killed_turn_can_be_taken_again(url_of: Callable[[str], str]) -> None:
    place = (url_of("sqlite"), "")
    await killed_in_an_answer(place, "hang")
    async with AsyncChatApplication(place[0], embedder="hash", model=echo) as chat:
        reply = await chat.chat("s", Message.user("now hang", id="hanging"))
        assert mark(reply.message, "answers") == "hanging"
        assert not reply.repeated
        assert len(await chat.history("s")) == 10


async def test_a_chat_that_stores_the_question_late_is_convicted(
    url_of: Callable[[str], str],
) -> None:
    """The control: killed in an answer it has lost the question."""
    history = await killed_in_an_answer((url_of("sqlite"), ""), "late")
    assert ("user", "now hang") not in texts(history)
