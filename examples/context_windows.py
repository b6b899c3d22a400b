"""Context: what goes to the model for the next turn, to the token, with an account of it."""

from __future__ import annotations

from daybook import Daybook, Message
from daybook.context import ADAPTIVE, Summary, Window
from daybook.errors import BudgetError

with Daybook.open("inmemory://") as book:
    book.history.append(
        "in-march",
        [
            Message.user("I am allergic to walnuts, please keep that in mind for recipes."),
            Message.assistant("Noted: no walnuts."),
        ],
        user_id="alice",
    )
    talk = [Message.system("You are a cook.")]
    talk.append(Message.user("My kitchen has no oven."))
    for number in range(1, 61):
        talk.append(Message.user(f"Question {number}: how long do I boil {number} eggs?"))
        talk.append(Message.assistant(f"Answer {number}: seven minutes, whatever the number."))
    talk.append(Message.user("Now a cake recipe, please. Mind my allergy!"))
    book.history.append("today", talk, user_id="alice")

    context = book.context.build("today", max_tokens=500, query="What am I allergic to?")
    receipt = context.receipt
    print(f"{context.tokens} of 500 tokens, first is {context.messages[0].role}")
    print(f"word for word: {receipt.included}")
    print(f"left out: {receipt.left_out.count} messages")

    block = next(m for m in context.messages if "walnuts" in m.text)
    print(f"recalled as role {block.role}, marked as data: {block.text.startswith('<recalled')}")
    print(f"newest is last: {context.messages[-1].text.startswith('Now a cake')}")

    # What no longer fits is summed up: by a model if the book has one, else by quotes.
    summed = book.context.build("today", max_tokens=1000, strategy=Summary())
    print(f"no oven, though it was said long ago: {'oven' in summed.messages[1].text}")
    few = book.context.build("today", max_tokens=1000, strategy=Window(turns=3))
    print(f"the last three turns alone: {few.tokens} tokens")
    adaptive = book.context.build("today", max_tokens=1000, strategy=ADAPTIVE)
    print(f"{adaptive.receipt.strategy}: opening turns are {adaptive.receipt.early}")

    book.context.pin("today", 4)  # an answer stays, with its question
    pinned = book.context.build("today", max_tokens=500)
    print(f"pinned: {pinned.receipt.pinned}")
    for line in book.context.explain("today", receipt.id).lines:
        print(line)

    try:
        book.context.build("today", max_tokens=10)
    except BudgetError as error:
        print(f"too small: {error.needed} needed, {error.available} allowed")
