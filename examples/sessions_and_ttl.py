"""Sessions: owners, titles, metadata, a time to live, and a clock that the program decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from daybook import Daybook, Message


class HandClock:
    """A clock that stands still until it is moved: expiry can be tested without waiting."""

    def __init__(self) -> None:
        """Start on a spring morning."""
        self.moment = datetime(2025, 3, 1, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the moment it stands at."""
        return self.moment


clock = HandClock()
with Daybook.open("sqlite:///sessions.db", clock=clock) as book:
    kept = book.sessions.create(user_id="alice", title="Tax return", metadata={"year": 2024})
    brief = book.sessions.create(user_id="alice", title="A quick one", ttl=timedelta(hours=1))
    book.sessions.create(user_id="bob", title="Not Alice's")
    book.history.append(brief.id, Message.user("What is 17 times 23?"))

    titles = [session.title for session in book.sessions.list(user_id="alice").items]
    print(f"Alice's sessions: {sorted(str(title) for title in titles)}")
    print(f"Bob sees it: {book.sessions.get(kept.id, user_id='bob') is not None}")

    clock.moment += timedelta(minutes=50)
    book.history.append(brief.id, Message.assistant("391."))  # being used keeps it alive
    clock.moment += timedelta(minutes=50)
    print(f"after 100 minutes it lives: {book.sessions.get(brief.id) is not None}")
    clock.moment += timedelta(minutes=11)
    print(f"an hour after its last message: {book.sessions.get(brief.id) is not None}")
    print(f"removed from the file: {book.sessions.expire_idle()}")

    book.sessions.update(kept.id, title="Tax return 2024", metadata={"year": 2024, "done": True})
    stats = book.sessions.stats(user_id="alice")
    print(f"left: {stats.session_count} session, {stats.message_count} messages")
