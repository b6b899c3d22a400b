"""Questions on dialogues, as LoCoMo and REALTALK write them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from daybook.evaluation.conversations import Question, Turn
from daybook.evaluation.fields import dialogue_ids, list_of, object_of, text_of

__all__ = ["dialogue_questions"]


def dialogue_questions(
    chat: dict[str, Any],
    name: str,
    turns: list[Turn],
    where: str,
    *,
    categories: Mapping[int, str],
) -> Iterator[Question]:
    """Yield the questions under ``qa``; evidence that is no turn of the chat is left out.

    Args:
        chat: Holds them.
        name: The conversation's, before the number of each question.
        turns: The conversation's.
        where: For errors: which file, which part.
        categories: Names of the numbers that stand for kinds of questions.

    Raises:
        InvalidInputError: A question is not written as expected; says where.
    """
    known = {turn.id for turn in turns}
    for number, one in enumerate(list_of(chat, "qa", where)):
        place = f"{where}: qa[{number}]"
        asked = object_of(one, place)
        category = asked.get("category")
        yield Question(
            id=f"{name}_q{number}",
            text=text_of(asked, "question", place),
            category=categories.get(category, str(category)) if category is not None else "",
            evidence=tuple(one for one in dialogue_ids(asked.get("evidence")) if one in known),
            answer=str(asked.get("answer") or asked.get("adversarial_answer") or ""),
        )
