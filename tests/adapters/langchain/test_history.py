"""`DaybookChatMessageHistory`: the interface, and what LangChain's own histories get wrong."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from daybook import AsyncDaybook, Daybook, Message
from daybook.adapters.langchain import (
    DaybookChatMessageHistory,
    FileChatMessageHistory,
    InMemoryChatMessageHistory,
)
from daybook.errors import ConfigError, ConflictError, InvalidInputError, StoreClosedError
from daybook.testing.fake_clock import FakeClock
from tests.adapters.langchain import theirs

TURN = [HumanMessage("ask", id="q"), AIMessage("answer", id="a")]
WRITERS, TURNS = 4, 10
IN_MEMORY = {"ours": InMemoryChatMessageHistory, "theirs": theirs.InMemoryChatMessageHistory}


def write_turns(history: Any, writer: int) -> None:
    for turn in range(TURNS):
        name = f"{writer}-{turn}"
        history.add_messages([HumanMessage(f"q{name}"), AIMessage(f"a{name}")])


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def whole_turns(texts: list[str]) -> int:
    """Count questions that their answer directly follows."""
    return sum(one[0] == "q" and two == f"a{one[1:]}" for one, two in pairwise(texts))


class Own(DaybookChatMessageHistory):
    """Changes the sync methods alone, as subclasses of LangChain's histories may."""

    @property
    def messages(self) -> list[BaseMessage]:
        return super().messages[-1:]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        super().add_messages([one for one in messages if one.content != "unsaid"])

    def clear(self) -> None:
        self.add_messages([AIMessage("cleared")])


class Asking(DaybookChatMessageHistory):
    """Its sync method asks the async one."""

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        asyncio.run(super().aadd_messages([*messages, AIMessage("too")]))


class Both(Own):
    """Has an async method of its own, which means what it does."""

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        await super().aadd_messages([*messages, HumanMessage("async")])


async def test_what_a_subclass_changes_holds_for_async_code(book: Daybook) -> None:
    said = [HumanMessage("said"), HumanMessage("unsaid")]
    own, plain = Own("own", book), DaybookChatMessageHistory("own", book)
    await own.aadd_messages(said)
    await own.aclear()
    assert [one.content for one in await plain.aget_messages()] == ["said", "cleared"]
    assert [one.content for one in await own.aget_messages()] == ["cleared"]
    await Asking("asking", book).aadd_messages(said)
    await Both("both", book).aadd_messages(said)
    texts = {
        name: [one.content for one in await DaybookChatMessageHistory(name, book).aget_messages()]
        for name in ("asking", "both")
    }
    assert texts["asking"] == ["said", "unsaid", "too"]
    assert texts["both"] == ["said", "unsaid", "async"]


def test_sync_and_async_are_one_history(book: Daybook) -> None:
    history: Any = DaybookChatMessageHistory("s", book)
    assert issubclass(type(history), BaseChatMessageHistory)
    assert history.messages == []
    history.add_user_message("one")
    history.add_ai_message(AIMessage("two", id="2"))

    async def later() -> Any:
        await history.aadd_messages([HumanMessage("three")])
        await history.aadd_message(HumanMessage("four"))
        return await history.aget_messages()

    said = asyncio.run(later())
    assert said == history.messages
    assert [message.text for message in said] == ["one", "two", "three", "four"]
    assert said[1] == AIMessage("two", id="2")
    assert str(history).startswith("Human: one\nAI: two")
    assert (len(history), bool(history)) == (4, True)
    asyncio.run(history.aclear())
    assert history.messages == []
    history.clear()


def test_making_one_does_nothing_until_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "later.db"
    history = DaybookChatMessageHistory("s", f"sqlite:///{path}", embedder=None)
    assert not path.exists()
    history.add_messages([])
    assert not path.exists()
    history.add_message(HumanMessage("now"))
    assert path.exists()
    history.close()


def test_objects_of_one_place_share_one_connection(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/shared.db"
    before = open_files()
    histories = [DaybookChatMessageHistory(f"s{at}", url, embedder=None) for at in range(40)]
    for history in histories:
        history.add_user_message("x")
    assert open_files() - before < 20
    for history in histories:
        history.close()


def test_concurrent_turns_stay_whole(tmp_path: Path) -> None:
    path = str(tmp_path / "chat.json")
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda at: write_turns(FileChatMessageHistory(path), at), range(WRITERS)))
    texts = [str(message.text) for message in FileChatMessageHistory(path).messages]
    assert whole_turns(texts) == WRITERS * TURNS


def test_langchains_file_history_loses_what_others_write_meanwhile(tmp_path: Path) -> None:
    """The control of the test above: it reads the file and writes all of it back."""
    path, both_have_read = str(tmp_path / "chat.json"), threading.Barrier(2)
    plain: Any = theirs.community.FileChatMessageHistory

    class Waits(plain):  # type: ignore[misc] # a class that stands in a variable
        @property
        def messages(self) -> Any:
            read = super().messages
            both_have_read.wait(60)
            return read

    writers = [Waits(path), Waits(path)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: one.add_message(HumanMessage("kept?")), writers))
    assert len(plain(path).messages) == 1


@pytest.mark.parametrize("kind", ["ours", "theirs"])
def test_what_was_returned_is_the_callers_own(kind: str) -> None:
    history: Any = IN_MEMORY[kind]()
    history.add_message(HumanMessage("kept"))
    history.messages[0].content = "changed"
    history.messages.append(HumanMessage("added"))
    unchanged = [message.text for message in history.messages] == ["kept"]
    assert unchanged is (kind == "ours")


def test_adding_again_after_a_failure_adds_nothing(book: Daybook) -> None:
    history = DaybookChatMessageHistory("s", book)
    history.add_messages(TURN)
    history.add_messages(TURN)
    assert len(history) == 2
    with pytest.raises(ConflictError):
        history.add_message(AIMessage("something else", id="a"))


def test_a_batch_with_a_message_that_cannot_be_stored_stores_nothing(book: Daybook) -> None:
    history = DaybookChatMessageHistory("s", book)
    with pytest.raises(InvalidInputError):
        history.add_messages([*TURN, ToolMessage("", tool_call_id="c", artifact=object())])
    assert history.messages == []


def test_a_failing_store_is_heard_of(tmp_path: Path) -> None:
    closed = Daybook.open(f"sqlite:///{tmp_path}/x.db", embedder=None)
    history = DaybookChatMessageHistory("s", closed)
    closed.close()
    with pytest.raises(StoreClosedError):
        history.add_messages(TURN)


def test_a_bad_row_ends_no_read(book: Daybook) -> None:
    """A row of a newer version, say: the others are read."""
    strange = Message.user("x", metadata={"langchain": {"blocks": {"4": "no such place"}}})
    book.history.append("s", [Message.user("before"), strange, Message.user("after")], user_id="u")
    book.history.append("s", Message.user([], metadata=strange.metadata), user_id="u")
    texts = [message.text for message in DaybookChatMessageHistory("s", book).messages]
    assert texts == ["before", "x", "after", "[this message could not be decoded]"]


def test_a_session_lives_on_from_its_last_message(tmp_path: Path) -> None:
    clock = FakeClock()
    url = f"sqlite:///{tmp_path}/ttl.db"
    history = DaybookChatMessageHistory("s", url, ttl=60, clock=clock, embedder=None)
    history.add_user_message("one")
    clock.advance(timedelta(seconds=50))
    history.add_user_message("two")
    clock.advance(timedelta(seconds=50))
    assert len(history) == 2  # as one: no message ends before the others
    clock.advance(timedelta(seconds=11))
    assert history.messages == []
    history.add_user_message("three")
    clock.advance(timedelta(seconds=61))
    assert history.messages == []  # made anew, it ends again
    history.close()


def test_a_life_is_given_to_a_session_that_has_another(book: Daybook) -> None:
    DaybookChatMessageHistory("s", book).add_user_message("one")
    DaybookChatMessageHistory("s", book, ttl=timedelta(hours=1)).add_user_message("two")
    session = book.sessions.get("s")
    assert session is not None
    assert session.ttl == timedelta(hours=1)
    assert session.message_count == 2


def test_a_session_is_its_own_user_unless_one_is_named(book: Daybook) -> None:
    DaybookChatMessageHistory("s1", book).add_user_message("the parrot is Kiwi")
    DaybookChatMessageHistory("s2", book, user_id="ann").add_user_message("x")
    assert [session.user_id for session in book.sessions.list().items] == ["ann", "s1"]
    assert book.recall.search("parrot", user_id="s2") == []
    assert DaybookChatMessageHistory("s2", book, user_id="bob").messages == []
    with pytest.raises(ConflictError):
        DaybookChatMessageHistory("s2", book, user_id="bob").add_user_message("mine?")


def test_a_window_begins_with_no_cut_off_result(book: Daybook) -> None:
    call = {"name": "f", "args": {}, "id": "c1", "type": "tool_call"}
    said = [
        HumanMessage("q"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("r", tool_call_id="c1"),
    ]
    DaybookChatMessageHistory("s", book).add_messages([*said, AIMessage("a")])
    window = DaybookChatMessageHistory("s", book, history_size=2).messages
    assert [message.type for message in window] == ["ai"]


def test_one_that_nobody_holds_leaves_nothing(book: Daybook) -> None:
    history = InMemoryChatMessageHistory(TURN, url=book)
    assert len(history) == 2
    name = history.session_id
    history.messages = [HumanMessage("only")]
    assert len(history) == 1
    assert book.sessions.get(name) is not None
    del history
    gc.collect()
    deadline = time.monotonic() + 30
    while book.sessions.get(name) is not None and time.monotonic() < deadline:
        book.sessions.list()
    assert book.sessions.get(name) is None


async def test_a_book_of_another_loop_serves_both(tmp_path: Path) -> None:
    async with AsyncDaybook.open(f"sqlite:///{tmp_path}/a.db", embedder=None) as opened:
        history = DaybookChatMessageHistory("s", opened, user_id="u")
        await history.aadd_messages([HumanMessage("the parrot is Kiwi")])
        await asyncio.to_thread(history.add_user_message, "and sings")
        assert [message.text for message in await history.aget_messages()] == [
            "the parrot is Kiwi",
            "and sings",
        ]
        assert await opened.recall.search("parrot", user_id="u")


def test_background_indexing_goes_on_when_the_callers_loop_ended(book: Daybook) -> None:
    history = DaybookChatMessageHistory("s", book, user_id="u")
    for text in ("the parrot is Kiwi", "the cat is Tom"):
        asyncio.run(history.aadd_messages([HumanMessage(text)]))
    book.recall.flush()
    assert [hit.seq for hit in book.recall.search("parrot", user_id="u", limit=1)] == [1]


def test_wrong_settings_are_named() -> None:
    with pytest.raises(InvalidInputError):
        DaybookChatMessageHistory("", "inmemory://")
    with pytest.raises(ConfigError):
        DaybookChatMessageHistory("s", "no scheme")
    secret = DaybookChatMessageHistory("s", "postgresql://me:secret@nowhere/db")
    assert "secret" not in repr(secret)


FORKED = """
import os
from daybook.adapters.langchain import DaybookChatMessageHistory
url = "sqlite:///fork.db"
# No index: a thread that works while the process forks leaves its locks to the child, for ever.
history = DaybookChatMessageHistory("s", url, embedder=None, index="none")
history.add_user_message("parent")
assert len(history) == 1
child = os.fork()
if child == 0:
    history = DaybookChatMessageHistory("s", url, embedder=None, index="none")
    history.add_user_message("child")
    os._exit(len(history))
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
print(len(DaybookChatMessageHistory("s", url, embedder=None, index="none")))
"""

WITHOUT_BASE = """
import langchain_core.chat_history as theirs
del theirs.BaseChatMessageHistory, theirs.InMemoryChatMessageHistory
from daybook.adapters.langchain import DaybookChatMessageHistory
assert DaybookChatMessageHistory.__mro__[1] is object
history = DaybookChatMessageHistory("s", "sqlite:///x.db", embedder=None)
history.add_user_message("hi")
print(len(history.messages))
"""


@pytest.mark.parametrize(
    ("program", "said"), [(FORKED, "2"), (WITHOUT_BASE, "1")], ids=["forked", "without"]
)
def test_in_a_process_of_its_own(program: str, said: str, tmp_path: Path) -> None:
    """A forked child opens anew; and nothing is missing where core 2.0 removed the base class."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert (run.stdout.strip(), run.stderr) == (said, "")
