"""Eight practical demos: LangChain's current way to give a chain a memory, on storage that lasts.

1 a chain with a memory, 2 where the prompt has the history, 3 a session for each user, 4 a history
class of one's own with a field, 5 a summary, 6 a token budget, 7 from the legacy memory to this,
8 in production: archive, then delete. The model is played; no key, no network.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from daybook import Daybook
from daybook.adapters.langchain import (
    RunnableWithMessageHistory,
    to_langchain,
    trim_messages,
)
from daybook.adapters.langchain.history import DaybookChatMessageHistory
from daybook.adapters.langchain_classic import ConversationBufferMemory
from daybook.context import Summary, Window

URL = "sqlite:///practical.db"
SYSTEM = ("system", "You are a helpful assistant.")


def model(prompt: PromptValue) -> AIMessage:
    """Tell what came with the question; a stand-in for `ChatOpenAI(...)` and its kind."""
    _system, *before, _question = prompt.to_messages()
    first = f", from '{before[0].text}' on" if before else ""
    return AIMessage(f"{len(before)} before this{first}")


prompt = ChatPromptTemplate([SYSTEM, MessagesPlaceholder("chat_history"), ("human", "{input}")])
chain = prompt | RunnableLambda(model) | StrOutputParser()


def with_memory(runnable: Any, history: Any = URL) -> RunnableWithMessageHistory:
    """Wrap a chain; `history` is where sessions are, or a function that makes their histories."""
    return RunnableWithMessageHistory(
        runnable, history, input_messages_key="input", history_messages_key="chat_history"
    )


def ask(remembering: RunnableWithMessageHistory, session: str, text: str) -> str:
    """Ask in a session."""
    return str(remembering.invoke({"input": text}, {"configurable": {"session_id": session}}))


class WindowHistory(DaybookChatMessageHistory):
    """The last `k` exchanges. A history is no Pydantic model: attributes are set as anywhere."""

    def __init__(self, session_id: str, url: str, *, k: int = 2) -> None:
        """Name the session, and how much of it is shown."""
        super().__init__(session_id, url)
        self.k = k

    @property
    def messages(self) -> list[BaseMessage]:
        """What is shown; everything is stored."""
        return super().messages[-2 * self.k :]


class SummaryHistory(DaybookChatMessageHistory):
    """A summary of what is older than the last turn, and that turn."""

    def __init__(self, session_id: str, book: Daybook) -> None:
        """Name the session, and a book that has a model to write summaries."""
        super().__init__(session_id, book)
        self.book = book

    @property
    def messages(self) -> list[BaseMessage]:
        """What a context builder makes of the session."""
        if self.book.sessions.get(self.session_id) is None:
            return []
        context = self.book.context.build(
            self.session_id, max_tokens=4000, strategy=Summary() + Window(turns=1)
        )
        return [to_langchain(message) for message in context.messages]


def summariser(_: object) -> str:
    """Play the model that writes summaries."""
    return '{"summary": "Ann asked about tea.", "facts": []}'


def chains() -> None:
    """Show a chain that remembers, what its prompt holds, and users apart."""
    remembering = with_memory(chain)
    print(f"1 first turn: {ask(remembering, 'ann-1', 'Hello, I am Ann.')}")
    print(f"  second turn: {ask(remembering, 'ann-1', 'Who am I?')}")
    history = DaybookChatMessageHistory("ann-1", URL).messages
    filled = prompt.invoke({"chat_history": history, "input": "And now?"}).to_messages()
    print(f"2 prompt: {[message.type for message in filled]}")
    print(f"3 another session: {ask(remembering, 'bob-1', 'Who am I?')}")


def shorter() -> None:
    """Show three ways to send less than everything."""
    window = with_memory(chain, lambda session: WindowHistory(session, URL, k=1))
    for text in ("One", "Two", "Three"):
        ask(window, "window", text)
    stored = DaybookChatMessageHistory("window", URL).messages
    print(f"4 window of 1: {stored[-1].text}")
    print(f"  stored: {len(stored)}")

    with Daybook.open(URL, model=summariser) as book:
        summing = with_memory(chain, lambda session: SummaryHistory(session, book))
        for text in ("Green tea?", "How hot?", "How long?"):
            ask(summing, "tea", text)
        shown = SummaryHistory("tea", book).messages
    print(f"5 summary: {[message.type for message in shown]}")
    print(f"  tells of before: {'Ann asked about tea.' in shown[0].text}")

    budget = RunnablePassthrough.assign(
        chat_history=lambda given: (
            trim_messages(given["chat_history"], max_tokens=40) if given["chat_history"] else []
        )
    )
    trimming = with_memory(budget | chain)
    for number in range(5):
        ask(trimming, "long", f"Question {number} of a conversation that goes on and on?")
    stored = DaybookChatMessageHistory("long", URL).messages
    print(f"6 budget of 40 tokens: {stored[-1].text}")


def migration() -> None:
    """Begin with the legacy class and go on with the current one: it is one session."""
    legacy = ConversationBufferMemory(session_id="moved", url=URL)
    legacy.save_context({"input": "I said this to a ConversationChain."}, {"output": "Noted."})
    print(f"7 after migration: {ask(with_memory(chain), 'moved', 'And now?')}")


def production() -> None:
    """Move a session to the archive, then forget a user."""
    with Daybook.open(URL) as hot, Daybook.open("file:///archive") as archive:
        DaybookChatMessageHistory("cy-1", hot, user_id="cy", ttl=3600).add_user_message("Old.")
        archive.sessions.import_(hot.sessions.export("cy-1", user_id="cy"), user_id="cy")
        hot.sessions.delete("cy-1", user_id="cy")
        print(f"8 hot: {hot.history.list('cy-1')}")
        print(f"  archive: {[m.text for m in archive.history.list('cy-1', user_id='cy')]}")
        for session in archive.sessions.list(user_id="cy").items:
            archive.sessions.delete(session.id, user_id="cy")
        print(f"  forgotten: {archive.sessions.stats(user_id='cy').message_count} messages left")


if __name__ == "__main__":
    chains()
    shorter()
    migration()
    production()
