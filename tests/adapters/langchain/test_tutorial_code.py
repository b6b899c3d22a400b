"""Code as tutorials on LangChain's memory show it runs on ours: imports changed, model scripted.

Each block is one pattern that such pages print, with their names, calls and arguments, in our own
words. It runs twice, with LangChain's classes and with ours. Names that a page has in its preamble
(``chain``, ``llm``) and what a block imports from one side or the other come from `Names`.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastapi
import pytest
import redis
import tenacity
from fastapi.testclient import TestClient
from langchain_classic.chains import ConversationChain
from langchain_classic.memory import ConversationBufferMemory as ClassicBufferMemory
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    messages_from_dict,
    messages_to_dict,
    trim_messages,
)
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableFieldSpec
from pydantic import BaseModel, Field

from daybook.adapters import langchain as ours
from daybook.adapters.langchain_classic import ConversationBufferMemory
from tests.adapters.langchain import theirs
from tests.adapters.langchain.models import ScriptedModel

KEYS: dict[str, Any] = {"input_messages_key": "input", "history_messages_key": "history"}


class ChatOpenAI(ScriptedModel):
    """Takes the arguments of its namesake, and answers with all that was said to it."""

    model: str = ""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"answer": tell, **given})

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], *_: Any, **__: Any) -> int:
        return sum(3 + len(message.text) // 4 for message in messages)


def tell(messages: list[BaseMessage]) -> AIMessage:
    return AIMessage(" | ".join(one.text for one in messages if one.type == "human"))


class Names:
    """What a block finds imported, from LangChain or from ours, and its preamble."""

    def __init__(self, kind: str, request: pytest.FixtureRequest) -> None:
        mine = kind == "ours"
        self.kind = kind
        self._request = request
        community: Any = ours if mine else theirs.community
        source: Any = ours if mine else theirs
        self.InMemoryChatMessageHistory: Any = source.InMemoryChatMessageHistory
        self.RunnableWithMessageHistory: Any = source.RunnableWithMessageHistory
        self.MongoDBChatMessageHistory: Any = source.MongoDBChatMessageHistory
        self.RedisChatMessageHistory: Any = community.RedisChatMessageHistory
        self.PostgresChatMessageHistory: Any = community.PostgresChatMessageHistory
        self.ConversationBufferMemory: Any = (
            ConversationBufferMemory if mine else ClassicBufferMemory
        )
        self.trim_messages: Any = ours.trim_messages if mine else trim_messages
        self.llm = ChatOpenAI(model="gpt-4o-mini")
        self.prompt = ChatPromptTemplate.from_messages(
            [
                ("system", "You are a helpful assistant."),
                MessagesPlaceholder(variable_name="history"),
                ("human", "{input}"),
            ]
        )
        self.chain = self.prompt | self.llm
        self.store: dict[Any, Any] = {}

    def server(self, name: str) -> str:
        """Return the URL of a server, started at the first use."""
        return str(self._request.getfixturevalue(f"{name}_url"))

    def get_session_history(self, session_id: str) -> Any:
        if session_id not in self.store:
            self.store[session_id] = self.InMemoryChatMessageHistory()
        return self.store[session_id]


def at(**names: str) -> Any:
    return {"configurable": names}


def texts(history: Any) -> list[str]:
    return [message.text for message in history.messages]


def remembers(chain: Any, config: Any) -> None:
    """Check what every page says of a chain with memory: the second turn knows the first."""
    chain.invoke({"input": "Hi, I'm Alex!"}, config=config)
    response = chain.invoke({"input": "What's my name?"}, config=config)
    assert response.content == "Hi, I'm Alex! | What's my name?"


def basic_usage(names: Names) -> None:
    store: dict[str, Any] = {}

    def get_session_history(session_id: str) -> Any:
        if session_id not in store:
            store[session_id] = names.InMemoryChatMessageHistory()
        return store[session_id]

    chain_with_memory = names.RunnableWithMessageHistory(
        names.chain,
        get_session_history,
        input_messages_key="input",
        history_messages_key="history",
    )
    remembers(chain_with_memory, {"configurable": {"session_id": "user-123"}})
    assert [message.type for message in store["user-123"].messages] == ["human", "ai"] * 2


def string_input(names: Names) -> None:
    chain_with_memory = names.RunnableWithMessageHistory(
        names.chain, names.get_session_history, history_messages_key="history"
    )
    config = {"configurable": {"session_id": "user-1"}}
    assert chain_with_memory.invoke("Hello!", config=config).content == "Hello!"
    assert chain_with_memory.invoke("Again!", config=config).content == "Hello! | Again!"


def dict_input(names: Names) -> None:
    prompt = ChatPromptTemplate.from_messages(
        [
            ("system", "You are an assistant for {topic}."),
            MessagesPlaceholder(variable_name="chat_history"),
            ("human", "{question}"),
        ]
    )
    chain_with_memory = names.RunnableWithMessageHistory(
        prompt | names.llm,
        names.get_session_history,
        input_messages_key="question",
        history_messages_key="chat_history",
    )
    given = {"question": "What is Python?", "topic": "programming"}
    chain_with_memory.invoke(given, config=at(session_id="user-1"))
    assert texts(names.store["user-1"]) == ["What is Python?"] * 2
    assert names.llm.seen[-1][0].text == "You are an assistant for programming."


def messages_input(names: Names) -> None:
    chain_with_memory = names.RunnableWithMessageHistory(names.llm, names.get_session_history)
    said = [
        chain_with_memory.invoke([HumanMessage(content=text)], config=at(session_id="user-1"))
        for text in ("Hello!", "Again!")
    ]
    assert said[-1].content == "Hello! | Again!"


@dataclass
class Session:
    session_id: str
    user_id: str
    created_at: datetime
    last_active: datetime
    history: Any


class MultiSessionManager:
    def __init__(self, new_history: Callable[[], Any]) -> None:
        self.new_history = new_history
        self.sessions: dict[str, Session] = {}
        self.user_sessions: dict[str, list[str]] = {}

    def create_session(self, user_id: str) -> str:
        session_id, now = str(uuid.uuid4()), datetime.now(UTC)
        self.sessions[session_id] = Session(session_id, user_id, now, now, self.new_history())
        self.user_sessions.setdefault(user_id, []).append(session_id)
        return session_id

    def get_history(self, session_id: str) -> Any:
        if session_id not in self.sessions:
            raise ValueError(f"Session {session_id} not found")
        self.sessions[session_id].last_active = datetime.now(UTC)
        return self.sessions[session_id].history

    def get_user_sessions(self, user_id: str) -> list[Session]:
        return [self.sessions[one] for one in self.user_sessions.get(user_id, [])]

    def cleanup_old_sessions(self, max_age_hours: int = 24) -> None:
        oldest = datetime.now(UTC) - timedelta(hours=max_age_hours)
        for session in [one for one in self.sessions.values() if one.last_active < oldest]:
            del self.sessions[session.session_id]
            self.user_sessions[session.user_id].remove(session.session_id)


def multi_session(names: Names) -> None:
    session_manager = MultiSessionManager(names.InMemoryChatMessageHistory)
    chain_with_memory = names.RunnableWithMessageHistory(
        names.chain, session_manager.get_history, **KEYS
    )

    def chat(user_id: str, message: str, session_id: str | None = None) -> tuple[str, str]:
        if session_id is None:
            session_id = session_manager.create_session(user_id)
        response = chain_with_memory.invoke({"input": message}, config=at(session_id=session_id))
        return session_id, response.content

    session_1, _ = chat("alice", "I'm building a Python app")
    _, other = chat("bob", "I'm working on JavaScript")
    _, followup = chat("alice", "What am I building?", session_1)
    assert other == "I'm working on JavaScript"
    assert followup == "I'm building a Python app | What am I building?"
    session_manager.sessions[session_1].last_active -= timedelta(hours=25)
    session_manager.cleanup_old_sessions(max_age_hours=24)
    assert session_manager.get_user_sessions("alice") == []
    assert len(session_manager.get_user_sessions("bob")) == 1
    with pytest.raises(ValueError, match="not found"):
        chat("alice", "Still there?", session_1)


def multi_key(names: Names) -> None:
    store: dict[tuple[str, str], Any] = {}

    def get_history(user_id: str, conversation_id: str) -> Any:
        key = (user_id, conversation_id)
        if key not in store:
            store[key] = names.InMemoryChatMessageHistory()
        return store[key]

    described = {"user_id": "User ID", "conversation_id": "Conversation ID"}
    chain_with_memory = names.RunnableWithMessageHistory(
        names.chain,
        get_history,
        input_messages_key="input",
        history_messages_key="history",
        history_factory_config=[
            ConfigurableFieldSpec(
                id=one, annotation=str, name=name, description=name, default="", is_shared=True
            )
            for one, name in described.items()
        ],
    )
    remembers(chain_with_memory, at(user_id="alice", conversation_id="project-1"))
    chain_with_memory.invoke({"input": "Hello!"}, at(user_id="alice", conversation_id="project-2"))
    assert {key: len(texts(one)) for key, one in store.items()} == {
        ("alice", "project-1"): 4,
        ("alice", "project-2"): 2,
    }


def redis_history(names: Names) -> None:
    url = names.server("redis")

    def get_redis_history(session_id: str) -> Any:
        return names.RedisChatMessageHistory(
            session_id=session_id, url=url, key_prefix="chat:", ttl=3600
        )

    persists(names, get_redis_history)


def postgres_history(names: Names) -> None:
    url = names.server("postgres")

    def get_postgres_history(session_id: str) -> Any:
        return names.PostgresChatMessageHistory(
            session_id=session_id, connection_string=url, table_name="chat_history"
        )

    persists(names, get_postgres_history)


def mongodb_history(names: Names) -> None:
    url = names.server("mongodb")

    def get_mongo_history(session_id: str) -> Any:
        return names.MongoDBChatMessageHistory(
            session_id=session_id,
            connection_string=url,
            database_name="chat_app",
            collection_name="histories",
        )

    persists(names, get_mongo_history)


def persists(names: Names, get_history: Callable[[str], Any]) -> None:
    """Check that every call makes a history anew, and that each finds what the last has stored."""
    session_id = str(uuid.uuid4())
    chain_with_memory = names.RunnableWithMessageHistory(names.chain, get_history, **KEYS)
    remembers(chain_with_memory, at(session_id=session_id))
    assert len(texts(get_history(session_id))) == 4
    get_history(session_id).clear()
    assert texts(get_history(session_id)) == []


class FileHistory(BaseChatMessageHistory):
    """A history of the reader's own, on LangChain's base class."""

    def __init__(self, session_id: str, storage_dir: str = "./chat_history") -> None:
        self.file_path = Path(storage_dir) / f"{session_id}.json"
        self.file_path.parent.mkdir(parents=True, exist_ok=True)
        self._messages: list[BaseMessage] = []
        if self.file_path.exists():
            self._messages = messages_from_dict(json.loads(self.file_path.read_text()))

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override] # as pages have it
        return self._messages

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        self._messages.extend(messages)
        self.file_path.write_text(json.dumps(messages_to_dict(self._messages), indent=2))

    def clear(self) -> None:
        self._messages = []
        self.file_path.unlink(missing_ok=True)


def custom_history(names: Names) -> None:
    persists(names, FileHistory)


def asynchronous(names: Names) -> None:
    chain_with_memory = names.RunnableWithMessageHistory(names.llm, names.get_session_history)

    async def chat_async(session_id: str, message: str) -> str:
        response = await chain_with_memory.ainvoke(message, config=at(session_id=session_id))
        return str(response.content)

    async def main() -> list[str]:
        return list(
            await asyncio.gather(
                chat_async("user-1", "I like Python"),
                chat_async("user-2", "I prefer JavaScript"),
                chat_async("user-3", "Rust is the best"),
            )
        )

    said = ["I like Python", "I prefer JavaScript", "Rust is the best"]
    assert asyncio.run(main()) == said
    assert [texts(names.store[f"user-{at}"]) for at in (1, 2, 3)] == [[one] * 2 for one in said]


class ResilientHistoryManager:
    def __init__(self, names: Names, primary_backend: str = "redis") -> None:
        self.names = names
        self.primary_backend = primary_backend
        self.fallback_store: dict[str, Any] = {}

    def get_history(self, session_id: str) -> Any:
        try:
            if self.primary_backend == "redis":
                return self._get_redis_history(session_id)
        except Exception:  # noqa: BLE001, S110 - as pages have it
            pass
        return self.fallback_store.setdefault(session_id, self.names.InMemoryChatMessageHistory())

    def _get_redis_history(self, session_id: str) -> Any:
        return self.names.RedisChatMessageHistory(
            session_id=session_id, url=self.names.server("redis")
        )


def degradation(names: Names) -> None:
    session_id = str(uuid.uuid4())
    for backend in ("redis", "none"):
        manager = ResilientHistoryManager(names, backend)
        chain = names.RunnableWithMessageHistory(names.chain, manager.get_history, **KEYS)
        remembers(chain, at(session_id=session_id))
        assert list(manager.fallback_store) == ([] if backend == "redis" else [session_id])


def retries(names: Names) -> None:
    failures = [TimeoutError(), TimeoutError()]

    class RetryingHistory(names.InMemoryChatMessageHistory):  # type: ignore[name-defined,misc] # either
        @tenacity.retry(
            stop=tenacity.stop_after_attempt(3),
            wait=tenacity.wait_exponential(multiplier=1, min=1, max=10),
            sleep=lambda _: None,
        )
        def add_messages(self, messages: Sequence[BaseMessage]) -> None:
            super().add_messages(messages)
            self._persist_to_backend()

        def _persist_to_backend(self) -> None:
            if failures:
                raise failures.pop()

    history = RetryingHistory()
    history.add_messages([HumanMessage("Hello", id="1")])
    assert failures == []
    # What a retry adds again is known by its id, with ours.
    assert texts(history) == ["Hello"] * (1 if names.kind == "ours" else 3)


def legacy(names: Names) -> None:
    memory = names.ConversationBufferMemory()
    chain = ConversationChain(llm=names.llm, memory=memory)
    chain.invoke({"input": "Hello"})
    response = chain.run("What did I say?")
    assert "Human: Hello\nAI: " in response
    assert [message.type for message in memory.chat_memory.messages] == ["human", "ai"] * 2


def migrated(names: Names) -> None:
    prompt = ChatPromptTemplate.from_messages(
        [
            ("system", "You are a helpful assistant"),
            MessagesPlaceholder(variable_name="chat_history"),
            ("human", "{input}"),
        ]
    )
    chain_with_memory = names.RunnableWithMessageHistory(
        prompt | names.llm | StrOutputParser(),
        names.get_session_history,
        input_messages_key="input",
        history_messages_key="chat_history",
    )
    for said in ("message", "message | more"):
        text = said.split(" | ")[-1]
        response = chain_with_memory.invoke(
            {"input": text}, config={"configurable": {"session_id": "user1"}}
        )
        assert response == said


def window_class(names: Names) -> None:
    base = names.InMemoryChatMessageHistory

    class WindowChatMessageHistory(base):  # type: ignore[valid-type,misc] # either
        k: int = Field(default=2, description="keep last k exchanges")

        def add_messages(self, messages: Sequence[BaseMessage]) -> None:
            super().add_messages(messages)
            kept: Any = list(self.messages)  # type: ignore[has-type] # either
            self.messages = kept[-2 * self.k :]

    store = names.store
    store.update(two=WindowChatMessageHistory(), one=WindowChatMessageHistory(k=1))
    assert (store["two"].k, store["one"].k) == (2, 1)
    chain_with_memory = names.RunnableWithMessageHistory(
        names.chain, names.get_session_history, **KEYS
    )
    for session_id, kept in (("two", 4), ("one", 2)):
        for text in ("1", "2", "3"):
            chain_with_memory.invoke({"input": text}, config=at(session_id=session_id))
        assert len(texts(store[session_id])) == kept
        assert texts(store[session_id])[-2] == "3"


class ChatRequest(BaseModel):
    session_id: str
    message: str


class ChatResponse(BaseModel):
    session_id: str
    response: str


def web_application(names: Names) -> None:
    app = fastapi.FastAPI()
    chain_with_memory = names.RunnableWithMessageHistory(names.llm, names.get_session_history)

    @app.post("/chat", response_model=ChatResponse)  # type: ignore[untyped-decorator] # not installed
    async def chat(request: ChatRequest) -> ChatResponse:
        config = {"configurable": {"session_id": request.session_id}}
        response = await chain_with_memory.ainvoke(request.message, config=config)
        return ChatResponse(session_id=request.session_id, response=response.content)

    @app.delete("/sessions/{session_id}")  # type: ignore[untyped-decorator] # not installed
    async def clear_session(session_id: str) -> dict[str, str]:
        if session_id in names.store:
            names.store[session_id].clear()
            return {"status": "cleared"}
        raise fastapi.HTTPException(status_code=404, detail="Session not found")

    client = TestClient(app)
    for said in ("Hi", "Hi | Again"):
        asked = {"session_id": "s", "message": said.split(" | ")[-1]}
        assert client.post("/chat", json=asked).json() == {"session_id": "s", "response": said}
    assert client.delete("/sessions/s").json() == {"status": "cleared"}
    assert client.delete("/sessions/other").status_code == 404
    assert texts(names.store["s"]) == []


def streaming(names: Names) -> None:
    chain_with_memory = names.RunnableWithMessageHistory(
        names.chain | StrOutputParser(), names.get_session_history, **KEYS
    )

    async def stream_chat(session_id: str, message: str) -> AsyncIterator[str]:
        async for chunk in chain_with_memory.astream(
            {"input": message}, config=at(session_id=session_id)
        ):
            yield chunk

    async def collect() -> list[str]:
        return [chunk async for chunk in stream_chat("s", "one two three")]

    assert [chunk for chunk in asyncio.run(collect()) if chunk] == ["one", " two", " three"]
    assert texts(names.store["s"]) == ["one two three"] * 2


def trimming(names: Names) -> None:
    trimmer = names.trim_messages(
        max_tokens=40, strategy="last", token_counter=names.llm, include_system=True
    )
    chain_with_memory = names.RunnableWithMessageHistory(
        trimmer | names.prompt | names.llm, names.get_session_history, **KEYS
    )
    for turn in range(8):
        chain_with_memory.invoke({"input": f"Question {turn}"}, config=at(session_id="s"))
    assert len(texts(names.store["s"])) == 16
    sent = names.llm.seen[-1]
    assert 3 <= len(sent) < 12
    assert sent[-1].text == "Question 7"


class LimitedRedisChatHistory(BaseChatMessageHistory):
    """The newest messages of a session, in one value of Redis."""

    def __init__(
        self,
        session_id: str,
        redis_client: Any,
        max_messages: int = 50,
        ttl_seconds: int = 3600,
    ) -> None:
        self.redis = redis_client
        self.max_messages = max_messages
        self.ttl = ttl_seconds
        self.key = f"chat:{session_id}:messages"

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override] # as pages have it
        data = self.redis.get(self.key)
        return messages_from_dict(json.loads(data)) if data else []

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        kept = [*self.messages, *messages][-self.max_messages :]
        self.redis.setex(self.key, self.ttl, json.dumps(messages_to_dict(kept)))

    def clear(self) -> None:
        self.redis.delete(self.key)


class ChatApplication:
    def __init__(self, names: Names, redis_url: str, max_messages: int = 50) -> None:
        self.redis: Any = redis.from_url(redis_url)
        self.max_messages = max_messages
        self.chain_with_memory = names.RunnableWithMessageHistory(
            names.chain, self._get_history, **KEYS
        )

    def _get_history(self, session_id: str) -> LimitedRedisChatHistory:
        return LimitedRedisChatHistory(
            session_id=session_id, redis_client=self.redis, max_messages=self.max_messages
        )

    def create_session(self, user_id: str) -> str:
        session_id = str(uuid.uuid4())
        meta = {"user_id": user_id, "created_at": datetime.now(UTC).isoformat()}
        self.redis.setex(f"chat:{session_id}:meta", 3600, json.dumps(meta))
        self.redis.sadd(f"user:{user_id}:sessions", session_id)
        return session_id

    def chat(self, session_id: str, message: str) -> str:
        if not self.redis.exists(f"chat:{session_id}:meta"):
            raise ValueError(f"Session {session_id} not found or expired")
        response = self.chain_with_memory.invoke(
            {"input": message}, config=at(session_id=session_id)
        )
        return str(response.content)

    def get_session_info(self, session_id: str) -> dict[str, Any] | None:
        data = self.redis.get(f"chat:{session_id}:meta")
        if not data:
            return None
        return {**json.loads(data), "message_count": len(self._get_history(session_id).messages)}

    def list_sessions(self, user_id: str) -> list[dict[str, Any]]:
        names = self.redis.smembers(f"user:{user_id}:sessions")
        found = [self.get_session_info(name.decode()) for name in names]
        return [info for info in found if info]

    def delete_session(self, session_id: str) -> bool:
        data = self.redis.get(f"chat:{session_id}:meta")
        if not data:
            return False
        self.redis.srem(f"user:{json.loads(data)['user_id']}:sessions", session_id)
        self.redis.delete(f"chat:{session_id}:meta", f"chat:{session_id}:messages")
        return True


def chat_application(names: Names) -> None:
    user = str(uuid.uuid4())
    chat_app = ChatApplication(names, redis_url=names.server("redis"), max_messages=4)
    session_id = chat_app.create_session(user_id=user)
    said = [chat_app.chat(session_id, text) for text in ("I'm Alice!", "My name?", "And now?")]
    assert said[-1] == "I'm Alice! | My name? | And now?"
    info = chat_app.get_session_info(session_id)
    assert info is not None
    assert info["message_count"] == 4
    assert chat_app.list_sessions(user_id=user) == [info]
    assert chat_app.delete_session(session_id) is True
    assert chat_app.delete_session(session_id) is False
    assert chat_app.list_sessions(user_id=user) == []
    with pytest.raises(ValueError, match="expired"):
        chat_app.chat(session_id, "Hello?")
    chat_app.redis.close()


def short_term(names: Names) -> None:
    history = names.InMemoryChatMessageHistory()
    history.add_user_message("Hello, I'm Alice")
    history.add_ai_message("Hi Alice! How can I help?")
    messages = history.messages
    assert messages == [
        HumanMessage("Hello, I'm Alice"),
        AIMessage("Hi Alice! How can I help?"),
    ]


def session_based(names: Names) -> None:
    chain_with_memory = names.RunnableWithMessageHistory(
        names.chain,
        names.get_session_history,
        input_messages_key="input",
        history_messages_key="history",
    )

    async def ask(text: str) -> str:
        result = await chain_with_memory.ainvoke(
            {"input": text}, config={"configurable": {"session_id": "user_123"}}
        )
        return str(result.content)

    asyncio.run(ask("Remember my name is Bob"))
    assert asyncio.run(ask("Who am I?")) == "Remember my name is Bob | Who am I?"


class RedisMemory:
    def __init__(self, redis_url: str) -> None:
        self.client: Any = redis.from_url(redis_url)
        self.ttl = 86400 * 7

    def add_messages(self, session_id: str, messages: list[BaseMessage]) -> None:
        kept = messages_to_dict([*self.get_messages(session_id), *messages])
        self.client.setex(f"memory:{session_id}", self.ttl, json.dumps(kept))

    def get_messages(self, session_id: str) -> list[BaseMessage]:
        data = self.client.get(f"memory:{session_id}")
        return messages_from_dict(json.loads(data)) if data else []

    def clear(self, session_id: str) -> None:
        self.client.delete(f"memory:{session_id}")


def bare_redis_history(names: Names) -> None:
    """A history may be any object with these two names, of no base class."""
    redis_memory = RedisMemory(names.server("redis"))
    session_id = str(uuid.uuid4())

    class RedisHistory:
        def __init__(self, session_id: str) -> None:
            self.session_id = session_id

        @property
        def messages(self) -> list[BaseMessage]:
            return redis_memory.get_messages(self.session_id)

        def add_messages(self, messages: list[BaseMessage]) -> None:
            redis_memory.add_messages(self.session_id, messages)

    chain = names.RunnableWithMessageHistory(names.chain, RedisHistory, **KEYS)
    remembers(chain, at(session_id=session_id))
    assert len(redis_memory.get_messages(session_id)) == 4
    redis_memory.clear(session_id)
    assert redis_memory.get_messages(session_id) == []
    redis_memory.client.close()


class MemoryCompressor:
    def __init__(self, llm: Any, max_messages: int = 20) -> None:
        self.llm = llm
        self.max_messages = max_messages

    async def compress(self, messages: list[BaseMessage]) -> list[BaseMessage]:
        if len(messages) <= self.max_messages:
            return messages
        cutoff = len(messages) - self.max_messages // 2
        old = "\n".join(f"{one.type}: {one.content}" for one in messages[:cutoff])
        summary = await self.llm.ainvoke(f"Summarize this:\n{old}")
        return [SystemMessage(content=f"Summary: {summary.content}"), *messages[cutoff:]]


def compression(names: Names) -> None:
    history = names.InMemoryChatMessageHistory()
    history.add_messages([HumanMessage(f"Question {number}") for number in range(30)])
    compressor = MemoryCompressor(names.llm)
    short = history.messages[:20]
    assert asyncio.run(compressor.compress(short)) == short
    compressed = asyncio.run(compressor.compress(history.messages))
    assert compressed[0].text.startswith("Summary: Summarize this:\nhuman: Question 0\n")
    assert [one.text for one in compressed[1:]] == [f"Question {at}" for at in range(20, 30)]
    assert len(texts(history)) == 30


BLOCKS: list[Callable[[Names], None]] = [
    basic_usage,
    string_input,
    dict_input,
    messages_input,
    multi_session,
    multi_key,
    redis_history,
    postgres_history,
    mongodb_history,
    custom_history,
    asynchronous,
    degradation,
    retries,
    legacy,
    migrated,
    window_class,
    web_application,
    streaming,
    trimming,
    chat_application,
    short_term,
    session_based,
    bare_redis_history,
    compression,
]
NOT_WITH_THEIRS = {"string_input": ValueError, "trimming": TypeError}


@pytest.mark.parametrize("kind", ["ours", "theirs"])
@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_a_block_does_what_its_page_says(
    block: Callable[[Names], None],
    kind: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    names = Names(kind, request)
    if kind == "theirs" and block.__name__ in NOT_WITH_THEIRS:
        with pytest.raises(NOT_WITH_THEIRS[block.__name__]):
            block(names)
        return
    block(names)
