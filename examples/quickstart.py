"""Keep a conversation, find what was said, build what to send to a model next.

Nothing is needed but `pip install daybook`: no server, no key, no download.
"""

from __future__ import annotations

from daybook import Daybook, Message

with Daybook.open("sqlite:///quickstart.db") as book:
    spring = book.sessions.create(user_id="alice", title="Plans for spring")
    receipt = book.history.append(
        spring.id,
        [
            Message.user("I want to build a garden fence in April, from larch wood."),
            Message.assistant("Larch lasts without paint. How long shall it be?"),
            Message.user("Eighteen metres. My neighbour Jonas lends me his saw."),
            Message.assistant("Then you need ten posts, two metres apart."),
        ],
    )
    print(f"stored messages {receipt.first_seq} to {receipt.last_seq}: {receipt.ack}")

    for hit in book.recall.search("Who lends me a saw?", user_id="alice", limit=1):
        session = book.sessions.get(hit.session_id)
        title = session.title if session else "?"
        print(f"found in {title!r}, message {hit.seq}: {hit.message.text}")

    today = book.sessions.create(user_id="alice", title="Today")
    book.history.append(today.id, Message.user("Good morning! Who lent me that saw?"))

    context = book.context.build(today.id, query="Who lent me that saw?", max_tokens=500)
    print(f"context: {len(context.messages)} messages, {context.tokens} of 500 tokens")
    print(f"recalled from earlier: {len(context.receipt.recalled)} messages")
