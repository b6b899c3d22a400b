"""What calls of language models cost: prices, sums, caps and reservations.

Money is a whole number of micro-dollars everywhere. A price in USD per million tokens is a price
in micro-dollars per token, so a sum needs no division; it is rounded up once, per call.
"""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from msgspec import Struct

from daybook.model.message import Usage

__all__ = [
    "Cap",
    "CostTotal",
    "CostTotals",
    "Period",
    "Prices",
    "Reservation",
    "cost_of",
    "largest_cost",
]

Period = Literal["day", "month", "total"]

_MICRO = Decimal(1_000_000)


class Prices(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a model costs, in USD per million tokens.

    Attributes:
        input: What was sent and did not come from the provider's prompt cache.
        output: What was answered, reasoning included.
        cached_input: What came from the prompt cache; None: charged as `input`.
        cache_write: What was written to the prompt cache; None: charged as `input`.
        long: Prices of calls that send more than `long_above_tokens`, if those cost more.
        long_above_tokens: See `long`.
    """

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None
    cache_write: Decimal | None = None
    long: Prices | None = None
    long_above_tokens: int | None = None

    @classmethod
    def free(cls) -> Prices:
        """Return prices of nothing, for models that run on one's own machine."""
        return cls(input=Decimal(0), output=Decimal(0))

    def at(self, input_tokens: int) -> Prices:
        """Return the prices of a call that sends so many tokens."""
        if self.long is None or self.long_above_tokens is None:
            return self
        return self.long.at(input_tokens) if input_tokens > self.long_above_tokens else self


def cost_of(prices: Prices, usage: Usage) -> int:
    """Return what a call cost, in micro-dollars, rounded up.

    `usage.details` may hold ``cached_tokens`` and ``cache_write_tokens``, parts of the input.
    """
    valid = prices.at(usage.input_tokens)
    cached = _part(usage, "cached_tokens", usage.input_tokens)
    written = _part(usage, "cache_write_tokens", usage.input_tokens - cached)
    plain = usage.input_tokens - cached - written
    exact = (
        plain * valid.input
        + cached * (valid.input if valid.cached_input is None else valid.cached_input)
        + written * (valid.input if valid.cache_write is None else valid.cache_write)
        + usage.output_tokens * valid.output
    )
    return _up(exact)


def largest_cost(prices: Prices, input_tokens: int, output_tokens: int) -> int:
    """Return the most that a call of so many tokens at most may cost, in micro-dollars."""
    valid = prices.at(input_tokens)
    dearest = max(valid.input, valid.cached_input or valid.input, valid.cache_write or valid.input)
    return _up(input_tokens * dearest + output_tokens * valid.output)


class CostTotal(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A sum over calls.

    Attributes:
        calls: How many.
        input_tokens: Everything that was sent.
        output_tokens: Everything that was answered.
        cached_tokens: The part of the input that came from a prompt cache.
        cache_write_tokens: The part of the input that was written to one.
        micro_usd: What the calls of a known price cost, in micro-dollars.
        unpriced_calls: Calls whose price is not known; nothing is in `micro_usd` for them.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    micro_usd: int = 0
    unpriced_calls: int = 0

    @property
    def usd(self) -> Decimal | None:
        """What all calls cost; None as long as the price of any is not known."""
        return None if self.unpriced_calls else Decimal(self.micro_usd) / _MICRO

    @property
    def tokens(self) -> int:
        """Input and output together: what caps on tokens count."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: CostTotal) -> CostTotal:
        """Return both sums together."""
        names = self.__struct_fields__
        return CostTotal(**{name: getattr(self, name) + getattr(other, name) for name in names})


class CostTotals(Struct, frozen=True):
    """Sums over calls.

    Attributes:
        total: Over all of them.
        parts: By operation, model or day, in that name's order.
    """

    total: CostTotal
    parts: dict[str, CostTotal]


class Cap(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The most that may be spent.

    Attributes:
        user_id: By whom; None for all users together.
        period: In a day, in a month (both of UTC), or ever.
        operation: On what; None for everything.
        micro_usd: So much money, in micro-dollars; None if only tokens are capped.
        tokens: So many tokens, input and output; None if only money is capped.
    """

    user_id: str | None
    period: Period
    operation: str | None = None
    micro_usd: int | None = None
    tokens: int | None = None


class Reservation(Struct, frozen=True, kw_only=True):
    """Room held under the caps for one call.

    Attributes:
        id: Names it.
        user_id: For whom.
        operation: For what.
        model: The model to be called.
        input_tokens: What the call sends at most.
        output_tokens: What it answers at most.
        micro_usd: What it costs at most, in micro-dollars; None if the price is not known.
        expires_at: When the room is free again, unless it was settled or cancelled before.
    """

    id: str
    user_id: str
    operation: str
    model: str
    input_tokens: int
    output_tokens: int
    micro_usd: int | None
    expires_at: datetime

    @property
    def tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens


def _part(usage: Usage, name: str, most: int) -> int:
    """Return a count from the details, which may hold anything, within what it is a part of."""
    value = usage.details.get(name)
    return min(max(value, 0), most) if type(value) is int else 0


def _up(exact: Decimal) -> int:
    return int(exact.to_integral_value(ROUND_CEILING))
