"""The blocking facade has the async client's names and arguments, and refuses what would hang."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from daybook import AsyncDaybook, Daybook, Message
from daybook.embedders.custom import CallableEmbedder
from daybook.errors import StoreClosedError, UnsupportedError

FACETS = ("sessions", "history", "recall", "context", "records")


def _public(thing: object) -> dict[str, Callable[..., Any]]:
    return {
        name: member
        for name, member in inspect.getmembers(type(thing), inspect.isfunction)
        if not name.startswith("_")
    }


@pytest.fixture
def book() -> Any:
    with Daybook.open("inmemory://", embedder="hash") as opened:
        yield opened


@pytest.mark.parametrize("facet", FACETS)
def test_every_facet_has_the_same_methods_and_arguments(book: Daybook, facet: str) -> None:
    blocking = _public(getattr(book, facet))
    waiting = _public(getattr(book._book, facet))
    assert blocking.keys() == waiting.keys()
    assert blocking
    for name, method in waiting.items():
        assert inspect.iscoroutinefunction(method), name
        ours = inspect.signature(blocking[name])
        theirs = inspect.signature(method)
        assert list(ours.parameters) == list(theirs.parameters), name
        for key, parameter in theirs.parameters.items():
            assert ours.parameters[key].kind == parameter.kind, (name, key)
            assert ours.parameters[key].default == parameter.default, (name, key)
            assert ours.parameters[key].annotation == parameter.annotation, (name, key)


def test_open_has_the_same_arguments() -> None:
    ours = inspect.signature(Daybook.open).parameters
    theirs = inspect.signature(AsyncDaybook.open).parameters
    assert {name: one.default for name, one in ours.items()} == {
        name: one.default for name, one in theirs.items()
    }


def test_a_call_on_its_own_loop_is_refused(book: Daybook) -> None:
    async def inside() -> None:
        book.sessions.get("s")

    with pytest.raises(UnsupportedError, match="AsyncDaybook"):
        book._loop.run(inside())


def test_it_works_inside_a_running_loop_of_the_caller(book: Daybook) -> None:
    async def caller() -> str:
        return book.sessions.create(user_id="alice", session_id="s").id

    assert asyncio.run(caller()) == "s"


def test_many_threads_share_one(book: Daybook) -> None:
    book.sessions.create(user_id="alice", session_id="s")

    def work(number: int) -> None:
        for turn in range(20):
            book.history.append("s", Message.user(f"{number} {turn}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    texts = [message.text for message in book.history.list("s")]
    assert sorted(texts) == sorted(f"{n} {t}" for n in range(8) for t in range(20))
    for number in range(8):  # each thread's own order is kept
        mine = [text for text in texts if text.startswith(f"{number} ")]
        assert mine == [f"{number} {turn}" for turn in range(20)]


def test_use_after_close_is_a_typed_error_and_closing_twice_is_not() -> None:
    book = Daybook.open("inmemory://", embedder="hash")
    book.close()
    book.close()
    with pytest.raises(StoreClosedError):
        book.sessions.get("s")


def test_a_call_that_runs_when_another_thread_closes_ends_and_is_told() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def endless(texts: list[str]) -> list[list[float]]:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(9):  # an ending takes the loop some turns
                await asyncio.sleep(0)
            ended.set()
        return []

    book = Daybook.open(
        "inmemory://", embedder=CallableEmbedder(endless, id="endless", dimensions=2)
    )
    told: list[str] = []

    def search() -> None:
        try:
            book.recall.search("anything", user_id="alice")
        except StoreClosedError as exc:
            told.append(exc.operation)

    caller = threading.Thread(target=search, daemon=True)
    caller.start()
    assert begun.wait(60)
    book.close()
    caller.join(60)
    assert (told, ended.is_set(), caller.is_alive()) == (["call"], True, False)


def test_calls_that_meet_the_close_are_answered_or_told() -> None:
    for _ in range(10):
        book = Daybook.open("inmemory://", embedder="hash")
        book.sessions.create(user_id="alice", session_id="s")
        ready = threading.Barrier(5)

        def read(book: Daybook = book, ready: threading.Barrier = ready) -> str:
            ready.wait(60)
            try:
                while True:
                    book.sessions.get("s")
            except StoreClosedError:
                return "told"

        with ThreadPoolExecutor(4) as pool:
            callers = [pool.submit(read) for _ in range(4)]
            ready.wait(60)
            book.close()
            assert [caller.result(60) for caller in callers] == ["told"] * 4


def test_a_forked_child_is_told_to_open_its_own(book: Daybook) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - runs in the child
        answer = b"another error"
        try:
            book.sessions.get("s")
            answer = b"went on"
        except UnsupportedError as exc:
            answer = b"open a new one" if "open a new one" in str(exc) else b"other text"
        finally:  # never on as a second pytest, whatever was raised
            os.write(write, answer)
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as answers:
        assert answers.read() == b"open a new one"
