"""Engines that write less at once than SQLite: the same results, in more steps."""

from __future__ import annotations

from typing import Any

import pytest
from google.adk.events.event import Event
from google.adk.events.event_actions import EventActions
from msgspec.structs import replace

from daybook import AsyncDaybook, Daybook
from daybook.adapters.google_adk import DaybookSessionService

WHO: dict[str, Any] = {"app_name": "app", "user_id": "alice"}


async def test_an_apps_state_is_kept_where_owners_are_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Daybook.open("inmemory://", embedder=None) as book:
        narrow = replace(book.capabilities, atomic_across_owners=False)
        monkeypatch.setattr(AsyncDaybook, "capabilities", narrow)
        service = DaybookSessionService(book)
        session = await service.create_session(**WHO, session_id="s", state={"app:p": 1})
        delta = {"app:q": 2, "user:u": 3, "a": 4}
        await service.append_event(
            session, Event(author="user", actions=EventActions(state_delta=delta))
        )
        found = await service.get_session(**WHO, session_id="s")
        assert found is not None
        assert found.state == {"app:p": 1, **delta}
