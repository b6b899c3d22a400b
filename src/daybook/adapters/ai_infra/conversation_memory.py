"""`ConversationMemory`: past conversations of a user, found by words and meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from daybook.adapters.ai_infra.backends import lazy_book, sqlite_url, url_of
from daybook.adapters.ai_infra.conversation_chunks import Chunking, SearchResult
from daybook.adapters.ai_infra.conversation_index import ConversationIndex
from daybook.adapters.ai_infra.conversation_search import ConversationSearch, Wanted
from daybook.adapters.ai_infra.language_model import ModelChoice
from daybook.adapters.ai_infra.lazy_book import HoldsBook
from daybook.adapters.opened import BookOrUrl
from daybook.errors import InvalidInputError

__all__ = ["ConversationMemory"]

_LIMIT = 5


class ConversationMemory(HoldsBook):
    """Keeps conversations in Daybook's log and finds parts of them with its recall.

    What the same store holds of a user's conversations through other doors is found as well. Every
    method has an async twin. Nothing is opened before first use.

    Example:
        >>> memory = ConversationMemory()
        >>> talk = [{"role": "user", "content": "My JWT token had expired"}]
        >>> ids = memory.index_conversation("alice", "monday", talk, metadata={"topic": "auth"})
        >>> [found.chunk.session_id for found in memory.search("alice", "which token expired?")]
        ['monday']
        >>> memory.close()
    """

    def __init__(  # noqa: PLR0913 - as documented
        self,
        *,
        backend: str = "memory",
        path: str | None = None,
        connection_string: str | None = None,
        embedding_provider: str | None = None,
        embedding_model: str | None = None,
        chunk_size: int = 10,
        chunk_overlap: int = 2,
        include_summary: bool = False,
        url: BookOrUrl | None = None,
        llm: ModelChoice | None = None,
        **options: Any,
    ) -> None:
        """Choose where conversations are kept and how they are cut.

        Args:
            backend: ``memory`` (ends with the object), ``sqlite`` or ``postgres``.
            path: For ``sqlite``.
            connection_string: For ``postgres``.
            embedding_provider: Who embeds: ``openai`` …; None for Daybook's own embedder.
            embedding_model: The provider's model.
            chunk_size: Messages in a result.
            chunk_overlap: How many of them the next chunk repeats.
            include_summary: Give each chunk a summary, written when it is indexed.
            url: In place of a backend: the URL of any engine of Daybook's, or an opened book.
            llm: Who writes summaries; see `choose_model`. Without any they are quotes.
            options: More arguments of `Daybook.open`: ``embedder``, ``tenant``, ``clock`` …

        Raises:
            ConfigError: The backend is unknown or what it needs is missing.
            InvalidInputError: The overlap is not smaller than the chunk.
            MissingDependencyError: What the embedding provider needs is not installed.
        """
        chunking = Chunking(chunk_size, chunk_overlap)
        book = lazy_book(
            url or url_of(backend, path, connection_string),
            embedding_provider,
            embedding_model,
            options,
        )
        super().__init__(book)
        self._index = ConversationIndex(chunking, summaries=include_summary, llm=llm)
        self._search = ConversationSearch(chunking)

    @classmethod
    def sqlite(cls, path: str, **options: Any) -> Self:
        """Return a memory in a file; `options` are the other arguments."""
        return cls(url=sqlite_url(path), **options)

    @classmethod
    def postgres(cls, connection_string: str, **options: Any) -> Self:
        """Return a memory in PostgreSQL; `options` are the other arguments."""
        return cls(url=connection_string, **options)

    def index_conversation(
        self,
        user_id: str,
        session_id: str,
        messages: Sequence[Any],
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """Keep a conversation, or what is new of it, and make it findable.

        Args:
            user_id: Whose.
            session_id: The user's name for it; two users' are never the same.
            messages: LangChain messages, dictionaries or ours, in order. System messages are the
                application's and are not kept. Handing a conversation in again adds what is new;
                one that begins alike and then differs replaces what was stored.
            metadata: A JSON object, in place of the one before; None leaves that.

        Returns:
            The ids of all chunks of the conversation; none for no messages.

        Raises:
            InvalidInputError: Something cannot be stored.
            ProviderError: The embedder, or the model for summaries, failed.

        Atomicity: what is new is appended in one transaction. Retry-safe: yes.
        """
        _check_messages(messages)
        return self._book.run(self._index.work(user_id, session_id, messages, metadata))

    async def aindex_conversation(
        self,
        user_id: str,
        session_id: str,
        messages: Sequence[Any],
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """See `index_conversation`."""
        _check_messages(messages)
        return await self._book.arun(self._index.work(user_id, session_id, messages, metadata))

    def search(
        self,
        user_id: str,
        query: str,
        *,
        limit: int = _LIMIT,
        min_score: float | None = None,
        session_id: str | None = None,
    ) -> list[SearchResult]:
        """Return the parts of a user's conversations that best answer a question, best first.

        Args:
            user_id: Whose conversations; no other's are looked at.
            query: A question or some words; times in it ("last month") count.
            limit: At most so many, each another chunk.
            min_score: Leave out what scores less, from 0 to 1.
            session_id: Only this conversation; the limit counts within it.

        Raises:
            InvalidInputError: An argument is not valid.
            ProviderError: The embedder failed.
        """
        wanted = Wanted(user_id, query, limit, min_score, session_id)
        return self._book.run(self._search.work(wanted))

    async def asearch(
        self,
        user_id: str,
        query: str,
        *,
        limit: int = _LIMIT,
        min_score: float | None = None,
        session_id: str | None = None,
    ) -> list[SearchResult]:
        """See `search`."""
        wanted = Wanted(user_id, query, limit, min_score, session_id)
        return await self._book.arun(self._search.work(wanted))

    def delete_conversation(self, user_id: str, session_id: str) -> int:
        """Remove a conversation that was indexed; return how many chunks it had. Repeatable."""
        return self._book.run(self._index.deletion(user_id, session_id))

    async def adelete_conversation(self, user_id: str, session_id: str) -> int:
        """See `delete_conversation`."""
        return await self._book.arun(self._index.deletion(user_id, session_id))

    def delete_user_conversations(self, user_id: str) -> int:
        """Remove all conversations of a user that were indexed; return how many chunks they had."""
        return self._book.run(self._index.deletion(user_id, None))

    async def adelete_user_conversations(self, user_id: str) -> int:
        """See `delete_user_conversations`."""
        return await self._book.arun(self._index.deletion(user_id, None))


def _check_messages(messages: Any) -> None:
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Sequence):
        raise InvalidInputError("messages must be a list of messages")
