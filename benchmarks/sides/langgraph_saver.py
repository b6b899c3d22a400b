"""LangGraph's checkpointer on SQLite, as it comes; ai-infra's chat sessions are kept by it too."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.sides.history import SyncHistory
from benchmarks.talk import Exchange

__all__ = ["LangGraphSaver"]


class LangGraphSaver(SyncHistory):
    """A graph of one node that answers; every step is a checkpoint by `SqliteSaver`."""

    def __init__(self, path: Path) -> None:
        from langchain_core.messages import AIMessage, HumanMessage  # noqa: PLC0415 - an optional peer
        from langgraph.checkpoint.sqlite import SqliteSaver  # noqa: PLC0415 - an optional peer
        from langgraph.graph import START, MessagesState, StateGraph  # noqa: PLC0415 - an optional peer

        self._makers = (HumanMessage, AIMessage)
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._answer = ""
        builder: Any = StateGraph(MessagesState)
        builder.add_node("answer", self._reply)
        builder.add_edge(START, "answer")
        self._graph: Any = builder.compile(checkpointer=SqliteSaver(self._connection))

    def _reply(self, _state: Any) -> dict[str, Any]:
        return {"messages": [self._makers[1](content=self._answer)]}

    @staticmethod
    def _config(session: str) -> dict[str, Any]:
        return {"configurable": {"thread_id": session}}

    def fill(self, session: str, texts: Sequence[str]) -> None:
        """Put all messages into the state at once."""
        messages = [self._makers[at % 2](content=text) for at, text in enumerate(texts)]
        if messages:
            self._graph.update_state(self._config(session), {"messages": messages})

    def append(self, session: str, exchange: Exchange) -> None:
        """Run the graph on a question; its node gives the answer."""
        question, self._answer = exchange
        given = {"messages": [self._makers[0](content=question)]}
        self._graph.invoke(given, self._config(session))

    def load(self, session: str, limit: int | None) -> int:
        """Load the newest checkpoint, for there is no other way, and keep the newest messages."""
        messages = self._graph.get_state(self._config(session)).values.get("messages", [])
        return len(messages if limit is None else messages[-limit:])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
