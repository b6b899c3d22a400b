"""langchain_classic's summary memory over a file: the summary outlives the process."""

from langchain_core.language_models import FakeListChatModel

from daybook.adapters.langchain_classic import ConversationSummaryBufferMemory


def memory() -> ConversationSummaryBufferMemory:
    """Return the memory of one conversation; each call is like a new process."""
    return ConversationSummaryBufferMemory(
        llm=FakeListChatModel(responses=["The user is Bob, who likes green tea."]),
        max_token_limit=25,
        session_id="thread_1",
        url="sqlite:///chat.db",
    )


def main() -> None:
    """Save two turns, of which only one fits, and read them back from another object."""
    first = memory()
    first.save_context({"input": "I'm Bob and I like green tea."}, {"output": "Hello, Bob!"})
    first.save_context({"input": "What should I drink?"}, {"output": "Green tea."})
    again = memory()
    print(again.load_memory_variables({})["history"])
    print("stored:", len(again.chat_memory.messages), "messages; none was removed")


if __name__ == "__main__":
    main()
