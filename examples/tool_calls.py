"""Tool calls: kept with their arguments and results, and never parted in a context."""

from __future__ import annotations

from daybook import Daybook, Message, ToolCall

with Daybook.open("inmemory://") as book:
    session = book.sessions.create(user_id="alice")
    call = ToolCall("call-1", "weather", {"city": "Bergen", "day": "Saturday"})
    book.history.append(
        session.id,
        [
            Message.system("You are brief."),
            Message.user("Shall we hike in Bergen on Saturday?"),
            Message.assistant("", tool_calls=(call,)),
            Message.tool('{"rain_mm": 31, "wind": "strong"}', tool_call_id=call.id),
            Message.assistant("No: 31 mm of rain and strong wind."),
            Message.user("And on Sunday?"),
        ],
    )

    stored = book.history.list(session.id)[2].tool_calls[0]
    print(f"stored call: {stored.name}({stored.arguments})")

    hit = book.recall.search("weather Saturday rain", user_id="alice", limit=1)[0]
    print(f"found among all that was said: {hit.message.role} message {hit.seq}")

    # From small budgets to large ones: call and result come in together or not at all.
    for budget in (40, 60, 80, 120):
        context = book.context.build(session.id, max_tokens=budget)
        roles = [message.role for message in context.messages]
        together = roles.count("tool") == sum(bool(m.tool_calls) for m in context.messages)
        print(f"{budget:>3} tokens: {len(roles)} messages, whole: {together}")
