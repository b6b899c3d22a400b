"""An agent's long-term memory: what it stores in one conversation, it knows in the next.

Runs without a key: the model is scripted.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain.tools import ToolRuntime
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from daybook.adapters.langgraph import DaybookStore


class Scripted(GenericFakeChatModel):
    """A model that answers from a list."""

    def bind_tools(self, *_: Any, **__: Any) -> Scripted:
        """Take the tools; the script knows them."""
        return self


def remember(fact: str, runtime: ToolRuntime) -> str:
    """Keep a fact about the user."""
    store: Any = runtime.store
    store.put(("alice", "facts"), fact[:40], {"text": fact}, ttl=60 * 24 * 365)  # minutes
    return "kept"


def recall(about: str, runtime: ToolRuntime) -> str:
    """Find what is known of the user."""
    store: Any = runtime.store
    found = store.search(("alice",), query=about, limit=2)
    return "; ".join(item.value["text"] for item in found)


def calling(name: str, **arguments: Any) -> AIMessage:
    """Return an answer that calls a tool."""
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": name}])


def main() -> None:
    """Talk twice, with the program ended in between."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'memory.db'}"

        script = [
            calling("remember", fact="Alice is allergic to nuts"),
            AIMessage("I'll remember."),
        ]
        with DaybookStore(url) as store:
            agent = create_agent(Scripted(messages=iter(script)), [remember, recall], store=store)
            agent.invoke({"messages": [("user", "I'm allergic to nuts")]})

        script = [calling("recall", about="what may she not eat?"), AIMessage("No pesto for you.")]
        with DaybookStore(url) as store:
            agent = create_agent(Scripted(messages=iter(script)), [remember, recall], store=store)
            state = agent.invoke({"messages": [("user", "What may I not eat?")]})
            print("recalled:", state["messages"][-2].content)
            print("answered:", state["messages"][-1].content)
            print("stored under:", store.list_namespaces())


if __name__ == "__main__":
    main()
