"""`book.costs`: what calls of language models cost, and caps that no call passes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, get_args

import msgspec

from daybook.errors import ConfigError, CostCapError, InvalidInputError
from daybook.facets.bounded_cell import BoundedCell, Stepped
from daybook.facets.cost_checks import (
    check_count,
    check_day,
    check_model,
    check_names,
    check_operation,
    check_usd,
)
from daybook.model.codec import encode_json
from daybook.model.cost import (
    Cap,
    CostTotal,
    CostTotals,
    Period,
    Prices,
    Reservation,
    cost_of,
    largest_cost,
)
from daybook.model.cost_account import (
    Account,
    DayRow,
    add_row,
    bring_to_day,
    hold,
    is_settled,
    release,
    with_cap,
    without_cap,
)
from daybook.model.identifiers import check_id
from daybook.model.memory_record import MemoryRecord, Namespace, NewRecord, Provenance
from daybook.model.message import Usage
from daybook.model.reply import Reply
from daybook.model.scope import Scope, internal_tenant
from daybook.protocols.clock import Clock, IdFactory, new_id
from daybook.protocols.record_store import RecordStore

if TYPE_CHECKING:
    from daybook.model_catalog import ModelFacts

__all__ = ["EXPIRES_AFTER", "Costs"]

By = Literal["operation", "model", "day"]

# The first label names an owner; nobody's user id collides, since the second label differs.
_EVERYONE: tuple[str, str] = ("daybook:everyone", "costs-of-everyone")
_PAGE = 100
_MOST_CELLS = 1024
EXPIRES_AFTER = timedelta(minutes=15)

_Caps = list[Cap]


def _known_prices(model: str) -> Prices | None:
    facts = _facts(model)
    return None if facts is None else facts.prices


def _facts(model: str) -> ModelFacts | None:
    from daybook.model_catalog import get_model  # noqa: PLC0415 - only who counts costs waits for it

    return get_model(model)


class Costs:
    """Counts costs by user, day, operation and model, and keeps them under caps.

    Each call is counted twice, for its user and for all users together. Sums of a day stand in one
    record, so the ledger grows by one record per active user and day, however many calls there are.
    """

    def __init__(
        self,
        records: RecordStore,
        *,
        tenant: str,
        clock: Clock,
        prices: Callable[[str], Prices | None] = _known_prices,
        id_factory: IdFactory = new_id,
    ) -> None:
        """Open the ledger of a tenant; nothing is read.

        Args:
            records: Where it is kept.
            tenant: Whose.
            clock: Decides days, months and when reservations end.
            prices: Prices of a model, None if they are not known; the model catalog's by default.
            id_factory: Names reservations.
        """
        self._records = records
        self._scope = Scope(internal_tenant(tenant))
        self._clock = clock
        self._prices = prices
        self._id_factory = id_factory
        self._cells: OrderedDict[Namespace, BoundedCell[Account]] = OrderedDict()

    async def record(
        self, user_id: str, operation: str, used: Reply | Usage, *, model: str | None = None
    ) -> int | None:
        """Count a call that was made without a reservation; no cap is asked.

        Args:
            user_id: For whom.
            operation: For what, for example ``reply``: one of a few dozen names at most.
            used: The reply, or the tokens alone. A reply whose provider reported no tokens counts
                as a call of unknown price.
            model: The model; may be left out with a reply.

        Returns:
            The cost in micro-dollars; None if the price is not known.

        Not retry-safe: counting again counts twice. `reserve` and `settle` are.
        """
        check_names(user_id, operation)
        if isinstance(used, Reply) and model is None:
            model = used.model
        row = self._row(operation, check_model(model), _usage_of(used))
        for account in _accounts(user_id):
            await self._change(account, lambda found: add_row(found, row))
        return None if row.total.unpriced_calls else row.total.micro_usd

    async def reserve(
        self,
        user_id: str,
        operation: str,
        model: str,
        input_tokens: int,
        max_output_tokens: int,
        *,
        expires_after: timedelta = EXPIRES_AFTER,
    ) -> Reservation:
        """Hold room for a call under every cap it counts against, before it is made.

        Args:
            user_id: For whom.
            operation: For what, for example ``reply``: one of a few dozen names at most.
            model: The model to be called.
            input_tokens: What the call sends at most, its tools included.
            max_output_tokens: What it may answer at most; give the model the same limit.
            expires_after: The room is free again after so long if nobody settles: more than any
                call takes.

        Raises:
            CostCapError: What is spent and held and this together could pass a cap. Nothing is
                held.
            ConfigError: Money is capped, and what the model costs is not known.

        Atomicity: however many tasks and processes reserve at once, what is spent and held never
        passes a cap, as long as calls keep to what they reserved.
        """
        check_names(user_id, operation)
        sent = check_count(input_tokens, "input_tokens")
        answered = check_count(max_output_tokens, "max_output_tokens")
        if expires_after <= timedelta(0):
            raise InvalidInputError("expires_after must be a positive timedelta")
        prices = self._prices(check_model(model))
        reservation = Reservation(
            id=self._id_factory(),
            user_id=user_id,
            operation=operation,
            model=model,
            input_tokens=sent,
            output_tokens=answered,
            micro_usd=None if prices is None else largest_cost(prices, sent, answered),
            expires_at=self._clock.now() + expires_after,
        )
        own, everyone = _accounts(user_id)
        await self._hold(own, reservation, user_id)
        try:
            await self._hold(everyone, reservation, None)
        except (ConfigError, CostCapError):
            await self._change(own, lambda found: release(found, reservation.id))
            raise
        return reservation

    async def settle(self, reservation: Reservation, used: Reply | Usage | None) -> int | None:
        """Count what a reserved call took, and free its room. Repeatable.

        Args:
            reservation: What `reserve` returned.
            used: The reply or its tokens; None if the provider reported none: then all that was
                reserved counts as spent.

        Returns:
            The cost in micro-dollars; None if the price is not known.

        A call that took more than it had reserved is counted in full. One that comes after its
        reservation ended is counted too.
        """
        usage = _usage_of(used)
        if usage is None:
            usage = Usage(reservation.input_tokens, reservation.output_tokens)
        row = self._row(reservation.operation, reservation.model, usage)

        def settled(account: Account) -> Account:
            if is_settled(account, reservation, self._clock.now()):
                return account
            return add_row(release(account, reservation.id), row)

        for account in _accounts(reservation.user_id):
            await self._change(account, settled)
        return None if row.total.unpriced_calls else row.total.micro_usd

    async def cancel(self, reservation: Reservation) -> None:
        """Free the room of a call that was not made. Repeatable."""
        for account in _accounts(reservation.user_id):
            await self._change(account, lambda found: release(found, reservation.id))

    async def totals(
        self,
        user_id: str | None = None,
        *,
        since: date | None = None,
        until: date | None = None,
        by: By = "operation",
    ) -> CostTotals:
        """Return what was spent, in all and by operation, model or day.

        Args:
            user_id: By whom; None for all users together.
            since: First day, of UTC; an aware datetime stands for its day. None for the beginning.
            until: Last day, included.
            by: What the parts are of.

        Consistency: the present day is as of one moment, earlier days do not change any more.
        Cost: reads one record per day.
        """
        if by not in get_args(By):
            raise InvalidInputError("by must be 'operation', 'model' or 'day'")
        first, last = check_day(since, "since"), check_day(until, "until")
        account = _EVERYONE if user_id is None else _account(user_id)
        parts = dict[str, CostTotal]()
        for day, rows in await self._days(account):
            if (first is None or day >= first) and (last is None or day <= last):
                for row in rows:
                    name = {"operation": row.operation, "model": row.model, "day": day}[by]
                    parts[name] = parts.get(name, CostTotal()) + row.total
        total = sum(parts.values(), CostTotal())
        return CostTotals(total, {name: parts[name] for name in sorted(parts)})

    async def set_cap(
        self,
        user_id: str | None,
        usd: Decimal | int | str | None = None,
        *,
        tokens: int | None = None,
        period: Period = "month",
        operation: str | None = None,
    ) -> Cap:
        """Set the most that may be spent, in place of the cap on the same period and operation.

        Args:
            user_id: By whom; None for all users together.
            usd: Dollars, as a Decimal, int or text such as ``"0.50"``; never a float.
            tokens: Tokens, input and output together; beside `usd` or in its place.
            period: In a ``day`` or a ``month``, both of UTC, or in ``total``. What was spent in it
                before counts.
            operation: On this operation alone; None for everything.

        Raises:
            InvalidInputError: An argument is wrong, or neither money nor tokens are given.
        """
        if period not in get_args(Period):
            raise InvalidInputError("period must be 'day', 'month' or 'total'")
        if operation is not None:
            check_operation(operation)
        if usd is None and tokens is None:
            raise InvalidInputError("give usd, tokens or both")
        cap = Cap(
            user_id=user_id,
            period=period,
            operation=operation,
            micro_usd=None if usd is None else check_usd(usd),
            tokens=None if tokens is None else check_count(tokens, "tokens"),
        )
        account = _EVERYONE if user_id is None else _account(user_id)
        await self._change(account, lambda found: with_cap(found, cap))
        return cap

    async def remove_cap(
        self, user_id: str | None, *, period: Period = "month", operation: str | None = None
    ) -> bool:
        """Remove a cap; tell whether it was there. Repeatable."""
        account = _EVERYONE if user_id is None else _account(user_id)

        def removed(found: Account) -> Stepped[Account]:
            kept = without_cap(found, period, operation)
            there = len(kept.caps) < len(found.caps)
            return Stepped(kept if there else found, there)

        return bool(await self._step(account, removed))

    async def caps(self) -> _Caps:
        """Return every cap, those on all users together first.

        Cost: looks through what is stored of all users; for administration.
        """
        found = list[Cap]()
        offset = 0
        while True:
            page = await self._records.list(
                self._scope,
                (),
                filter={"state.caps": {"$exists": True}},
                limit=_PAGE,
                offset=offset,
            )
            for record in page:
                found += msgspec.convert(record.value["state"]["caps"], list[Cap])
            if len(page) < _PAGE:
                break
            offset += _PAGE
        return sorted(found, key=lambda cap: (cap.user_id or "", cap.period, cap.operation or ""))

    async def _hold(
        self, account: tuple[str, str], reservation: Reservation, whose: str | None
    ) -> None:
        def held(found: Account) -> Account:
            return hold(found, reservation, whose, self._clock.now())

        await self._change(account, held)

    async def _change(self, account: tuple[str, str], change: Callable[[Account], Account]) -> None:
        await self._step(account, lambda found: Stepped(change(found)))

    async def _step(
        self, account: tuple[str, str], step: Callable[[Account], Stepped[Account]]
    ) -> Any:
        """Change an account as it is today; a day that is over goes into a record of its own."""

        def brought(found: Account | None) -> Stepped[Account]:
            today, ended = bring_to_day(found, self._clock.now())
            stepped = step(today)
            also = () if ended is None else (_day_record(account, ended),)
            return Stepped(stepped.value, stepped.result, also)

        return await self._cell(account).change(brought)

    def _cell(self, account: tuple[str, str]) -> BoundedCell[Account]:
        namespace = (*account, "now")
        cell = self._cells.get(namespace)
        if cell is None:
            cell = BoundedCell(self._records, self._scope, namespace, Account)
            cell = self._cells.setdefault(namespace, cell)
            while len(self._cells) > _MOST_CELLS:
                self._cells.popitem(last=False)
        return cell

    async def _days(self, account: tuple[str, str]) -> list[tuple[str, tuple[DayRow, ...]]]:
        """Return the sums of each day.

        The present day is read first: what ends meanwhile is left out of the records that follow.
        """
        now = await self._cell(account).read()
        if now is None:
            return []
        ended = list[MemoryRecord]()
        while True:
            page = await self._records.list(
                self._scope, (*account, "days"), limit=_PAGE, offset=len(ended)
            )
            ended += page
            if len(page) < _PAGE:
                break
        days = {
            one.key: msgspec.convert(one.value["rows"], tuple[DayRow, ...])
            for one in ended
            if one.key < now.day
        }
        return [*days.items(), (now.day, now.rows)]

    def _row(self, operation: str, model: str, usage: Usage | None) -> DayRow:
        """Return one call as a sum, under the model's name in the catalog."""
        facts = _facts(model)
        prices = self._prices(model)
        total = CostTotal(
            calls=1,
            input_tokens=usage.input_tokens if usage else 0,
            output_tokens=usage.output_tokens if usage else 0,
            cached_tokens=_detail(usage, "cached_tokens"),
            cache_write_tokens=_detail(usage, "cache_write_tokens"),
            micro_usd=cost_of(prices, usage) if prices and usage else 0,
            unpriced_calls=0 if prices and usage else 1,
        )
        return DayRow(operation, model if facts is None else facts.id, total)


def _account(user_id: str) -> tuple[str, str]:
    return check_id(user_id, "user_id"), "costs"


def _accounts(user_id: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return where a user's call counts: the user's own account first, it is the less busy one."""
    return _account(user_id), _EVERYONE


def _day_record(account: tuple[str, str], ended: Account) -> NewRecord:
    return NewRecord(
        namespace=(*account, "days"),
        key=ended.day,
        value=encode_json({"rows": msgspec.to_builtins(ended.rows)}),
        provenance=Provenance(source="costs"),
    )


def _usage_of(used: Reply | Usage | None) -> Usage | None:
    return used.message.usage if isinstance(used, Reply) else used


def _detail(usage: Usage | None, name: str) -> int:
    value = usage.details.get(name) if usage else None
    return value if type(value) is int and value > 0 else 0
