"""Questions as feature matrices: what the ranker sees, for every turn of the conversation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall_quality.conversations import Conversation, Question
from benchmarks.recall_quality.indexed_conversation import (
    BlockingEmbedder,
    IndexedConversation,
    index_conversation,
)
from daybook.protocols.embedder import TokenEmbedder
from daybook.recall.ranking.features import compute_features
from daybook.recall.ranking.late_interaction import late_interaction
from daybook.recall.text.analysis import Analyzer

__all__ = ["Example", "make_examples"]

# Measured and not shipped yet: see README.md. To fit it, leave "lnz" out in its place.
_LEFT_OUT = frozenset({"ln"})


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One question.

    Attributes:
        question: The question.
        dataset: Where it is from.
        conversation: Which conversation.
        names: Name of each feature; the last is late interaction, not yet standardised.
        features: Shape (rows, features); a row is a turn that may be returned.
        gold: Which turns are evidence.
        share: How much it counts beside a question as it came.
    """

    question: Question
    dataset: str
    conversation: str
    names: tuple[str, ...]
    features: NDArray[np.float32]
    gold: NDArray[np.bool_]
    share: float = 1.0


def make_examples(
    conversations: Sequence[Conversation],
    embedder: BlockingEmbedder | None,
    tokens: TokenEmbedder,
    *,
    homes: Mapping[str, Conversation],
    limit: int | None = None,
) -> Iterator[Example]:
    """Yield every question that has evidence.

    Args:
        conversations: Scopes to search.
        embedder: For the dense leg.
        tokens: For late interaction.
        homes: The conversation, as it came, that each question is from, by the question's id.
        limit: How many candidates a search asks its index for; None for all turns.
    """
    analyzer = Analyzer()
    for conversation in conversations:
        index = index_conversation(conversation, analyzer, embedder, tokens)
        for question in conversation.questions:
            if question.evidence:
                asked_for = limit or len(index.columns)
                yield _example(homes[question.id], question, index, asked_for)


def _example(
    home: Conversation, question: Question, index: IndexedConversation, limit: int
) -> Example:
    query = index.plan(question.text)
    candidates = index.candidates(query, limit=limit)
    features = compute_features(query, candidates)
    names = (*sorted(features.keys() - _LEFT_OUT), "li")
    features["li"] = late_interaction(
        query.subject,
        candidates.token_ids,
        candidates.token_starts,
        candidates.token_ends,
        index.tokens,
    )
    kept = np.flatnonzero(candidates.eligible)
    columns = [features[name][kept] for name in names]
    return Example(
        question=question,
        dataset=home.dataset,
        conversation=home.id,
        names=names,
        features=np.stack(columns, axis=1).astype(np.float32),
        gold=np.isin(candidates.keys[kept].astype(str), question.evidence),
    )
