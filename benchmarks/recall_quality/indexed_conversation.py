"""A conversation as one user's index, and the pipeline from a question to ranked turns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall_quality.conversations import Conversation, Turn
from daybook.model.candidates import Candidates
from daybook.model.index_document import IndexDocument
from daybook.model.message import ROLES
from daybook.protocols.embedder import TokenEmbedder
from daybook.recall.ranking.query import AnalysedQuery, plan_query
from daybook.recall.search.scope_columns import ScopeColumns
from daybook.recall.text.analysis import Analyzer

__all__ = ["BlockingEmbedder", "CachedEmbedder", "IndexedConversation", "index_conversation"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BlockingEmbedder(Protocol):
    """What our embedders offer beside their asynchronous protocol."""

    @property
    def id(self) -> str:
        """Name and version."""
        ...

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one unit row for each text."""
        ...


class CachedEmbedder:
    """Keeps the vectors of texts in a folder: MiniLM takes minutes otherwise.

    A text that was in any list before is not embedded again while the object lives.
    """

    def __init__(self, inner: BlockingEmbedder, folder: Path) -> None:
        self._inner = inner
        self._folder = folder
        self._known: dict[str, NDArray[np.float32]] = {}
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def id(self) -> str:
        """Name and version of the embedder behind."""
        return self._inner.id

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Return one unit row for each text."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._kept(new), strict=True))
        return np.stack([self._known[text] for text in texts])

    def _kept(self, texts: list[str]) -> NDArray[np.float32]:
        """Return the vectors of a list from its file, which is written if it is not there."""
        joined = "\x00".join([self._inner.id, *texts]).encode("utf-8", "surrogatepass")
        path = self._folder / f"{hashlib.sha256(joined).hexdigest()[:32]}.npy"
        if not path.exists():
            np.save(path, self._inner.encode(texts))
        vectors: NDArray[np.float32] = np.load(path)
        return vectors


@dataclass(frozen=True, slots=True)
class IndexedConversation:
    """A conversation's index with all that is needed to question it."""

    columns: ScopeColumns
    analyzer: Analyzer
    embedder: BlockingEmbedder | None
    tokens: TokenEmbedder
    now: datetime

    def plan(self, question: str) -> AnalysedQuery:
        """Return the question, read as on the day after the last turn."""
        return plan_query(
            question,
            analyzer=self.analyzer,
            now=self.now,
            speaker_names=self.columns.speakers,
        )

    def candidates(self, query: AnalysedQuery, *, limit: int = 600) -> Candidates:
        """Return what the index finds for a question, its embedding included."""
        vector = None
        if self.embedder is not None:
            vector = self.embedder.encode([query.subject])[0]
        maker = "" if self.embedder is None else self.embedder.id
        return self.columns.candidates(query.candidate_query(vector, maker, limit=limit))


def index_conversation(
    conversation: Conversation,
    analyzer: Analyzer,
    embedder: BlockingEmbedder | None,
    tokens: TokenEmbedder,
) -> IndexedConversation:
    """Return the conversation as one user's index, turn after turn."""
    turns = conversation.turns
    vectors = None if embedder is None else embedder.encode([turn.text for turn in turns])
    maker = "" if embedder is None else embedder.id
    columns = ScopeColumns()
    documents = []
    for number, turn in enumerate(turns):
        vector = None if vectors is None or not vectors[number].any() else vectors[number]
        documents.append(_document(turn, number, analyzer, tokens, vector, maker))
    columns.add(documents)
    now = max(turn.said_at for turn in turns) + timedelta(days=1)
    return IndexedConversation(columns, analyzer, embedder, tokens, now)


def _document(
    turn: Turn,
    number: int,
    analyzer: Analyzer,
    tokens: TokenEmbedder,
    vector: NDArray[np.float32] | None,
    maker: str,
) -> IndexDocument:
    analysis = analyzer.analyse(turn.text)
    return IndexDocument(
        key=turn.id,
        group=turn.session,
        position=number + 1,
        created_at=(turn.said_at - _EPOCH) // timedelta(microseconds=1),
        role=ROLES.index(turn.role),
        speaker=turn.speaker,
        traits=analysis.traits,
        length=analysis.length,
        terms=analysis.terms,
        tokens=tokens.token_ids(turn.text).tobytes(),
        vector=vector,
        embedder=maker if vector is not None else "",
    )
