"""`VectorStoreRetrieverMemory`: turns as documents, found by meaning, that can be forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.documents import Document

from daybook.adapters.langchain_classic.chat_memory import Keys, input_key_of
from daybook.adapters.langchain_classic.classic_base import ClassicMemory
from daybook.adapters.opened import BookOrUrl, Place
from daybook.client import AsyncDaybook
from daybook.config import default_url
from daybook.model.identifiers import new_id

__all__ = ["VectorStoreRetrieverMemory"]

_OWNER = "classic-documents:"
_MOST = 100_000


class VectorStoreRetrieverMemory(ClassicMemory):
    """Keeps each turn as a document and shows those that fit an input best.

    With a `retriever` of LangChain's the documents are in its store; without one they are in
    Daybook, of the session or user that is named, and need no vector store.

    Attributes:
        retriever: LangChain's retriever over a vector store; None for Daybook.
        memory_key: The variable that `load_memory_variables` sets.
        input_key: The input that is searched for; None for the only one.
        return_docs: Return documents in place of text.
        exclude_input_keys: Inputs that are not kept.
        k: How many documents Daybook returns.
    """

    def __init__(  # noqa: PLR0913 - langchain_classic's and the place's
        self,
        *,
        retriever: Any = None,
        memory_key: str = "history",
        input_key: str | None = None,
        return_docs: bool = False,
        exclude_input_keys: Sequence[str] = (),
        session_id: str | None = None,
        user_id: str | None = None,
        url: BookOrUrl | None = None,
        k: int = 4,
        **open_options: Any,
    ) -> None:
        """Take a retriever, or say whose documents these are and where they are kept.

        Without either, they live in memory.
        """
        super().__init__()
        self.retriever = retriever
        self.memory_key = memory_key
        self.input_key = input_key
        self.return_docs = return_docs
        self.exclude_input_keys = tuple(exclude_input_keys)
        self.k = k
        named = user_id or session_id
        in_memory = url is None and named is None
        where = "inmemory://" if in_memory else default_url() if url is None else url
        self._place = Place(where, open_options)
        session = () if session_id is None else (session_id,)
        self._namespace = (f"{_OWNER}{named or new_id()}", *session)
        self._ids: list[str] = []

    @property
    def memory_variables(self) -> list[str]:
        """The variable that `load_memory_variables` sets."""
        return [self.memory_key]

    def load_memory_variables(self, inputs: Keys) -> dict[str, Any]:
        """Return the documents that fit the input best."""
        query = self._query(inputs)
        if self.retriever is not None:
            return self._shown(self.retriever.invoke(query))
        opened = self._place.open()
        return self._shown(opened.run(self._find(opened.awaited, query)))

    async def aload_memory_variables(self, inputs: Keys) -> dict[str, Any]:
        """See `load_memory_variables`."""
        query = self._query(inputs)
        if self.retriever is not None:
            return self._shown(await self.retriever.ainvoke(query))
        opened = await self._place.aopen()
        return self._shown(await self._find(opened.awaited, query))

    def save_context(self, inputs: Keys, outputs: Keys) -> None:
        """Keep a turn as one document."""
        document = self._document(inputs, outputs)
        if self.retriever is not None:
            self._ids += self.retriever.add_documents([document]) or []
            return
        opened = self._place.open()
        opened.run(self._keep(opened.awaited, document))

    async def asave_context(self, inputs: Keys, outputs: Keys) -> None:
        """See `save_context`."""
        document = self._document(inputs, outputs)
        if self.retriever is not None:
            self._ids += await self.retriever.aadd_documents([document]) or []
            return
        opened = await self._place.aopen()
        await self._keep(opened.awaited, document)

    def clear(self) -> None:
        """Forget the turns: all in Daybook; in a vector store those that this object added."""
        if self.retriever is not None:
            ids, self._ids = self._ids, []
            if ids:
                self.retriever.vectorstore.delete(ids)
            return
        opened = self._place.open()
        opened.run(self._forget(opened.awaited))

    async def aclear(self) -> None:
        """See `clear`."""
        if self.retriever is not None:
            ids, self._ids = self._ids, []
            if ids:
                await self.retriever.vectorstore.adelete(ids)
            return
        opened = await self._place.aopen()
        await self._forget(opened.awaited)

    async def _find(self, book: AsyncDaybook, query: str) -> list[Document]:
        hits = await book.records.search(self._namespace, query=query, limit=self.k)
        return [Document(page_content=hit.record.value["text"], id=hit.record.key) for hit in hits]

    async def _keep(self, book: AsyncDaybook, document: Document) -> None:
        value = {"text": document.page_content}
        await book.records.put(self._namespace, new_id(), value, searched=["text"])

    async def _forget(self, book: AsyncDaybook) -> None:
        for record in await book.records.list(self._namespace, limit=_MOST):
            await book.records.delete(record.namespace, record.key)

    def _query(self, inputs: Keys) -> str:
        return str(inputs[self.input_key or input_key_of(inputs, self.memory_variables)])

    def _shown(self, documents: Sequence[Document]) -> dict[str, Any]:
        if self.return_docs:
            return {self.memory_key: list(documents)}
        return {self.memory_key: "\n".join(one.page_content for one in documents)}

    def _document(self, inputs: Keys, outputs: Mapping[str, Any]) -> Document:
        left_out = {*self.exclude_input_keys, self.memory_key}
        kept = [(name, value) for name, value in inputs.items() if name not in left_out]
        lines = [f"{name}: {value}" for name, value in (*kept, *outputs.items())]
        return Document(page_content="\n".join(lines))
