"""Eight concepts of memory, each over storage that lasts; no key, no network.

Four kinds of memory: 1 buffer, 2 window, 3 summary, 4 summary buffer. Then what they are chosen by:
5 adaptive memory (the opening and the newest), 6 sessions of several users, 7 what a restart
leaves, 8 what each kind costs in tokens.
"""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import FakeListChatModel

from daybook import Daybook
from daybook.adapters.langchain import DaybookChatMessageHistory
from daybook.adapters.langchain_classic import (
    ConversationBufferMemory,
    ConversationBufferWindowMemory,
    ConversationSummaryBufferMemory,
    ConversationSummaryMemory,
)
from daybook.context import Early, TokenWindow
from daybook.context.token_estimate import ApproximateTokenCounter

URL = "sqlite:///concepts.db"
TALK = [
    ("I'm Alice. No walnuts, please.", "Noted, Alice."),
    ("I am planning a dinner for twelve people.", "A big table. When is it?"),
    ("On Saturday, in the garden, if it stays dry.", "Then let us plan food that keeps."),
    ("What goes with grilled trout?", "Potatoes with dill, and a cucumber salad."),
    ("And as a starter?", "Cold beetroot soup; it can be made on Friday."),
    ("How many lemons do I need?", "Six: half a lemon each."),
]
SUMMARY = "Alice, allergic to walnuts, plans a dinner for twelve on Saturday."


def summariser() -> FakeListChatModel:
    """Return a stand-in for `ChatOpenAI(...)` and its kind: it always gives the same summary."""
    return FakeListChatModel(responses=[SUMMARY])


def told(memory: Any) -> str:
    """Tell a memory the whole talk; return what it would show a model."""
    for question, answer in TALK:
        memory.save_context({"input": question}, {"output": answer})
    return shown(memory)


def shown(memory: Any) -> str:
    """Return what a memory shows a model."""
    return str(memory.load_memory_variables({"input": ""})["history"])


def four_kinds() -> dict[str, str]:
    """Tell the same talk to the four kinds of memory."""
    buffer = ConversationBufferMemory(session_id="buffer", url=URL)
    window = ConversationBufferWindowMemory(k=2, session_id="window", url=URL)
    summary = ConversationSummaryMemory(llm=summariser(), session_id="summary", url=URL)
    hybrid = ConversationSummaryBufferMemory(
        llm=summariser(), max_token_limit=40, session_id="hybrid", url=URL
    )
    texts = {
        "buffer": told(buffer),
        "window": told(window),
        "summary": told(summary),
        "summary buffer": told(hybrid),
    }
    print(f"1 buffer: {len(texts['buffer'].splitlines())} lines, all that was said")
    print(f"2 window: {texts['window'].splitlines()[0]}")
    print(f"  below it, nothing is lost: {len(window.chat_memory.messages)} messages stored")
    print(f"3 summary: {texts['summary']}")
    print(f"4 summary buffer: {texts['summary buffer'].splitlines()[0]}")
    print(f"  and the newest turns: {texts['summary buffer'].splitlines()[-1]}")
    print(f"  below it, nothing is lost: {len(hybrid.chat_memory.messages)} messages stored")
    return texts


def adaptive() -> str:
    """Keep the opening turn and the newest that fit."""
    budget = 100
    with Daybook.open(URL) as book:
        context = book.context.build(
            "buffer", max_tokens=budget, strategy=Early(turns=1) + TokenWindow()
        )
    texts = [message.text for message in context.messages]
    print(f"5 adaptive: begins with {texts[0]!r}, ends with {texts[-1]!r}")
    print(f"  {len(texts)} of 12 messages, within its budget: {context.tokens <= budget}")
    return "\n".join(texts)


def sessions() -> None:
    """Give every user sessions of their own; nobody else reaches them."""
    for user, text in (("alice", "I build a Python app."), ("bob", "I write JavaScript.")):
        DaybookChatMessageHistory(f"{user}-1", URL, user_id=user).add_user_message(text)
    with Daybook.open(URL) as book:
        for user in ("alice", "bob"):
            said = [message.text for message in book.history.list(f"{user}-1", user_id=user)]
            print(f"6 sessions: {user} said {said}")
        print(f"  bob reads alice's: {book.history.list('alice-1', user_id='bob')}")


def restart() -> None:
    """Show what is there for an object that was told nothing, as after a restart."""
    again = ConversationSummaryMemory(llm=summariser(), session_id="summary", url=URL)
    print(f"7 restart: the summary is there: {shown(again) == SUMMARY}")
    gone = ConversationBufferMemory()
    gone.save_context({"input": "Hi"}, {"output": "Hello"})
    print(f"  without a session and a URL it is not: {shown(ConversationBufferMemory())!r}")


def costs(texts: dict[str, str]) -> None:
    """Count what each kind would send with the next question."""
    counter = ApproximateTokenCounter()
    whole = counter.count_text(texts["buffer"])
    for kind, text in texts.items():
        tokens = counter.count_text(text)
        print(f"8 costs: {kind:14} {tokens:4} tokens, {100 * tokens // whole:3} %")


def main() -> None:
    """Show the eight, one after the other."""
    texts = four_kinds()
    texts["adaptive"] = adaptive()
    sessions()
    restart()
    costs(texts)


if __name__ == "__main__":
    main()
