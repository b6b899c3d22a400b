"""A chat backend: streaming, a tool, an answer broken off, a turn sent again, a fork. No key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from daybook import ChatApplication, Message, ToolCall
from daybook.model.reply import Reply


def model(messages: tuple[Message, ...]) -> Iterator[str | Reply]:
    """Play a model; a real one is given by its name, for example ``openai:gpt-5-mini``."""
    question = [one.text for one in messages if one.role == "user"][-1]
    if messages[-1].role == "tool":
        yield f"The timetable says: {messages[-1].text}."
    elif "ferry" in question:
        asks = Message.assistant(tool_calls=[ToolCall("c1", "next_ferry", {"port": "Mallaig"})])
        yield Reply(message=asks, model="played", finish_reason="tool_calls")
    else:
        yield from ["Let", " me", " tell", " you", " a", " long", " story."]


def next_ferry(port: str) -> str:
    """Tell when the next ferry leaves a port."""
    return f"nine o'clock from {port}"


with ChatApplication("sqlite:///chat.db", model=model, tools=[next_ferry]) as chat:
    session = chat.create_session("alice", "Skye")
    question = Message.user("When is the ferry?", id="client-1")
    *pieces, reply = chat.stream(session, question, user_id="alice")
    print(f"streamed: {''.join(str(piece) for piece in pieces)}")
    print(f"roles: {[one.role for one in chat.history(session)]}")
    print(f"sent again: {chat.chat(session, question).repeated}")

    story = chat.stream(session, "Tell me a story.")
    with closing(story):  # the reader leaves
        print(f"first piece: {next(story)}")
    partial = chat.history(session)[-1]
    print(f"kept of the story: {partial.metadata['daybook']['incomplete']}")

    fork = chat.fork(session, at=4, title="Another way", user_id="alice")
    print(f"the fork: {chat.chat(fork, 'And the last ferry?')}")
    print(f"sessions: {[info.title for info in chat.list_sessions('alice')]}")
    print(f"sees bob it: {chat.info(session, user_id='bob')}")
