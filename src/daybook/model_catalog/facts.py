"""What is known of one language model, as a frozen value."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from daybook.model.cost import Prices

__all__ = ["ModelFacts", "PromptCache"]

PromptCache = Literal["automatic", "marked"]


class ModelFacts(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One model.

    Attributes:
        id: The name its provider gives it.
        provider: Who made it.
        context_tokens: Its window; input and output share it.
        max_output_tokens: Longest answer; None if it is not known.
        max_input_tokens: Most that may be sent, where that is less than the window.
        aliases: Other names of the same model.
        prices: None if they are not known. A model that hosts of several prices serve has none.
        tokenizer: The public tokenizer it uses, as tiktoken names it.
        prompt_cache: Whether its provider caches prefixes ``"automatic"``-ally or where they are
            ``"marked"``; None for not at all, or not known.
        as_of: Of which day this is, ``YYYY-MM-DD``.
    """

    id: str
    provider: str = ""
    context_tokens: int
    max_output_tokens: int | None = None
    max_input_tokens: int | None = None
    aliases: tuple[str, ...] = ()
    prices: Prices | None = None
    tokenizer: str | None = None
    prompt_cache: PromptCache | None = None
    as_of: str = ""

    def input_limit(self, output_tokens: int = 0) -> int:
        """Return how many tokens may be sent when so many are kept for the answer; at least 0."""
        room = max(0, self.context_tokens - output_tokens)
        return room if self.max_input_tokens is None else min(room, self.max_input_tokens)
