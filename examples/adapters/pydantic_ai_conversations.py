"""Conversations of a Pydantic AI agent: saved after each run, branched, forked, searched.

Runs without a key: the model is a function.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.conversation import Conversation
from pydantic_ai.messages import ModelResponse, TextPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from daybook import Daybook
from daybook.adapters.pydantic_ai import DaybookConversationStore


def answer(messages: list[Any], _: AgentInfo) -> ModelResponse:
    """Say how many messages were sent."""
    return ModelResponse(parts=[TextPart(content=f"I was sent {len(messages)} messages.")])


async def talk(url: str) -> None:
    """Talk twice, take another way from the first answer, and fork."""
    agent = Agent(FunctionModel(answer))
    store = DaybookConversationStore(url)
    for text in ("I keep walnuts in the cellar.", "Thanks!"):
        found = await store.load("c", scope="alice") or Conversation(conversation_id="c")
        result = await agent.run(text, conversation=found)
        await store.save(result, scope="alice")
        print(result.output)
    latest = await store.load("c", scope="alice")
    if latest is not None:
        await store.branch("c", at=2, expected_revision=latest.revision)
    fork = await store.fork("c", scope="alice")
    listed = await store.list_conversations(scope="alice")
    print(f"{len(listed)} conversations; the fork begins with {len(fork.messages)} messages")
    store.close()


def main() -> None:
    """Talk, then look into the book."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'chat.db'}"
        asyncio.run(talk(url))
        with Daybook.open(url) as book:
            (hit,) = book.records.search(("pydantic-ai",), query="walnuts", limit=1)
            print(hit.record.value["text"])


if __name__ == "__main__":
    main()
