"""Bring an embedding model: any function from texts to vectors, here a toy that knows colours."""

from __future__ import annotations

from collections.abc import Sequence

from daybook import Daybook, Message

COLOURS = {"red": 0, "scarlet": 0, "crimson": 0, "blue": 1, "azure": 1, "green": 2, "emerald": 2}


def embed_colours(texts: Sequence[str]) -> list[list[float]]:
    """Return a vector for each text: how much of each colour it names."""
    rows = []
    for text in texts:
        row = [0.01, 0.01, 0.01]
        for word in text.lower().replace(".", " ").replace("?", " ").split():
            if word in COLOURS:
                row[COLOURS[word]] += 1.0
        rows.append(row)
    return rows


with Daybook.open("inmemory://", embedder=embed_colours) as book:
    session = book.sessions.create(user_id="alice")
    book.history.append(
        session.id,
        [
            Message.user(f"Make the {thing} {colour}.")
            for thing, colour in [("door", "scarlet"), ("window", "azure"), ("bench", "emerald")]
        ],
    )
    for question in ("Something blue?", "Something red?", "Something green?"):
        hit = book.recall.search(question, user_id="alice", limit=1)[0]
        print(f"{question} {hit.message.text}")
    book.recall.flush()
    print(f"vectors by: {sorted(book.recall.state().embedders)}")
