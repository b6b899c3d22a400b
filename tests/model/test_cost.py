"""Costs are whole micro-dollars: exact, rounded up once, and never more than was reserved."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.model.cost import CostTotal, Prices, cost_of, largest_cost
from daybook.model.message import Usage

FULL = Prices(
    input=Decimal(3),
    output=Decimal(15),
    cached_input=Decimal("0.3"),
    cache_write=Decimal("3.75"),
    long=Prices(input=Decimal(6), output=Decimal("22.5")),
    long_above_tokens=200_000,
)
PLAIN = Prices(input=Decimal("0.15"), output=Decimal("0.6"))


@pytest.mark.parametrize(
    ("prices", "usage", "micro_usd"),
    [
        (FULL, Usage(), 0),
        (FULL, Usage(1000, 100), 4500),
        (FULL, Usage(1000, 100, {"cached_tokens": 900}), 300 + 270 + 1500),
        (FULL, Usage(1000, 0, {"cached_tokens": 500, "cache_write_tokens": 400}), 300 + 150 + 1500),
        (FULL, Usage(200_000, 1), 600_015),
        (FULL, Usage(200_001, 1), 1_200_006 + 23),
        (PLAIN, Usage(1, 0), 1),  # 0.15 of a micro-dollar
        (PLAIN, Usage(1000, 0, {"cached_tokens": 900}), 150),  # no price for it: the full one
        # Details are whatever a provider sent.
        (PLAIN, Usage(1000, 0, {"cached_tokens": "many", "cache_write_tokens": -5}), 150),
        (PLAIN, Usage(10, 0, {"cached_tokens": 10**9}), 2),
        (Prices.free(), Usage(10**9, 10**9), 0),
    ],
)
def test_the_cost_of_a_call(prices: Prices, usage: Usage, micro_usd: int) -> None:
    assert cost_of(prices, usage) == micro_usd


counts = st.integers(0, 400_000)


@given(counts, counts, counts, counts, st.integers(0, 1000), st.integers(0, 1000))
def test_what_is_reserved_is_never_less_than_what_it_costs(
    sent: int, answered: int, cached: int, written: int, more_in: int, more_out: int
) -> None:
    usage = Usage(sent, answered, {"cached_tokens": cached, "cache_write_tokens": written})
    for prices in (FULL, PLAIN):
        assert cost_of(prices, usage) <= largest_cost(prices, sent + more_in, answered + more_out)


def test_a_sum_with_an_unknown_price_is_not_known() -> None:
    known = CostTotal(calls=1, input_tokens=5, output_tokens=2, micro_usd=1_500_000)
    unknown = CostTotal(calls=1, input_tokens=7, unpriced_calls=1)
    both = known + unknown
    assert (known.usd, both.usd) == (Decimal("1.5"), None)
    assert (both.calls, both.tokens, both.micro_usd, both.unpriced_calls) == (2, 14, 1_500_000, 1)
