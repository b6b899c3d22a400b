"""An embedder whose vectors say nothing and whose tokens do: what is found, tokens found."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import pytest

from daybook import Daybook, Message
from daybook.errors import ProviderError
from daybook.protocols.embedder import TOKEN_WIDTH, Purpose, QueryTokens
from daybook.recall.ranking.token_vectors import as_bytes

TALK = [
    "The ferry was late again",
    "Our cat sleeps all day",
    "A canine companion moved in",
    "Rain is coming tonight",
    "The bakery closed early",
]
# The word asked with is in no table: only the embedder knows that it means the same.
ALIKE = {"zzpuppy": "canine"}


class TokenEmbedderOfWords:
    """Every text has the same vector; every word its own, synonyms one between them."""

    dimensions = 4

    def __init__(self, *, name: str = "words-1", packs: bool = True) -> None:
        self.id = name
        self.packs = packs
        self.runs = 0

    async def embed(
        self,
        texts: Sequence[str],
        *,
        purpose: Purpose = "document",
    ) -> np.ndarray:
        return np.full((len(texts), 4), 0.5, np.float32)

    async def embed_tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, list[bytes]]:
        self.runs += 1
        packed = [self._tokens(text).tobytes() if self.packs else b"" for text in texts]
        return await self.embed(texts), packed

    async def embed_question(self, text: str) -> tuple[np.ndarray, QueryTokens]:
        tokens = self._tokens(text)
        rows = await self.embed([text])
        return rows[0], QueryTokens(tokens, np.ones(len(tokens), np.float32))

    def _tokens(self, text: str) -> np.ndarray:
        words = [ALIKE.get(word, word) for word in text.lower().replace("?", "").split()]
        rows = [np.random.default_rng(crc32(w.encode())).normal(size=TOKEN_WIDTH) for w in words]
        return as_bytes(np.array(rows, np.float32).reshape(-1, TOKEN_WIDTH))


def first_found(embedder: TokenEmbedderOfWords, question: str) -> tuple[str, float]:
    """Return the text found first, and how far late interaction lifts it above the mean."""
    with Daybook.open("inmemory://", embedder=embedder) as book:
        book.history.append("s", [Message.user(text) for text in TALK], user_id="u")
        hit = book.recall.search(question, user_id="u", limit=1)[0]
        return hit.message.text, hit.why.get("li", 0.0)


def test_a_turn_is_found_by_a_token_of_like_meaning() -> None:
    text, lift = first_found(TokenEmbedderOfWords(), "zzpuppy?")
    assert text == TALK[2]
    assert lift > 0


def test_without_token_vectors_nothing_tells_that_turn_apart() -> None:
    embedder = TokenEmbedderOfWords(packs=False)
    text, _ = first_found(embedder, "zzpuppy?")
    assert text != TALK[2]
    assert embedder.runs > 0


def test_a_turn_without_token_vectors_stands_at_the_mean() -> None:
    """Half of them come from a model that gives none, under the same id."""
    embedder = TokenEmbedderOfWords()
    with Daybook.open("inmemory://", embedder=embedder) as book:
        book.history.append("s", [Message.user(text) for text in TALK[2:]], user_id="u")
        book.recall.search("zzpuppy", user_id="u")
        embedder.packs = False
        book.history.append("t", [Message.user(text) for text in TALK[:2]], user_id="u")
        hits = book.recall.search("zzpuppy", user_id="u", limit=5)
    lifts = {hit.message.text: hit.why.get("li", 0.0) for hit in hits}
    assert hits[0].message.text == TALK[2]
    assert lifts[TALK[0]] == lifts[TALK[1]] == 0
    assert lifts[TALK[3]] < 0 < lifts[TALK[2]]


def test_token_vectors_of_another_width_are_refused() -> None:
    class Wrong(TokenEmbedderOfWords):
        async def embed_tokens(self, texts: Sequence[str]) -> tuple[np.ndarray, list[bytes]]:
            return await self.embed(texts), [b"123" for _ in texts]

    with Daybook.open("inmemory://", embedder=Wrong()) as book:
        book.history.append("s", [Message.user(TALK[0])], user_id="u")
        with pytest.raises(ProviderError, match="embed_tokens must give"):
            book.recall.search("ferry", user_id="u")
