"""How many tokens a message takes in a model's window."""

from __future__ import annotations

from typing import Protocol

from daybook.model.message import Message

__all__ = ["TokenCounter"]


class TokenCounter(Protocol):
    """Counts tokens. Pure and quick: it runs for every appended message."""

    def count(self, message: Message) -> int:
        """Return the tokens of one message, its framing included; at least 1."""
        ...

    def count_text(self, text: str) -> int:
        """Return the tokens of bare text; 0 for an empty one."""
        ...
