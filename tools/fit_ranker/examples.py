"""Questions as feature matrices: what the ranker sees, for every turn of the conversation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.recall_quality.conversations import Conversation, Question
from benchmarks.recall_quality.indexed_conversation import (
    BlockingEmbedder,
    IndexedConversation,
    index_conversation,
)
from daybook.protocols.embedder import TokenEmbedder
from daybook.recall.analysis import Analyzer
from daybook.recall.features import compute_features
from daybook.recall.late_interaction import late_interaction

__all__ = ["Example", "long_sessions", "make_examples"]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One question.

    Attributes:
        question: The question.
        dataset: Where it is from.
        conversation: Which conversation.
        names: Name of each feature; the last is late interaction, not yet standardised.
        features: Shape (turns, features).
        gold: Which turns are evidence.
    """

    question: Question
    dataset: str
    conversation: str
    names: tuple[str, ...]
    features: NDArray[np.float32]
    gold: NDArray[np.bool_]


def long_sessions(conversation: Conversation) -> Conversation:
    """Return a conversation whose numbered sub-sessions ("B1.0", "B1.1") are one session each.

    Assistant chats come cut by topic; a running application knows no topics. Fitting on both
    ways of cutting keeps what depends on session borders from being learned too well.
    """
    turns = [replace(turn, session=turn.session.split(".")[0]) for turn in conversation.turns]
    return replace(conversation, turns=turns)


def make_examples(
    conversations: list[Conversation], embedder: BlockingEmbedder | None, tokens: TokenEmbedder
) -> Iterator[Example]:
    """Yield every question that has evidence."""
    analyzer = Analyzer()
    for conversation in conversations:
        index = index_conversation(conversation, analyzer, embedder, tokens)
        for question in conversation.questions:
            if question.evidence:
                yield _example(conversation, question, index)


def _example(conversation: Conversation, question: Question, index: IndexedConversation) -> Example:
    query = index.plan(question.text)
    candidates = index.candidates(query, limit=len(index.columns))
    features = compute_features(query, candidates)
    names = (*sorted(features), "li")
    features["li"] = late_interaction(
        query.subject,
        candidates.token_ids,
        candidates.token_starts,
        candidates.token_ends,
        index.tokens,
    )
    return Example(
        question=question,
        dataset=conversation.dataset,
        conversation=conversation.id,
        names=names,
        features=np.stack([features[name] for name in names], axis=1).astype(np.float32),
        gold=np.isin(candidates.keys.astype(str), question.evidence),
    )
