"""What a context consists of, as values that compose: ``Early(turns=2) + Summary() + Window()``.

A strategy has one tail (the newest part, word for word), and may have early turns, a digest of what
the tail no longer holds, and recalled messages. It says nothing about how any of them is made.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from daybook.errors import InvalidInputError

__all__ = [
    "ADAPTIVE",
    "Buffer",
    "Early",
    "Observations",
    "Part",
    "Relevant",
    "Strategy",
    "StrategyLike",
    "Summary",
    "TokenWindow",
    "Window",
    "as_strategy",
]


_SMALLEST_CHUNK = 200


def _check_count(value: Any, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidInputError(f"{what} must be an int of 1 or more, got {value!r}")


def _check_share(value: Any, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidInputError(f"{what} must be a number from 0 to 1")


def _check_digest(part: Any) -> None:
    kind = type(part).__name__
    if part.max_tokens is not None:
        _check_count(part.max_tokens, f"{kind}.max_tokens")
    _check_share(part.share, f"{kind}.share")
    if not isinstance(part.chunk_tokens, int) or part.chunk_tokens < _SMALLEST_CHUNK:
        raise InvalidInputError(f"{kind}.chunk_tokens must be an int of {_SMALLEST_CHUNK} or more")


class Part(Struct, frozen=True, kw_only=True):
    """One part of a strategy; parts are put together with ``+``."""

    def __add__(self, other: Any) -> Strategy:
        joined: Strategy = as_strategy(self) + other
        return joined


class Buffer(Part, frozen=True):
    """The whole conversation. If it does not fit the budget, building fails."""


class Window(Part, frozen=True):
    """The newest turns: a user message and all up to the next one is a turn.

    It moves with every turn, which ends a provider's cached prefix every time; `TokenWindow` does
    not.

    Attributes:
        turns: How many, the newest one included; fewer if the budget is smaller.
    """

    turns: int = 10

    def __post_init__(self) -> None:
        _check_count(self.turns, "Window.turns")


class TokenWindow(Part, frozen=True):
    """The newest turns that fit the budget.

    Attributes:
        step: When the window is full, so large a part of the budget is let go at once, so that it
            then stays where it is for many calls and the cached prefix holds. 0 lets go as little
            as possible, with every call.
    """

    step: float = 0.25

    def __post_init__(self) -> None:
        _check_share(self.step, "TokenWindow.step")


class Early(Part, frozen=True):
    """The turns that opened the conversation, kept as long as a quarter of the budget holds them.

    Attributes:
        turns: How many.
    """

    turns: int = 1

    def __post_init__(self) -> None:
        _check_count(self.turns, "Early.turns")


class Summary(Part, frozen=True):
    """A running summary of all that the tail no longer holds, and the facts it must not lose.

    A model writes it, or without one the most telling sentences are quoted. It is stored, grows by
    what leaves the tail, and covers every message of it; the messages themselves stay in the log.

    Attributes:
        max_tokens: Longest summary, facts included; None for `share` of the budget, or 1,000.
        share: Part of the budget, 0 to 1, if `max_tokens` is None.
        chunk_tokens: A model reads so many tokens of the conversation in one call.
        extractive: Quote even if a model is at hand.
    """

    max_tokens: int | None = None
    share: float = 0.15
    chunk_tokens: int = 4000
    extractive: bool = False

    def __post_init__(self) -> None:
        _check_digest(self)


class Observations(Part, frozen=True):
    """A log of dated, prioritised observations of all that the tail no longer holds.

    It is only appended to, so what was sent stays cached, until it is full; then it is compacted to
    half its size and a new generation begins.

    Attributes:
        max_tokens: Longest log; None for `share` of the budget, or 1,000.
        share: Part of the budget, 0 to 1, if `max_tokens` is None.
        chunk_tokens: A model reads so many tokens of the conversation in one call.
        extractive: Quote even if a model is at hand.
    """

    max_tokens: int | None = None
    share: float = 0.25
    chunk_tokens: int = 4000
    extractive: bool = False

    def __post_init__(self) -> None:
        _check_digest(self)


class Relevant(Part, frozen=True):
    """Messages of all the owner's sessions that answer the query, quoted in a marked block.

    The block changes with every call and is never cached: it is short unless asked otherwise.

    Attributes:
        max_tokens: What they may take at most; None for no limit but `share`.
        share: Part of the budget that they may take, 0 to 1.
        limit: How many hits at most.
    """

    max_tokens: int | None = 500
    share: float = 0.25
    limit: int = 20

    def __post_init__(self) -> None:
        if self.max_tokens is not None:
            _check_count(self.max_tokens, "Relevant.max_tokens")
        _check_share(self.share, "Relevant.share")
        _check_count(self.limit, "Relevant.limit")


class Strategy(Struct, frozen=True, kw_only=True):
    """Parts put together.

    Attributes:
        tail: The newest part of the conversation; None for `TokenWindow()`.
        early: Opening turns, or None.
        digest: What stands for the messages in between, or None.
        relevant: Recalled messages; None for none unless a query is given.
    """

    tail: Buffer | Window | TokenWindow | None = None
    early: Early | None = None
    digest: Summary | Observations | None = None
    relevant: Relevant | None = None

    def __add__(self, other: Any) -> Strategy:
        mine, theirs = _named(self), _named(as_strategy(other))
        both = sorted(mine.keys() & theirs.keys())
        if both:
            raise InvalidInputError(f"strategy: two parts are a {both[0]}; a strategy takes one")
        return Strategy(**mine, **theirs)


StrategyLike = Strategy | Part


def as_strategy(given: Any) -> Strategy:
    """Return a part or a strategy as a strategy.

    Raises:
        InvalidInputError: It is neither.
    """
    match given:
        case Strategy():
            return given
        case Buffer() | Window() | TokenWindow():
            return Strategy(tail=given)
        case Early():
            return Strategy(early=given)
        case Summary() | Observations():
            return Strategy(digest=given)
        case Relevant():
            return Strategy(relevant=given)
    raise InvalidInputError(
        "strategy must be Buffer(), Window(), TokenWindow(), Early(), Summary(), Observations(), "
        f"Relevant(), or several of them joined with +; got {type(given).__name__}"
    )


ADAPTIVE = Strategy(early=Early(turns=2), relevant=Relevant())
"""The opening turns, the newest ones that fit, and what is relevant to the newest question."""


def _named(strategy: Strategy) -> dict[str, Any]:
    return {name: part for name, part in asdict(strategy).items() if part is not None}
