"""Question sets over conversations, from a folder that is not part of this repository.

The folder holds `locomo/*.json` (two people chatting in dated sessions) and `beam*/N/` (a user and
an assistant, `chat.json` beside `probing_questions.json`), or anything else that `daybook bench
recall` takes. Turn and question ids are those that the data sets' usual scorers use.
"""

from __future__ import annotations

from pathlib import Path

from daybook.errors import InvalidInputError
from daybook.evaluation import load
from daybook.evaluation.conversations import Conversation, Question, Turn

__all__ = ["Conversation", "Question", "Turn", "load_conversations"]


def load_conversations(folder: Path) -> list[Conversation]:
    """Return every conversation found under `folder`, LoCoMo's first.

    Raises:
        SystemExit: There is none, or a file is broken.
    """
    try:
        found = load.load_conversations([folder])
    except InvalidInputError as exc:
        raise SystemExit(str(exc)) from None
    return sorted(found, key=lambda one: one.dataset != "locomo")
