"""Memory of an agent in six steps: conversation, session, server, long-term, compression, profile.

Run it as it is, or with the URL of any engine: ``memory_management_steps.py redis://localhost``.
The models are played; no key, no network. Where the usual code reads all, changes it and writes it
all back, the steps show what does not lose the writes of others.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda

from daybook import Daybook, Message
from daybook.adapters.langchain import (
    DaybookChatMessageHistory,
    InMemoryChatMessageHistory,
    RunnableWithMessageHistory,
    to_langchain,
)
from daybook.context import Summary, Window
from daybook.errors import ConflictError

URL = sys.argv[1] if len(sys.argv) > 1 else "sqlite:///steps.db"
USER = f"user-{uuid4().hex}"
WEEK_S = 7 * 86400


def conversation() -> None:
    """Step 1: keep a conversation in memory."""
    history = InMemoryChatMessageHistory()
    history.add_user_message("Hello, I'm Alice")
    history.add_ai_message("Hi Alice! How can I help?")
    print(f"1 conversation: {[message.type for message in history.messages]}")


async def sessions() -> None:
    """Step 2: wrap a chain, so that each session has its own."""

    def model(given: PromptValue) -> AIMessage:
        said = [message.text for message in given.to_messages() if message.type == "human"]
        return AIMessage(f"You said: {'; '.join(said)}")

    prompt = ChatPromptTemplate([MessagesPlaceholder("history"), ("human", "{input}")])
    chain = RunnableWithMessageHistory(
        prompt | RunnableLambda(model),
        URL,
        input_messages_key="input",
        history_messages_key="history",
    )
    config: Any = {"configurable": {"session_id": f"{USER}-chat"}}
    await chain.ainvoke({"input": "My name is Bob"}, config)
    answer = await chain.ainvoke({"input": "Who am I?"}, config)
    print(f"2 session: {answer.text}")


def history_of(session_id: str) -> DaybookChatMessageHistory:
    """Return a history that lives for a week after its last message."""
    return DaybookChatMessageHistory(session_id, URL, user_id=USER, ttl=WEEK_S)


def server() -> None:
    """Step 3: store it where other processes write, too: a batch is added, nothing rewritten."""

    def write(writer: int) -> None:
        for number in range(5):
            history_of(f"{USER}-busy").add_messages([HumanMessage(f"{writer}.{number}")])

    writers = [threading.Thread(target=write, args=(at,)) for at in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    print(f"3 four writers: {len(history_of(f'{USER}-busy'))} of 20 messages")
    history_of(f"{USER}-busy").clear()
    print(f"  cleared: {len(history_of(f'{USER}-busy'))}")


def long_term(book: Daybook) -> None:
    """Step 4: store facts, find them by meaning, forget one."""
    facts = (USER, "facts")
    book.records.put(facts, "language", {"content": "Likes Python more than JavaScript"})
    book.records.put(facts, "work", {"content": "Works in fintech"})
    found = book.records.search(facts, query="What programming language?", limit=1)
    print(f"4 found: {found[0].record.value['content']}")
    print(f"  another user finds: {book.records.search((f'{USER}-other',), query='language')}")
    book.records.delete(facts, "language")
    print(f"  after forgetting: {[one.key for one in book.records.list(facts)]}")


def compression(book: Daybook) -> None:
    """Step 5: send a summary of what is old; it is stored, and what was said stays."""
    session = f"{USER}-long"
    for number in range(20):
        turn = [Message.user(f"Question {number}?"), Message.assistant(f"Answer {number}.")]
        book.history.append(session, turn, user_id=USER)
    context = book.context.build(session, max_tokens=2000, strategy=Summary() + Window(turns=5))
    compressed: list[BaseMessage] = [to_langchain(message) for message in context.messages]
    print(f"5 compressed: {len(compressed)} messages of {len(book.history.list(session))}")
    print(f"  begins with a summary: {'They went through a list.' in compressed[0].text}")


def add_fact(book: Daybook, fact: str) -> None:
    """Change a profile; if somebody else changed it meanwhile, look again."""
    while True:
        stored = book.records.get((USER, "profile"), "profile")
        value = stored.value if stored else {"facts": []}
        changed = {**value, "facts": [*value["facts"], fact]}
        version = stored.version if stored else 0
        try:
            book.records.put((USER, "profile"), "profile", changed, expected_version=version)
        except ConflictError:
            continue
        return


def profile(book: Daybook) -> None:
    """Step 6: keep a structured profile that several writers add to."""
    writers = [threading.Thread(target=add_fact, args=(book, f"fact {at}")) for at in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    kept = book.records.get((USER, "profile"), "profile")
    print(f"6 profile: {len(kept.value['facts']) if kept else 0} of 8 facts kept")


def summariser(_: object) -> str:
    """Play the model that writes summaries."""
    return '{"summary": "They went through a list.", "facts": []}'


def main() -> None:
    """Take the six steps."""
    conversation()
    asyncio.run(sessions())
    server()
    with Daybook.open(URL, model=summariser) as book:
        long_term(book)
        compression(book)
        profile(book)


if __name__ == "__main__":
    main()
