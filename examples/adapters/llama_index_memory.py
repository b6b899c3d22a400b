"""LlamaIndex's `Memory` over Daybook: a short queue, and recall from earlier conversations.

Runs without a key: no model is needed.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import Memory

from daybook.adapters.llama_index import DaybookDBChatStore, DaybookMemoryBlock


def memory_of(url: str, session_id: str) -> Memory:
    """Return the memory of one conversation."""
    return Memory.from_defaults(
        session_id=session_id,
        chat_store=DaybookDBChatStore(url, user_id="alice"),
        memory_blocks=[
            # What leaves the queue is in the book already.
            DaybookMemoryBlock(url, user_id="alice", limit=1, accept_short_term_memory=False)
        ],
        token_limit=200,
        tokenizer_fn=str.split,
    )


async def talk(url: str) -> None:
    """Say something in one conversation and ask about it in another."""
    first = memory_of(url, "monday")
    await first.aput(ChatMessage(role="user", content="I keep walnuts in the cellar."))
    await first.aput(ChatMessage(role="assistant", content="Noted."))
    second = memory_of(url, "friday")
    await second.aput(ChatMessage(role="user", content="Where are my nuts?"))
    for message in await second.aget():
        print(f"{message.role.value}: {message.content}")


def main() -> None:
    """Talk."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(talk(f"sqlite:///{Path(folder) / 'chat.db'}"))


if __name__ == "__main__":
    main()
