"""A LangChain chain whose memory outlives it: change the import, keep the chain.

Run it twice: the second time it knows what was said the first.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda

from daybook.adapters.langchain import RunnableWithMessageHistory, SQLChatMessageHistory


def model(prompt: PromptValue) -> AIMessage:
    """Answer without a provider: a stand-in for `ChatOpenAI(...)` and its kind."""
    earlier = [message.text for message in prompt.to_messages() if message.type == "human"]
    return AIMessage(f"You have said {len(earlier)} things, the first was: {earlier[0]}")


prompt = ChatPromptTemplate(
    [("system", "You remember."), MessagesPlaceholder("history"), ("human", "{question}")]
)
chain = RunnableWithMessageHistory(
    prompt | RunnableLambda(model) | StrOutputParser(),
    lambda session_id: SQLChatMessageHistory(session_id, connection="sqlite:///chat.db"),
    input_messages_key="question",
    history_messages_key="history",
)
config: Any = {"configurable": {"session_id": "ann"}}
for question in ("My parrot is called Kiwi.", "What do you know?"):
    print(chain.invoke({"question": question}, config))
