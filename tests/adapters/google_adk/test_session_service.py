"""What ADK asks of a session service: one set of tests for its own and ours; where its own lose."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from google.adk.agents import LlmAgent
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.errors.already_exists_error import AlreadyExistsError
from google.adk.errors.session_not_found_error import SessionNotFoundError
from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.adk.sessions.base_session_service import GetSessionConfig
from google.adk.sessions.in_memory_session_service import InMemorySessionService
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from google.genai import types

from daybook import Daybook
from daybook.adapters.google_adk import DaybookSessionService
from daybook.adapters.google_adk.session_service import DaybookSessionService as Service

WHO: dict[str, Any] = {"app_name": "app", "user_id": "alice"}


@pytest.fixture(params=["theirs", "inmemory", "sqlite", "file"])
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "theirs":
        yield SqliteSessionService(str(tmp_path / "adk.db"))
    elif request.param == "inmemory":
        with Daybook.open("inmemory://") as book:
            yield DaybookSessionService(book)
    else:
        made = DaybookSessionService(f"{request.param}:///{tmp_path}/book")
        yield made
        made.close()


@pytest.fixture
def ours(tmp_path: Path) -> Any:
    made = DaybookSessionService(f"sqlite:///{tmp_path}/ours.db")
    yield made
    made.close()


def event(text: str = "", at: float | None = None, **delta: Any) -> Event:
    fields: dict[str, Any] = {} if at is None else {"timestamp": at}
    content = types.Content(role="user", parts=[types.Part(text=text)]) if text else None
    names = {key.replace("__", ":"): value for key, value in delta.items()}
    return Event(author="user", content=content, actions=EventActions(state_delta=names), **fields)


RICH = [
    Event(
        author="helper",
        invocation_id="i1",
        content=types.Content(
            role="model",
            parts=[
                types.Part(text="hm", thought=True),
                types.Part(
                    function_call=types.FunctionCall(name="look", args={"x": [1, 2.5]}, id="c1"),
                    thought_signature=b"\xff\x00",
                ),
            ],
        ),
        usage_metadata=types.GenerateContentResponseUsageMetadata(prompt_token_count=3),
        long_running_tool_ids={"c1"},
        branch="a.b",
    ),
    Event(
        author="helper",
        content=types.Content(
            role="user",
            parts=[
                types.Part(
                    function_response=types.FunctionResponse(
                        name="look", response={"y": 1}, id="c1"
                    )
                )
            ],
        ),
        actions=EventActions(artifact_delta={"f": 2}, transfer_to_agent="other"),
    ),
    Event(
        author="user",
        content=types.Content(
            role="user",
            parts=[types.Part(inline_data=types.Blob(data=b"\x00\xff", mime_type="image/png"))],
        ),
    ),
    Event(author="helper", error_code="E1", error_message="no", turn_complete=True),
]


def said(session: Any) -> list[str]:
    return [one.content.parts[0].text for one in session.events if one.content]


async def test_events_come_back_equal(service: Any) -> None:
    session = await service.create_session(**WHO, session_id="s")
    for one in RICH:
        assert await service.append_event(session, one) is not None
    found = await service.get_session(**WHO, session_id="s")
    assert found.events == RICH
    assert session.events == RICH


async def test_states_go_where_their_prefixes_say(service: Any) -> None:
    first = await service.create_session(
        **WHO, session_id="s", state={"a": 1, "user:u": 1, "app:p": 1, "temp:t": 1}
    )
    assert "temp:t" not in (await service.get_session(**WHO, session_id="s")).state
    await service.append_event(first, event("x", a=2, b=[1.0], user__v=2, app__q=2, temp__z=9))
    assert first.state["temp:z"] == 9
    found = await service.get_session(**WHO, session_id="s")
    shared = {"user:u": 1, "user:v": 2, "app:p": 1, "app:q": 2}
    assert found.state == {"a": 2, "b": [1.0], **shared}
    assert "temp:z" not in found.events[0].actions.state_delta
    other = await service.create_session(**WHO, session_id="other")
    assert other.state == shared
    stranger = await service.create_session(app_name="app", user_id="bob")
    assert stranger.state == {"app:p": 1, "app:q": 2}
    elsewhere = await service.create_session(app_name="app2", user_id="alice")
    assert elsewhere.state == {}
    assert await service.get_user_state(**WHO) == {"u": 1, "v": 2}
    assert await service.get_user_state(app_name="app", user_id="nobody") == {}


async def test_partial_events_are_not_stored(service: Any) -> None:
    session = await service.create_session(**WHO, session_id="s")
    partial = event("half", a=1)
    partial.partial = True
    assert await service.append_event(session, partial) is partial
    found = await service.get_session(**WHO, session_id="s")
    assert (found.events, found.state, session.events) == ([], {}, [])


async def test_the_newest_events_or_those_since(service: Any) -> None:
    session = await service.create_session(**WHO, session_id="s")
    for number in range(1, 31):
        await service.append_event(session, event(str(number), at=2e9 + number, n=number))

    async def read(**config: Any) -> list[str]:
        found = await service.get_session(**WHO, session_id="s", config=GetSessionConfig(**config))
        assert found.state == {"n": 30}
        return said(found)

    assert await read(num_recent_events=3) == ["28", "29", "30"]
    assert await read(num_recent_events=0) == []
    assert await read(num_recent_events=99) == [str(number) for number in range(1, 31)]
    assert await read(after_timestamp=2e9 + 29) == ["29", "30"]
    assert await read(after_timestamp=2e9 + 5, num_recent_events=2) == ["29", "30"]


async def test_what_is_not_there(service: Any) -> None:
    assert await service.get_session(**WHO, session_id="s") is None
    await service.delete_session(**WHO, session_id="s")
    session = await service.create_session(**WHO, session_id=" s ")
    assert session.id == "s"
    with pytest.raises(AlreadyExistsError):
        await service.create_session(**WHO, session_id="s")
    assert await service.get_session(app_name="app", user_id="bob", session_id="s") is None
    assert (await service.create_session(app_name="app", user_id="bob", session_id="s")).id == "s"
    await service.delete_session(**WHO, session_id="s")
    with pytest.raises(SessionNotFoundError):
        await service.append_event(session, event("late"))


async def test_lists_last_changed_last(service: Any) -> None:
    for number, name in enumerate("abc"):
        session = await service.create_session(**WHO, session_id=name, state={"n": number})
        await service.append_event(session, event("x", at=3e9 - number))
    await service.create_session(app_name="app", user_id="bob", session_id="d")
    await service.create_session(app_name="app2", user_id="alice", session_id="e")
    mine = (await service.list_sessions(**WHO)).sessions
    assert [(one.id, one.state["n"], one.events) for one in mine] == [
        ("c", 2, []),
        ("b", 1, []),
        ("a", 0, []),
    ]
    everyone = (await service.list_sessions(app_name="app")).sessions
    assert sorted((one.user_id, one.id) for one in everyone) == [
        ("alice", "a"),
        ("alice", "b"),
        ("alice", "c"),
        ("bob", "d"),
    ]


async def _stale_append(service: Any) -> list[str]:
    """Append through an object that was read before another event; return what is stored."""
    await service.create_session(**WHO, session_id="s")
    one, other = [await service.get_session(**WHO, session_id="s") for _ in range(2)]
    at = 2e9
    await service.append_event(one, event("call", at=at))
    one_more = await service.get_session(**WHO, session_id="s")
    await service.append_event(one_more, event("result", at=at - 3600))
    other.last_update_time = at  # its clock is as far as the store's
    with suppress(StaleSessionError):
        await service.append_event(other, event("between", at=at))
    return said(await service.get_session(**WHO, session_id="s"))


async def test_a_stale_object_is_refused_whatever_the_clocks_say(
    ours: Any,
) -> None:
    assert await _stale_append(ours) == ["call", "result"]


async def test_the_incumbents_clock_lets_a_stale_object_write_and_turns_events_round(
    tmp_path: Path,
) -> None:
    """The failing baseline of the test above: staleness and order rest on timestamps."""
    assert await _stale_append(SqliteSessionService(str(tmp_path / "x.db"))) == [
        "result",
        "call",
        "between",
    ]


async def test_tasks_that_hold_one_object_append_one_after_another(
    ours: Any,
) -> None:
    session = await ours.create_session(**WHO, session_id="s")
    await asyncio.gather(*(ours.append_event(session, event(str(at), n=at)) for at in range(12)))
    found = await ours.get_session(**WHO, session_id="s")
    assert sorted(map(int, said(found))) == list(range(12))
    assert said(found) == said(session)
    assert found.state == {"n": int(said(found)[-1])}


async def test_shared_state_of_many_sessions_loses_nothing(ours: Any) -> None:
    sessions = [await ours.create_session(**WHO, session_id=str(at)) for at in range(5)]
    await asyncio.gather(
        *(
            ours.append_event(one, event("x", at=2e9, **{f"user__u{at}": at, f"app__a{at}": at}))
            for at, one in enumerate(sessions)
        )
    )
    found = await ours.get_session(**WHO, session_id="0")
    assert found.state == {
        **{f"user:u{at}": at for at in range(5)},
        **{f"app:a{at}": at for at in range(5)},
    }


async def test_an_event_is_whole_although_its_writer_died(
    ours: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await ours.create_session(**WHO, session_id="s")
    await ours.append_event(session, event("first"))
    whole = Service._log

    async def dies(*args: Any, **kwargs: Any) -> None:
        raise OSError("the process ended here")

    lost = event("second", a=1)
    monkeypatch.setattr(Service, "_log", dies)
    with pytest.raises(OSError, match="ended"):
        await ours.append_event(session, lost)
    monkeypatch.setattr(Service, "_log", whole)
    found = await ours.get_session(**WHO, session_id="s")
    assert (said(found), found.state) == (["first", "second"], {"a": 1})
    await ours.append_event(session, lost)  # its writer tries again
    await ours.append_event(session, event("third"))
    found = await ours.get_session(**WHO, session_id="s")
    assert said(found) == said(session) == ["first", "second", "third"]


async def test_a_session_made_again_knows_nothing_of_the_earlier_one(
    ours: Any,
) -> None:
    old = await ours.create_session(**WHO, session_id="s")
    await ours.append_event(old, event("old", a=1))
    await ours.delete_session(**WHO, session_id="s")
    new = await ours.create_session(**WHO, session_id="s")
    await ours.append_event(new, event("new"))
    with pytest.raises(StaleSessionError):
        await ours.append_event(old, event("late"))
    found = await ours.get_session(**WHO, session_id="s")
    assert (said(found), found.state) == (["new"], {})


async def test_the_book_reads_what_the_agent_said(tmp_path: Path) -> None:
    with Daybook.open(f"sqlite:///{tmp_path}/b.db") as book:
        service = DaybookSessionService(book)
        session = await service.create_session(**WHO, session_id="s")
        for one in (event("Where are the walnuts?"), *RICH):
            await service.append_event(session, one)
        (stored,) = book.sessions.list(user_id="alice").items
        messages = book.history.list(stored.id, user_id="alice")
        assert [one.role for one in messages] == ["user", "assistant", "tool", "user", "assistant"]
        assert messages[1].tool_calls[0].name == "look"
        assert messages[2].tool_call_id == "c1"
        assert book.recall.search("walnuts", user_id="alice")


WRITER = """
import asyncio, sys
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.events.event import Event
from google.genai import types
from daybook.adapters.google_adk import DaybookSessionService

async def main(url, name):
    service = DaybookSessionService(url, embedder=None)
    who = {"app_name": "app", "user_id": "alice", "session_id": "s"}
    done = 0
    while done < 8:
        session = await service.get_session(**who)
        content = types.Content(role="user", parts=[types.Part(text=f"{name}-{done}")])
        try:
            await service.append_event(session, Event(author="user", content=content))
        except StaleSessionError:
            continue
        done += 1
    service.close()

asyncio.run(main(*sys.argv[1:]))
"""


def _write_from_two_processes(url: str) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, url, name]) for name in "ab"]
    assert [writer.wait(100) for writer in writers] == [0, 0]


async def test_two_processes_that_retry_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/two.db"
    service = DaybookSessionService(url)
    await service.create_session(**WHO, session_id="s")
    await asyncio.to_thread(_write_from_two_processes, url)
    found = said(await service.get_session(**WHO, session_id="s"))
    assert sorted(found) == sorted(f"{name}-{turn}" for name in "ab" for turn in range(8))
    service.close()


class Scripted(BaseLlm):  # type: ignore[misc] # untyped where it is checked
    """Says how many contents it was sent."""

    async def generate_content_async(self, request: Any, stream: bool = False) -> Any:
        text = f"{len(request.contents)} so far"
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text=text)]))


async def test_a_runners_turns_remember_each_other(service: Any) -> None:
    agent = LlmAgent(name="helper", model=Scripted(model="scripted"), output_key="answer")
    runner = Runner(app_name="app", agent=agent, session_service=service)
    await service.create_session(**WHO, session_id="s")
    for turn in range(2):
        asked = types.Content(role="user", parts=[types.Part(text=f"turn {turn}")])
        async for _ in runner.run_async(user_id="alice", session_id="s", new_message=asked):
            pass
    found = await service.get_session(**WHO, session_id="s")
    assert said(found) == ["turn 0", "1 so far", "turn 1", "3 so far"]
    assert found.state["answer"] == "3 so far"


async def test_the_frameworks_session_in_ram_is_gone_with_its_process() -> None:
    """Why a store: what `InMemorySessionService` keeps, another of it does not have."""
    await InMemorySessionService().create_session(**WHO, session_id="s")
    assert await InMemorySessionService().get_session(**WHO, session_id="s") is None
