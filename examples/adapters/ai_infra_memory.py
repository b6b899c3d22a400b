"""ai-infra's memory API on Daybook: facts, past conversations, and an agent that recalls them.

Neither ai-infra nor a key is needed: the model is a function.
"""

from daybook import Message, ToolCall
from daybook.adapters.ai_infra import Agent
from daybook.adapters.ai_infra.memory import (
    ConversationMemory,
    MemoryStore,
    create_memory_tool,
    trim_messages,
)
from daybook.adapters.ai_infra.session import sqlite


def model(messages: tuple[Message, ...]) -> Message | str:
    """Recall first, then answer: what a language model would do."""
    last = messages[-1]
    if last.role == "tool":
        return "You fixed it like this:\n" + last.text
    call = ToolCall("call-1", "recall_past_conversations", {"query": last.text})
    return Message.assistant("", tool_calls=(call,))


def main() -> None:
    """Keep facts and a conversation, and let an agent find the conversation again."""
    with MemoryStore.sqlite("memories.db") as store:
        store.put(("user_123", "facts"), "editor", {"value": "Uses VS Code with Vim keybindings"})
        store.put(("user_123", "facts"), "language", {"value": "Prefers Python for data science"})
        for item, score in store.search(("user_123", "facts"), "Which editor?", limit=1):
            print(f"{item.key}: {item.value['value']} ({score:.3f})")

    talk = [
        {"role": "user", "content": "I'm getting an auth error"},
        {"role": "assistant", "content": "Let's check your JWT token..."},
        {"role": "user", "content": "It was expired! I refreshed it."},
    ]
    print("trimmed:", [message["content"] for message in trim_messages(talk, "last", 1)])

    with ConversationMemory.sqlite("conversations.db") as memory, sqlite("sessions.db") as sessions:
        memory.index_conversation("user_123", "session_001", talk, metadata={"topic": "auth"})
        tool = create_memory_tool(memory, user_id="user_123")
        agent = Agent(tools=[tool], session=sessions, llm=model)
        print(agent.run("How did we fix the auth error?", session_id="thread_789"))


if __name__ == "__main__":
    main()
