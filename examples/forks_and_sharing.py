"""Forks, their tree and what they hold apart; sharing a session and taking that back."""

from __future__ import annotations

from daybook import Daybook, Message
from daybook.errors import AccessDeniedError

with Daybook.open("sqlite:///forks.db") as book:
    draft = book.sessions.create(user_id="alice", session_id="draft", title="Speech")
    book.history.append(
        draft.id,
        [Message.user("Write a short speech."), Message.assistant("Dear friends, …")],
    )

    # Two ways on from the same place; nothing that was said is copied.
    book.sessions.fork("draft", new_session_id="funny", title="With jokes")
    book.sessions.fork("draft", at=1, new_session_id="formal", title="For the mayor")
    book.history.append("funny", Message.user("More jokes, please."))
    book.history.append("formal", Message.assistant("Your Honour, …"))

    for depth, branch in book.sessions.branches("draft").walk():
        title = branch.session.title if branch.session else "(gone)"
        place = "" if branch.forked_at is None else f", forked after message {branch.forked_at}"
        print(f"{'  ' * depth}{title}{place}")

    apart = book.sessions.diff("draft", "funny")
    print(f"only in the funny one: {[entry.message.text for entry in apart.theirs]}")

    book.sessions.share("draft", "bob", role="reader", user_id="alice")
    print(f"bob reads: {len(book.history.list('draft', user_id='bob'))} messages")
    try:
        book.history.append("draft", Message.user("Shorter!"), user_id="bob")
    except AccessDeniedError as refused:
        print(f"bob writes: {refused}")
    book.sessions.revoke("draft", "bob", user_id="alice")
    print(f"after revoke: {len(book.history.list('draft', user_id='bob'))} messages")

    page = book.sessions.export("funny", format="html")
    print(f"as a page: {page.splitlines()[0]}")
