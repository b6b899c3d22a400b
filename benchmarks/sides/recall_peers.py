"""Other libraries' search over conversations, each as its documentation has it.

All that compare vectors are handed MiniLM's by `KeptVectors`: none can fetch a model offline.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from itertools import count, groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.sides.kept_vectors import KeptVectors
from daybook.evaluation.conversations import Conversation, Question, Turn
from daybook.evaluation.metrics import Unit
from daybook.evaluation.runs import Ask, System

__all__ = ["PEERS", "Peer", "ProcessorTimed", "quiet"]

_LIMIT = 100
_USER = "someone"
_CHUNK, _OVERLAP = 10, 2  # ai-infra's defaults

Search = Callable[[str], Sequence[Unit]]
TakeIn = Callable[[Sequence[Turn], KeptVectors, ExitStack], Search]


def quiet(folder: Path) -> None:
    """Let the libraries report nothing to their makers, and not warn of packages that are absent.

    Called before one of them is imported: mem0 reads its settings then.

    Args:
        folder: Where mem0 keeps what it would put into the home folder.
    """
    os.environ["MEM0_TELEMETRY"] = "False"
    os.environ["MEM0_DIR"] = str((folder / "mem0").resolve())
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)


def said(turn: Turn) -> str:
    """Return a turn as text that tells who speaks, where somebody is named."""
    return f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text


class Peer:
    """A system made of a function that takes in turns and returns a search."""

    def __init__(self, name: str, take_in: TakeIn, vectors: KeptVectors) -> None:
        self.name = name
        self._take_in = take_in
        self._vectors = vectors

    @asynccontextmanager
    async def opened(self, conversation: Conversation) -> AsyncIterator[Ask]:
        """Take in a conversation; what the library opened for it is closed with the block."""
        with ExitStack() as stack:
            # A blank turn has no vector, and nobody keeps one: chromadb would find it first.
            turns = [turn for turn in conversation.turns if turn.text.strip()]
            search = self._take_in(turns, self._vectors, stack)

            async def ask(question: Question) -> Sequence[Unit]:
                return search(question.text)

            yield ask


class ProcessorTimed:
    """A system that is watched: how much processor time it takes, on a machine that is shared.

    The making of vectors that were not kept yet is taken off.

    Attributes:
        taken_in_s: For all conversations.
        asked_s: For each question, in order.
    """

    def __init__(self, system: System, vectors: KeptVectors) -> None:
        self.name = system.name
        self.taken_in_s = 0.0
        self.asked_s: list[float] = []
        self._system = system
        self._vectors = vectors

    @asynccontextmanager
    async def opened(self, conversation: Conversation) -> AsyncIterator[Ask]:
        """Pass on a conversation, then its questions."""
        begin = self._spent()
        async with self._system.opened(conversation) as ask:
            self.taken_in_s += self._spent() - begin

            async def watched(question: Question) -> Sequence[Unit]:
                begin = self._spent()
                ranked = await ask(question)
                self.asked_s.append(self._spent() - begin)
                return ranked

            yield watched

    def _spent(self) -> float:
        return time.process_time() - self._vectors.spent_s


def dense(turns: Sequence[Turn], vectors: KeptVectors, _: ExitStack) -> Search:
    """The floor: cosine of every turn's text."""
    ids, matrix = [turn.id for turn in turns], vectors.encode([turn.text for turn in turns])
    return _nearest(ids, matrix, vectors)


def dense_with_names(turns: Sequence[Turn], vectors: KeptVectors, _: ExitStack) -> Search:
    """The same with the speaker's name before the text."""
    ids, matrix = [turn.id for turn in turns], vectors.encode([said(turn) for turn in turns])
    return _nearest(ids, matrix, vectors)


def _nearest(ids: list[str], matrix: Any, vectors: KeptVectors) -> Search:
    def search(query: str) -> list[str]:
        similarity = matrix @ vectors.encode([query])[0]
        return [ids[at] for at in np.argsort(-similarity, kind="stable")[:_LIMIT]]

    return search


def bm25s_stemmed(turns: Sequence[Turn], _: KeptVectors, __: ExitStack) -> Search:
    """`bm25s` with English stop words and a stemmer, the way its front page shows."""
    import bm25s  # noqa: PLC0415 - only where it is installed
    import Stemmer  # noqa: PLC0415

    stemmer = Stemmer.Stemmer("english")
    split: dict[str, Any] = {"stopwords": "en", "stemmer": stemmer, "show_progress": False}
    index = bm25s.BM25()
    index.index(bm25s.tokenize([said(turn) for turn in turns], **split), show_progress=False)

    def search(query: str) -> list[str]:
        rows, _ = index.retrieve(
            bm25s.tokenize([query], **split), k=min(_LIMIT, len(turns)), show_progress=False
        )
        return [turns[int(at)].id for at in rows[0]]

    return search


def rank_bm25(turns: Sequence[Turn], _: KeptVectors, __: ExitStack) -> Search:
    """`rank_bm25` on words split at blanks, the way its front page shows."""
    from rank_bm25 import BM25Okapi  # noqa: PLC0415

    index = BM25Okapi([said(turn).split(" ") for turn in turns])

    def search(query: str) -> list[str]:
        scores = index.get_scores(query.split(" "))
        return [turns[at].id for at in np.argsort(-scores, kind="stable")[:_LIMIT]]

    return search


_collections = count(1)


def chroma(turns: Sequence[Turn], vectors: KeptVectors, _: ExitStack) -> Search:
    """`chromadb`, an ephemeral client, a document for each turn."""
    import chromadb  # noqa: PLC0415

    client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
    name = f"turns-{next(_collections)}"  # ephemeral clients of a process share what they hold
    collection = client.create_collection(name, embedding_function=None)
    texts = [said(turn) for turn in turns]
    most = client.get_max_batch_size()
    for first in range(0, len(turns), most):
        some = slice(first, first + most)
        collection.add(
            ids=[turn.id for turn in turns[some]],
            documents=texts[some],
            embeddings=vectors.encode(texts[some]),
        )

    def search(query: str) -> list[str]:
        found = collection.query(
            query_embeddings=vectors.encode([query]), n_results=min(_LIMIT, len(turns)), include=[]
        )
        ids: list[str] = found["ids"][0]
        return ids

    return search


def langgraph_store(turns: Sequence[Turn], vectors: KeptVectors, _: ExitStack) -> Search:
    """LangGraph's `InMemoryStore` with an index, an item for each turn."""
    from langgraph.store.memory import InMemoryStore  # noqa: PLC0415

    index: Any = {"dims": vectors.dimensions, "embed": vectors.lists, "fields": ["text"]}
    store = InMemoryStore(index=index)
    for turn in turns:
        store.put((_USER,), turn.id, {"text": said(turn)})

    def search(query: str) -> list[str]:
        return [item.key for item in store.search((_USER,), query=query, limit=_LIMIT)]

    return search


class _Mem0Embedder:
    """What mem0 asks of an embedder."""

    def __init__(self, vectors: KeptVectors) -> None:
        self._vectors = vectors

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:  # noqa: ARG002
        return self._vectors.lists([text])[0]

    def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:  # noqa: ARG002
        return self._vectors.lists(texts)


def mem0(turns: Sequence[Turn], vectors: KeptVectors, stack: ExitStack) -> Search:
    """`mem0` with `infer=False`: no model is called, a memory for each turn, Qdrant in a file."""
    from mem0 import Memory  # noqa: PLC0415

    folder = Path(stack.enter_context(TemporaryDirectory(prefix="recall-peer-")))
    no_key = {"provider": "openai", "config": {"api_key": "never used"}}
    store = {"path": str(folder / "qdrant"), "embedding_model_dims": vectors.dimensions}
    memory: Any = Memory.from_config(
        {
            "vector_store": {"provider": "qdrant", "config": store | {"on_disk": True}},
            "llm": no_key,
            "embedder": no_key,
            "history_db_path": str(folder / "history.db"),
        }
    )
    stack.callback(memory.vector_store.client.close)
    stack.callback(memory.close)
    memory.embedding_model = _Mem0Embedder(vectors)
    for turn in turns:
        message = {"role": turn.role, "content": said(turn)}
        memory.add([message], user_id=_USER, infer=False, metadata={"turn": turn.id})

    def search(query: str) -> list[str]:
        found = memory.search(query, filters={"user_id": _USER}, top_k=_LIMIT)["results"]
        return [one["metadata"]["turn"] for one in found]

    return search


def ai_infra_chunks(turns: Sequence[Turn], vectors: KeptVectors, _: ExitStack) -> Search:
    """ai-infra's `ConversationMemory`: chunks of ten messages, two of them shared."""
    from ai_infra.llm.tools.custom.memory import ConversationMemory  # noqa: PLC0415

    class Embedded:
        def embed(self, text: str) -> list[float]:
            return vectors.lists([text])[0]

    memory: Any = ConversationMemory()
    memory._embedding_provider = "handed over"  # noqa: SLF001 - it takes providers by name only
    memory._store._embeddings = Embedded()  # noqa: SLF001
    members: dict[str, tuple[str, ...]] = {}
    for session, group in groupby(turns, key=lambda turn: turn.session):
        some = list(group)
        messages = [{"role": turn.role, "content": said(turn)} for turn in some]
        chunks = memory.index_conversation(_USER, session, messages)
        for number, chunk in enumerate(chunks):
            first = number * (_CHUNK - _OVERLAP)
            members[chunk] = tuple(turn.id for turn in some[first : first + _CHUNK])

    def search(query: str) -> list[Unit]:
        return [members[one.chunk.chunk_id] for one in memory.search(_USER, query, limit=_LIMIT)]

    return search


PEERS = {
    "MiniLM, cosine of turns": dense,
    "MiniLM, cosine, names before the text": dense_with_names,
    "bm25s, stemmed": bm25s_stemmed,
    "rank_bm25, words at blanks": rank_bm25,
    "chromadb": chroma,
    "LangGraph InMemoryStore": langgraph_store,
    "mem0, infer=False": mem0,
    "ai-infra ConversationMemory, chunks of 10": ai_infra_chunks,
}
