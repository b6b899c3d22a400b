"""A chat backend from its sessions' side: limits, expiry, numbers, export, sharing, branches."""

from __future__ import annotations

from daybook import ChatApplication, Message
from daybook.errors import AccessDeniedError


def model(messages: tuple[Message, ...]) -> str:
    """Play a model; a real one is given by its name, for example ``openai:gpt-5-mini``."""
    named = [one.text[11:].rstrip("!") for one in messages if one.text.startswith("Hello, I'm ")]
    return f"You are {named[-1]}." if named else "We have not met."


# With a server: redis_url="redis://localhost:6379" in place of the URL; nothing else changes.
with ChatApplication("sqlite:///backend.db", model=model, max_messages=50, session_ttl=3600) as app:
    session = app.create_session(user_id="alice", title="First talk")
    print(app.chat(session, "Hello, I'm Alice!", user_id="alice"))
    print(app.chat(session, "What's my name?", user_id="alice"))

    info = app.get_session_info(session)
    if info and info.expires_at:
        life = info.expires_at - info.last_active
        print(f"{info.message_count} messages, ends {life} after the last")
    print(f"alice's sessions: {[one.title for one in app.list_sessions(user_id='alice')]}")

    for number in range(30):
        app.chat(session, f"Question {number}?", user_id="alice")
    print(f"shown: {len(app.history(session, user_id='alice'))}, the oldest are only hidden")

    app.share(session, "bob", user_id="alice")  # to read
    print(f"bob reads: {app.history(session, user_id='bob')[-1].text}")
    try:
        app.chat(session, "May I?", user_id="bob")
    except AccessDeniedError as refused:
        print(f"bob writes: {refused}")

    branch = app.fork(session, at=2, title="Another way", user_id="alice")
    print(f"branch: {app.chat(branch, 'Who am I?', user_id='alice')}")
    print(f"exported: {app.export(branch, format='markdown', user_id='alice').count('Who am I?')}")

    print(f"bob deletes: {app.delete_session(session, user_id='bob')}")
    print(f"alice deletes: {app.delete_session(session, user_id='alice')}")
    print(f"left: {[one.title for one in app.list_sessions(user_id='alice')]}")
