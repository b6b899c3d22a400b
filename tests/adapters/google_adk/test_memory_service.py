"""ADK's memory service on ours, beside its own in RAM."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google.adk.events.event import Event
from google.adk.memory.in_memory_memory_service import InMemoryMemoryService
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions.session import Session
from google.genai import types

from daybook import Daybook
from daybook.adapters.google_adk import DaybookMemoryService

WHO = {"app_name": "app", "user_id": "alice"}


@pytest.fixture(params=["theirs", "ours"])
def service(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "theirs":
        yield InMemoryMemoryService()
        return
    with Daybook.open("inmemory://") as book:
        yield DaybookMemoryService(book)


@pytest.fixture
def ours() -> Iterator[DaybookMemoryService]:
    with Daybook.open("inmemory://") as book:
        yield DaybookMemoryService(book)


def event(text: str, name: str) -> Event:
    content = types.Content(role="user", parts=[types.Part(text=text)]) if text else None
    return Event(id=name, author="user", content=content, timestamp=1.7e9)


def session(*events: Event) -> Session:
    return Session(id="s", **WHO, events=list(events))


async def found(service: Any, query: str, **who: str) -> list[Any]:
    response = await service.search_memory(**{**WHO, **who}, query=query)
    return list(response.memories)


EVENTS = (
    event("I keep walnuts in the cellar", "e1"),
    event("", "e2"),
    event("The dog is Rex", "e3"),
)


async def test_finds_what_was_added_once_however_often(service: Any) -> None:
    await service.add_session_to_memory(session(*EVENTS[:2]))
    await service.add_session_to_memory(session(*EVENTS))
    await service.add_events_to_memory(**WHO, events=EVENTS, session_id="s")
    (hit,) = [one for one in await found(service, "walnuts cellar") if one.id == "e1"]
    assert (hit.content, hit.author) == (EVENTS[0].content, "user")
    assert hit.timestamp.startswith("2023-11-1")
    assert len(await found(service, "walnuts cellar dog Rex")) == 2
    assert await found(service, "   ") == []


async def test_users_and_apps_are_apart(service: Any) -> None:
    await service.add_session_to_memory(session(*EVENTS))
    assert await found(service, "walnuts", user_id="bob") == []
    assert await found(service, "walnuts", app_name="app2") == []


async def test_what_is_deleted_stays_deleted(service: Any) -> None:
    await service.add_session_to_memory(session(*EVENTS))
    await service.delete_memory(**WHO, memory_id="e1")
    await service.delete_memory(**WHO, memory_id="nothing")
    await service.delete_memory(**WHO)
    await service.add_session_to_memory(session(*EVENTS))
    assert "e1" not in [one.id for one in await found(service, "walnuts cellar")]


async def test_meaning_counts_where_words_differ(ours: DaybookMemoryService) -> None:
    await ours.add_session_to_memory(session(*EVENTS))
    assert (await found(ours, "what is my pet called?"))[0].id == "e3"


async def test_the_frameworks_own_search_counts_words_only() -> None:
    """The failing baseline of the test above."""
    service = InMemoryMemoryService()
    await service.add_session_to_memory(session(*EVENTS))
    hits = await found(service, "what was my pet called?")
    assert "e3" not in [one.id for one in hits]


async def test_memories_can_be_written_outright(ours: DaybookMemoryService) -> None:
    content = types.Content(role="user", parts=[types.Part(text="Allergic to peanuts")])
    await ours.add_memory(
        **WHO, memories=[MemoryEntry(content=content)], custom_metadata={"source": "form"}
    )
    (hit,) = await found(ours, "peanuts")
    assert (hit.content, hit.custom_metadata) == (content, {"source": "form"})
    assert hit.id
