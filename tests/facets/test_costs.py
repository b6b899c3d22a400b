"""The cost ledger: sums, caps, reservations, days that end, prices that are not known."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import ConfigError, CostCapError, InvalidInputError
from daybook.facets.costs import Costs
from daybook.model.cost import Cap, Prices
from daybook.model.message import Message, Usage
from daybook.model.reply import Reply
from daybook.model.scope import Scope, internal_tenant
from daybook.protocols.record_store import RecordStore
from daybook.registry import open_engine
from daybook.testing.fake_clock import FakeClock

NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)
TABLE = {
    "cheap": Prices(input=Decimal(1), output=Decimal(2)),
    "dear": Prices(input=Decimal(10), output=Decimal(20), cached_input=Decimal(1)),
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture(params=["inmemory", "sqlite", "file"])
async def records(
    request: pytest.FixtureRequest, tmp_path: Path, clock: FakeClock
) -> AsyncIterator[RecordStore]:
    urls = {"sqlite": f"sqlite:///{tmp_path}/a.db", "file": f"file:///{tmp_path}/a"}
    engine = await open_engine(urls.get(request.param, "inmemory://"), clock=clock)
    yield engine.records
    await engine.close()


@pytest.fixture
def costs(records: RecordStore, clock: FakeClock) -> Costs:
    return Costs(records, tenant="t", clock=clock, prices=TABLE.get)


async def test_calls_are_summed_by_operation_model_and_day(costs: Costs, clock: FakeClock) -> None:
    assert await costs.record("ann", "reply", Usage(100, 10), model="cheap") == 120
    assert await costs.record("ann", "reply", Usage(100, 10), model="cheap") == 120
    cached = Usage(100, 10, {"cached_tokens": 90})
    assert await costs.record("ann", "summary", cached, model="dear") == 390
    clock.advance(timedelta(days=1))
    await costs.record("bob", "reply", Usage(1, 0), model="dear")
    await costs.record("ann", "reply", Usage(1, 1), model="cheap")
    mine = await costs.totals("ann")
    assert mine.total.micro_usd == 240 + 390 + 3
    assert mine.total.usd == Decimal("0.000633")
    assert {name: part.micro_usd for name, part in mine.parts.items()} == {
        "reply": 243,
        "summary": 390,
    }
    assert mine.parts["reply"].calls == 3
    assert mine.parts["summary"].cached_tokens == 90
    by_model = await costs.totals("ann", by="model")
    assert {name: part.micro_usd for name, part in by_model.parts.items()} == {
        "cheap": 243,
        "dear": 390,
    }
    by_day = await costs.totals(by="day")
    assert {name: part.micro_usd for name, part in by_day.parts.items()} == {
        "2026-03-30": 630,
        "2026-03-31": 13,
    }
    assert (await costs.totals("nobody")).total.calls == 0


async def test_totals_of_a_span_include_its_first_and_last_day(
    costs: Costs, clock: FakeClock
) -> None:
    for _ in range(5):
        await costs.record("ann", "reply", Usage(1, 0), model="cheap")
        clock.advance(timedelta(days=1))
    for since, until, calls in [
        (date(2026, 3, 31), date(2026, 4, 2), 3),
        (date(2026, 4, 3), None, 1),
        (None, date(2026, 3, 30), 1),
        (NOON + timedelta(days=1), NOON + timedelta(days=1), 1),
        (date(2026, 5, 1), None, 0),
    ]:
        assert (await costs.totals("ann", since=since, until=until)).total.calls == calls


async def test_a_reply_is_counted_under_its_model(costs: Costs) -> None:
    message = Message.assistant("Hello", usage=Usage(10, 5))
    reply = Reply(message=message, model="cheap")
    assert await costs.record("ann", "reply", reply) == 20
    silent = Reply(message=Message.assistant("Hello"), model="cheap")
    assert await costs.record("ann", "reply", silent) is None
    total = (await costs.totals("ann")).total
    assert (total.calls, total.unpriced_calls, total.micro_usd, total.usd) == (2, 1, 20, None)


async def test_known_models_stand_under_one_name(records: RecordStore, clock: FakeClock) -> None:
    costs = Costs(records, tenant="t", clock=clock)
    for name in ("openai:gpt-4o", "gpt-4o-2024-08-06", "nobody:knows"):
        await costs.record("ann", "reply", Usage(1000, 0), model=name)
    parts = (await costs.totals("ann", by="model")).parts
    assert {name: (part.calls, part.usd) for name, part in parts.items()} == {
        "gpt-4o": (2, Decimal("0.005")),
        "nobody:knows": (1, None),
    }


async def test_a_call_that_could_pass_a_cap_is_refused_before_it_is_made(costs: Costs) -> None:
    await costs.set_cap("ann", "0.001", period="day")
    first = await costs.reserve("ann", "reply", "cheap", 400, 100)
    assert first.micro_usd == 600
    with pytest.raises(CostCapError, match=r"0\.001000 USD a day") as refused:
        await costs.reserve("ann", "summary", "cheap", 401, 0)
    error = refused.value
    assert (error.user_id, error.operation, error.cap, error.spent, error.needed, error.unit) == (
        ("ann", None, 1000, 600, 401, "micro_usd")
    )
    await costs.reserve("bob", "reply", "cheap", 10**6, 0)  # somebody else's money
    assert await costs.settle(first, Usage(50, 0)) == 50
    second = await costs.reserve("ann", "reply", "cheap", 950, 0)
    with pytest.raises(CostCapError):
        await costs.reserve("ann", "reply", "cheap", 1, 0)
    await costs.cancel(second)
    await costs.cancel(second)
    await costs.reserve("ann", "reply", "cheap", 950, 0)


async def test_a_cap_for_everyone_is_on_the_sum_of_all(costs: Costs) -> None:
    await costs.record("ann", "reply", Usage(600, 0), model="cheap")  # before the cap was set
    await costs.set_cap(None, "0.001", period="total")
    with pytest.raises(CostCapError, match="all users together") as refused:
        await costs.reserve("bob", "reply", "cheap", 401, 0)
    assert refused.value.user_id is None
    # What was refused there is not held in the user's own account either.
    await costs.set_cap("bob", "0.0004", period="total")
    await costs.reserve("bob", "reply", "cheap", 400, 0)


async def test_a_cap_on_one_operation_leaves_the_others_alone(costs: Costs) -> None:
    await costs.set_cap("ann", 0, period="day", operation="summary")
    with pytest.raises(CostCapError, match="for summary"):
        await costs.reserve("ann", "summary", "cheap", 1, 0)
    await costs.reserve("ann", "reply", "cheap", 1, 0)


async def test_caps_in_tokens(costs: Costs) -> None:
    await costs.set_cap("ann", tokens=100, period="month")
    held = await costs.reserve("ann", "reply", "nobody-knows", 80, 20)
    with pytest.raises(CostCapError, match="100 tokens a month") as refused:
        await costs.reserve("ann", "reply", "nobody-knows", 1, 0)
    assert refused.value.unit == "tokens"
    await costs.settle(held, Usage(30, 3))
    await costs.reserve("ann", "reply", "nobody-knows", 67, 0)


@pytest.mark.parametrize("owner", ["ann", None])
async def test_an_unknown_price_under_a_cap_on_money_is_refused(
    costs: Costs, owner: str | None
) -> None:
    await costs.set_cap(owner, 100)
    with pytest.raises(ConfigError, match=r"nobody-knows is not known: register it"):
        await costs.reserve("ann", "reply", "nobody-knows", 1, 1)
    await costs.set_cap(owner, tokens=10)  # in its place
    await costs.reserve("ann", "reply", "nobody-knows", 5, 5)


@pytest.mark.parametrize(
    ("period", "hours", "free"),
    [("day", 11, False), ("day", 12, True), ("month", 35, False), ("month", 36, True),
     ("total", 24 * 400, False)],
)  # fmt: skip
async def test_a_period_ends_at_midnight_utc(
    costs: Costs, clock: FakeClock, period: Any, hours: int, free: bool
) -> None:
    await costs.set_cap("ann", "0.0001", period=period)
    held = await costs.reserve("ann", "reply", "cheap", 100, 0)
    await costs.settle(held, Usage(100, 0))
    clock.advance(timedelta(hours=hours))
    if free:
        await costs.reserve("ann", "reply", "cheap", 100, 0)
    else:
        with pytest.raises(CostCapError):
            await costs.reserve("ann", "reply", "cheap", 1, 0)


async def test_a_clock_that_goes_back_frees_nothing(costs: Costs, clock: FakeClock) -> None:
    await costs.set_cap("ann", "0.0001", period="day")
    clock.advance(timedelta(days=1))
    await costs.record("ann", "reply", Usage(100, 0), model="cheap")
    clock.advance(timedelta(days=-1))
    with pytest.raises(CostCapError):
        await costs.reserve("ann", "reply", "cheap", 1, 0)
    by_day = await costs.totals("ann", by="day")
    assert list(by_day.parts) == ["2026-03-31"]


async def test_room_of_a_dead_process_is_free_when_it_expires(
    costs: Costs, clock: FakeClock
) -> None:
    await costs.set_cap("ann", "0.0001")
    await costs.reserve("ann", "reply", "cheap", 100, 0, expires_after=timedelta(minutes=5))
    clock.advance(timedelta(minutes=4, seconds=59))
    with pytest.raises(CostCapError):
        await costs.reserve("ann", "reply", "cheap", 1, 0)
    clock.advance(timedelta(seconds=1))
    await costs.reserve("ann", "reply", "cheap", 100, 0)


@pytest.mark.parametrize("late_minutes", [0, 10, 70, 3000])
async def test_a_settlement_counts_once_however_late_it_comes(
    costs: Costs, clock: FakeClock, late_minutes: int
) -> None:
    held = await costs.reserve("ann", "reply", "cheap", 100, 0, expires_after=timedelta(minutes=5))
    clock.advance(timedelta(minutes=late_minutes))
    await costs.record("ann", "other", Usage(), model="cheap")  # what is forgotten is forgotten now
    assert await costs.settle(held, Usage(70, 0)) == 70
    if late_minutes < 60:
        assert await costs.settle(held, Usage(70, 0)) == 70
    for account in ("ann", None):
        assert (await costs.totals(account)).total.micro_usd == 70


async def test_a_settlement_that_failed_half_way_is_completed_by_repeating_it(
    records: RecordStore, costs: Costs, clock: FakeClock
) -> None:
    held = await costs.reserve("ann", "reply", "cheap", 100, 0)

    class HalfWay(Costs):
        async def _change(self, account: Any, change: Any) -> None:
            if account[0] != "ann":
                raise TimeoutError
            await super()._change(account, change)

    with pytest.raises(TimeoutError):
        await HalfWay(records, tenant="t", clock=clock, prices=TABLE.get).settle(held, Usage(9, 0))
    await costs.settle(held, Usage(9, 0))
    for account in ("ann", None):
        assert (await costs.totals(account)).total.micro_usd == 9


async def test_without_reported_tokens_what_was_reserved_counts(costs: Costs) -> None:
    held = await costs.reserve("ann", "reply", "cheap", 100, 50)
    assert await costs.settle(held, None) == 200
    over = await costs.reserve("ann", "reply", "cheap", 1, 1)
    assert await costs.settle(over, Usage(1000, 0)) == 1000
    assert (await costs.totals("ann")).total.micro_usd == 1200


async def test_caps_are_listed_replaced_and_removed(costs: Costs) -> None:
    await costs.set_cap("bob", 3)
    await costs.set_cap(None, "12.5", tokens=10**6, period="day")
    await costs.set_cap("ann", 1)
    await costs.set_cap("ann", "2", operation="reply")
    await costs.set_cap("ann", Decimal("1.5"))
    await costs.record("carl", "reply", Usage(1, 1), model="cheap")  # nobody's cap
    assert await costs.caps() == [
        Cap(user_id=None, period="day", micro_usd=12_500_000, tokens=10**6),
        Cap(user_id="ann", period="month", micro_usd=1_500_000),
        Cap(user_id="ann", period="month", micro_usd=2_000_000, operation="reply"),
        Cap(user_id="bob", period="month", micro_usd=3_000_000),
    ]
    assert await costs.remove_cap("ann")
    assert not await costs.remove_cap("ann")
    assert not await costs.remove_cap("ann", period="day", operation="reply")
    assert await costs.remove_cap(None, period="day")
    assert [cap.user_id for cap in await costs.caps()] == ["ann", "bob"]


async def test_a_ledger_stays_small_however_many_calls_are_counted(
    records: RecordStore, costs: Costs, clock: FakeClock
) -> None:
    for day in range(3):
        for _ in range(40):
            await costs.settle(await costs.reserve("ann", "reply", "cheap", 1, 1), Usage(1, 1))
        assert (await costs.totals("ann")).total.calls == 40 * (day + 1)
        clock.advance(timedelta(days=1))
    scope = Scope(internal_tenant("t"))
    kept = await records.list(scope, ("ann",), limit=1000)
    assert len(kept) <= 6
    versions = [
        len(await records.versions(scope, one.namespace, one.key, limit=1000)) for one in kept
    ]
    assert sum(versions) <= 70


async def test_tenants_and_odd_names_are_apart(records: RecordStore, clock: FakeClock) -> None:
    one = Costs(records, tenant="t", clock=clock, prices=TABLE.get)
    other = Costs(records, tenant="u", clock=clock, prices=TABLE.get)
    odd = ["daybook:everyone", "costs", "a/b", "*", "\u00fc\0"]
    for user in odd:
        await one.record(user, user, Usage(1, 0), model="cheap")
    assert (await one.totals()).total.calls == len(odd)
    for user in odd:
        assert list((await one.totals(user)).parts) == [user]
    assert (await other.totals()).total.calls == 0


WRONG: list[tuple[str, Any, str]] = [
    ("float", lambda c: c.set_cap("a", 0.5), "usd must be a Decimal"),
    ("text", lambda c: c.set_cap("a", "lots"), "must be a number"),
    ("NaN", lambda c: c.set_cap("a", "NaN"), "0 or more"),
    ("negative", lambda c: c.set_cap("a", -1), "0 or more"),
    ("fraction", lambda c: c.set_cap("a", "0.0000001"), "millionths"),
    ("nothing", lambda c: c.set_cap("a"), "usd, tokens or both"),
    ("tokens", lambda c: c.set_cap("a", tokens=True), "tokens must be an int"),
    ("period", lambda c: c.set_cap("a", 1, period="week"), "period must be"),
    ("user", lambda c: c.set_cap("", 1), "user_id must not be empty"),
    ("model", lambda c: c.record("a", "reply", Usage(1, 1)), "model must be given"),
    ("operation", lambda c: c.record("a", "", Usage(), model="m"), "operation must not be empty"),
    ("long", lambda c: c.record("a", "x" * 101, Usage(), model="m"), "more than 100 bytes"),
    ("count", lambda c: c.reserve("a", "reply", "cheap", -1, 0), "input_tokens must be"),
    ("expiry", lambda c: c.reserve("a", "r", "m", 1, 0, expires_after=timedelta(0)), "positive"),
    ("by", lambda c: c.totals(by="hour"), "by must be"),
    ("since", lambda c: c.totals(since="2026-01-01"), "since must be a date"),
    ("naive", lambda c: c.totals(until=datetime(2026, 1, 1)), "with a time zone"),  # noqa: DTZ001
]


@pytest.mark.parametrize(("call", "says"), [case[1:] for case in WRONG], ids=[c[0] for c in WRONG])
async def test_a_wrong_argument_is_a_typed_error(costs: Costs, call: Any, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        await call(costs)
    assert (await costs.totals()).total.calls == 0
    assert await costs.caps() == []
