"""An agent that remembers across threads: a middleware, and nothing in its state."""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage

from daybook import Daybook
from daybook.adapters.langchain import DaybookMiddleware, create_recall_tool

with Daybook.open("sqlite:///agent.db") as book:
    memory = DaybookMiddleware(book, user_id="ann", max_tokens=4000)
    # A stand-in for "openai:…", "anthropic:…" and their kind.
    model = FakeListChatModel(responses=["Noted.", "Kiwi, as you told me."])
    agent = create_agent(model, middleware=[memory], system_prompt="You help Ann.")

    def ask(thread: str, text: str) -> str:
        """Ask in a thread; there is no checkpointer."""
        config: Any = {"configurable": {"thread_id": thread}}
        return str(agent.invoke({"messages": [HumanMessage(text)]}, config)["messages"][-1].text)

    print(ask("monday", "My parrot is called Kiwi."))
    print(ask("friday", "What is my parrot called?"))
    print("stored on friday:", [message.role for message in book.history.list("friday")])
    tool = create_recall_tool(book, user_id="ann", limit=1)
    print(tool.invoke({"query": "name of the parrot"}))
