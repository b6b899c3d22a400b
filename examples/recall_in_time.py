"""Recall: windows of time, times in the question, one session, neighbours, and the reasons."""

from __future__ import annotations

from datetime import UTC, datetime

from daybook import Daybook, Message


def on(month: int, day: int) -> datetime:
    """Return noon of a day in 2024."""
    return datetime(2024, month, day, 12, tzinfo=UTC)


with Daybook.open("inmemory://") as book:
    for month, day, text in [
        (2, 10, "I started to learn the cello, my teacher is Mrs Tanaka."),
        (5, 4, "My first cello concert! I played the Swan and my bow shook."),
        (5, 20, "We adopted a greyhound called Comet."),
        (9, 1, "New cello teacher: Mr Ortiz, because Mrs Tanaka moved to Kyoto."),
    ]:
        said = [
            Message.user(text, created_at=on(month, day)),
            Message.assistant("I will remember that.", created_at=on(month, day)),
        ]
        book.history.append(f"talk-{month}-{day}", said, user_id="alice")

    best = book.recall.search("Who is my cello teacher?", user_id="alice", limit=2)
    print(f"teachers: {sorted(hit.session_id for hit in best)}")

    since_summer = book.recall.search("cello teacher", user_id="alice", since=on(6, 1), limit=1)
    print(f"since June: {since_summer[0].message.text}")

    in_may = book.recall.search("What did I play in May 2024?", user_id="alice", limit=1)
    print(f"in May: {in_may[0].message.text}")

    one = book.recall.search("greyhound", user_id="alice", session_id="talk-5-20", neighbours=1)
    print(f"with its neighbour: {[message.role for message in one[0].messages]}")
    print(f"has reasons: {bool(one[0].why)}; nobody else's: ", end="")
    print(book.recall.search("cello", user_id="bob"))
