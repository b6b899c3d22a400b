"""`RunnableWithMessageHistory`, pattern by pattern: each is LangChain's with one import changed.

Basic use, inputs of three kinds, sessions with two keys, backends, a history class of one's own,
async, streaming, trimming, the way from the legacy memory. The model is played; no key, no network.
Sessions of many users, and a store that fails: `message_history_production.py`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableFieldSpec, RunnableLambda, RunnablePassthrough

from daybook import Daybook
from daybook.adapters.langchain import (
    FileChatMessageHistory,
    InMemoryChatMessageHistory,
    RunnableWithMessageHistory,
    SQLChatMessageHistory,
    trim_messages,
)
from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.adapters.langchain_classic import ConversationBufferMemory

URL = "sqlite:///patterns.db"


def answer(given: Any) -> AIMessage:
    """Play a model, which gets a filled prompt or a list of messages."""
    messages = given if isinstance(given, list) else given.to_messages()
    said = [message.text for message in messages if message.type == "human"]
    return AIMessage(f"Turn {len(said)}, you began with '{said[0]}'")


model = RunnableLambda(answer)
prompt = ChatPromptTemplate(
    [("system", "You know {topic}."), MessagesPlaceholder("history"), ("human", "{input}")]
).partial(topic="everything")
KEYS: dict[str, Any] = {"input_messages_key": "input", "history_messages_key": "history"}


def at(**names: str) -> Any:
    """Return the config that names a session."""
    return {"configurable": names}


def basic() -> None:
    """Wrap a chain; wrap a model alone, asked with text or with messages."""
    chain = RunnableWithMessageHistory(prompt | model, URL, **KEYS)
    chain.invoke({"input": "I'm Alex!"}, at(session_id="basic"))
    print(f"basic: {chain.invoke({'input': 'My name?'}, at(session_id='basic')).text}")
    given = {"input": "What is Python?", "topic": "programming"}
    print(f"dict: {chain.invoke(given, at(session_id='dict')).text}")
    alone = RunnableWithMessageHistory(model, URL)
    print(f"text: {alone.invoke('Hello!', at(session_id='alone')).text}")
    print(f"messages: {alone.invoke([HumanMessage('Again!')], at(session_id='alone')).text}")


def fields(*names: str) -> list[ConfigurableFieldSpec]:
    """Say which fields of a config name a session."""
    return [ConfigurableFieldSpec(id=name, annotation=str, is_shared=True) for name in names]


def two_keys() -> None:
    """Name a session by user and conversation."""
    with Daybook.open(URL) as book:

        def history(user_id: str, conversation_id: str) -> DaybookChatMessageHistory:
            name = book.sessions.id_of(user_id=user_id, conversation_id=conversation_id)
            return DaybookChatMessageHistory(name, URL, user_id=user_id)

        names = fields("user_id", "conversation_id")
        chain = RunnableWithMessageHistory(
            prompt | model, history, history_factory_config=names, **KEYS
        )
        for user in ("alice", "bob"):
            where = at(user_id=user, conversation_id="project-1")
            print(f"two keys: {chain.invoke({'input': f'I am {user}'}, where).text}")


class Shouting(DaybookChatMessageHistory):
    """A history of one's own: only what is shown is changed, so nothing stored can be lost."""

    @property
    def messages(self) -> list[BaseMessage]:
        """What was said, louder."""
        shown = super().messages
        return [one.model_copy(update={"content": one.text.upper()}) for one in shown]


def backends() -> None:
    """Change where it is stored, and nothing else; Redis, PostgreSQL and MongoDB are alike."""
    inmemory = InMemoryChatMessageHistory()
    histories = {
        "in memory": lambda session_id: inmemory,  # noqa: ARG005 - as its neighbours
        "file": lambda session_id: FileChatMessageHistory(f"{session_id}.json"),
        "sql": lambda session_id: SQLChatMessageHistory(session_id, connection="sqlite:///sql.db"),
        "own class": lambda session_id: Shouting(session_id, URL),
    }
    for name, history in histories.items():
        chain = RunnableWithMessageHistory(prompt | model, history, **KEYS)
        chain.invoke({"input": "Hello"}, at(session_id="stored"))
        print(f"{name}: {chain.invoke({'input': 'And now?'}, at(session_id='stored')).text}")


async def asynchronous() -> None:
    """Run conversations side by side, and stream one."""
    alone = RunnableWithMessageHistory(model, URL)
    replies: list[Any] = []
    for text in ("I like Python", "What do I like?"):
        replies = await asyncio.gather(
            *(alone.ainvoke(text, at(session_id=f"user-{number}")) for number in range(3))
        )
    print(f"async: {[reply.text[:6] for reply in replies]}")
    chain = RunnableWithMessageHistory(prompt | model | StrOutputParser(), URL, **KEYS)
    pieces = [piece async for piece in chain.astream({"input": "Tell!"}, at(session_id="stream"))]
    stored = await DaybookChatMessageHistory("stream", URL).aget_messages()
    print(f"streamed, then stored: {stored[-1].text == ''.join(pieces)}, as {stored[-1].type}")


def trimmed() -> None:
    """Send what fits a budget; everything stays stored."""
    trim = trim_messages(max_tokens=40)
    fit = RunnablePassthrough.assign(
        history=lambda given: trim.invoke(given["history"]) if given["history"] else []
    )
    chain = RunnableWithMessageHistory(fit | prompt | model, URL, **KEYS)
    for number in range(6):
        chain.invoke({"input": f"This is question {number}"}, at(session_id="trimmed"))
    stored = DaybookChatMessageHistory("trimmed", URL).messages
    print(f"trimmed: {stored[-1].text}; stored: {len(stored)}")


def migrated() -> None:
    """Go on with what a legacy memory has stored."""
    legacy = ConversationBufferMemory(session_id="old", url=URL)
    legacy.save_context({"input": "Hello from 2023"}, {"output": "Hello"})
    chain = RunnableWithMessageHistory(prompt | model, URL, **KEYS)
    print(f"migrated: {chain.invoke({'input': 'And now?'}, at(session_id='old')).text}")


if __name__ == "__main__":
    basic()
    two_keys()
    backends()
    asyncio.run(asynchronous())
    trimmed()
    migrated()
