"""An agent of Google's ADK whose sessions and memories are Daybook's.

Runs without a key: the model is scripted.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.models.base_llm import BaseLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import Runner
from google.genai import types

from daybook.adapters.google_adk import DaybookMemoryService, DaybookSessionService


class Scripted(BaseLlm):  # type: ignore[misc] # untyped where it is checked
    """Says how many contents it was sent."""

    async def generate_content_async(
        self, llm_request: Any, *_: Any, **__: Any
    ) -> AsyncIterator[LlmResponse]:
        """Answer."""
        text = f"I was sent {len(llm_request.contents)} contents."
        yield LlmResponse(content=types.Content(role="model", parts=[types.Part(text=text)]))


async def talk(url: str, text: str) -> None:
    """Run one turn as a program of its own would, and remember the session."""
    sessions, memories = DaybookSessionService(url), DaybookMemoryService(url)
    agent = LlmAgent(name="helper", model=Scripted(model="scripted"), output_key="user:answer")
    runner = Runner(
        app_name="kitchen", agent=agent, session_service=sessions, memory_service=memories
    )
    who: dict[str, Any] = {"app_name": "kitchen", "user_id": "alice", "session_id": "s1"}
    if await sessions.get_session(**who) is None:
        await sessions.create_session(**who)
    asked = types.Content(role="user", parts=[types.Part(text=text)])
    async for event in runner.run_async(user_id="alice", session_id="s1", new_message=asked):
        if event.content and event.content.parts:
            print(event.content.parts[0].text)
    session = await sessions.get_session(**who)
    if session is not None:
        await memories.add_session_to_memory(session)
        print("state:", session.state)
    found = await memories.search_memory(app_name="kitchen", user_id="alice", query="nuts?")
    print("best memory:", found.memories[0].content.parts[0].text)
    memories.close()
    sessions.close()


def main() -> None:
    """Talk twice."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'chat.db'}"
        asyncio.run(talk(url, "I keep walnuts in the cellar."))
        asyncio.run(talk(url, "Thanks!"))


if __name__ == "__main__":
    main()
