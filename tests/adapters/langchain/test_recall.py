"""The recall tool and the retriever, by LangChain's own suites and by ours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.messages import HumanMessage
from langchain_tests.integration_tests import RetrieversIntegrationTests, ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from daybook import Daybook
from daybook.adapters.langchain import (
    DaybookChatMessageHistory,
    DaybookRetriever,
    create_recall_tool,
)
from daybook.errors import ConfigError

TALK = ["The parrot is called Kiwi.", "The parrot sings at night.", "A parrot in Rome, once.",
        "My bicycle is green.", "The parrot again."]  # fmt: skip


@pytest.fixture
def spoken(book: Daybook) -> Daybook:
    DaybookChatMessageHistory("s", book, user_id="ann").add_messages(
        [HumanMessage(text) for text in TALK]
    )
    return book


def recall_tool() -> Any:
    return create_recall_tool("inmemory://", user_id="ann", embedder=None)


class _Recall:
    @property
    def tool_constructor(self) -> Any:
        return recall_tool()

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return {"query": "parrot"}


class TestToolUnit(_Recall, ToolsUnitTests):  # type: ignore[misc] # untyped where it is checked
    """LangChain's suite for tools."""


class TestToolIntegration(_Recall, ToolsIntegrationTests):  # type: ignore[misc]
    """LangChain's suite for tools that are run."""


class TestRetriever(RetrieversIntegrationTests):  # type: ignore[misc]
    """LangChain's suite for retrievers."""

    @pytest.fixture(autouse=True)
    def _place(self, spoken: Daybook) -> None:
        TestRetriever.book = spoken

    book: Daybook

    @property
    def retriever_constructor(self) -> Any:
        return lambda **given: DaybookRetriever(self.book, user_id="ann", **given)

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {}

    @property
    def retriever_query_example(self) -> str:
        return "parrot"


def test_documents_say_where_they_are_from(spoken: Daybook) -> None:
    found = DaybookRetriever(spoken, user_id="ann", k=1).invoke("bicycle")
    assert [document.page_content for document in found] == [TALK[3]]
    assert found[0].id == "s:4"
    assert found[0].metadata["session_id"] == "s"
    assert DaybookRetriever(spoken, user_id="bob").invoke("bicycle") == []
    around = DaybookRetriever(spoken, user_id="ann", k=1, neighbours=1).invoke("bicycle")
    assert around[0].page_content == "\n".join(TALK[2:5])
    again = asyncio.run(DaybookRetriever(spoken, user_id="ann", k=1).ainvoke("bicycle"))
    assert isinstance(again[0], Document)
    assert again[0].id == found[0].id


def test_whose_talk_is_searched_is_not_the_models_choice(spoken: Daybook) -> None:
    tool = create_recall_tool(spoken)
    assert set(tool.args) == {"query"}
    ann: Any = {"configurable": {"user_id": "ann"}}
    asked = {"query": "bicycle", "user_id": "ann"}
    assert f"| {TALK[3]}" in tool.invoke({"query": "bicycle"}, ann)
    assert tool.invoke(asked, {"configurable": {"user_id": "bob"}}) == "Nothing was found."
    assert f"| {TALK[3]}" in asyncio.run(tool.ainvoke({"query": "bicycle"}, ann))
    with pytest.raises(ConfigError):
        tool.invoke(asked)


def test_a_calls_artifact_lists_what_was_found(spoken: Daybook) -> None:
    tool = create_recall_tool(spoken, user_id="ann", session_id="s", limit=1)
    call = {"name": "recall", "args": {"query": "bicycle"}, "id": "c", "type": "tool_call"}
    message = tool.invoke(call)
    assert [hit["text"] for hit in message.artifact] == [TALK[3]]
