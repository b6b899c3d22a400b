"""One account of the cost ledger: what is spent, held and allowed, as a value and its changes.

An account belongs to a user, or to all users together. It holds the sums of the present day by
operation and model, of earlier days by operation alone, the room held for calls under way, and the
caps. Everything that a cap is compared with stands in this one value, so that a store which
replaces a value only if it is still the one that was read cannot let two calls pass one cap.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from daybook.errors import ConfigError, CostCapError
from daybook.model.cost import Cap, CostTotal, Reservation

__all__ = [
    "Account",
    "DayRow",
    "add_row",
    "bring_to_day",
    "hold",
    "is_settled",
    "release",
    "with_cap",
    "without_cap",
]

# A reservation is remembered so long after its end: a settlement that comes late, or again because
# the reply to the first was lost, is told from one that was never counted.
_REMEMBERED_S = 3600


class DayRow(Struct, frozen=True, array_like=True):
    """What one operation took of one model in a day."""

    operation: str
    model: str
    total: CostTotal


class _Spent(Struct, frozen=True, array_like=True):
    micro_usd: int = 0
    tokens: int = 0


class _Held(Struct, frozen=True, array_like=True):
    """Room for a call; `ends_at` is in seconds since 1970."""

    operation: str
    micro_usd: int
    tokens: int
    ends_at: int


class Account(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The state of an account.

    Attributes:
        day: The day that `rows` are of, UTC, ``YYYY-MM-DD``.
        rows: The present day's sums.
        month: By operation, the earlier days of the same month.
        past: By operation, all earlier days.
        held: By reservation, the room for calls under way.
        caps: What may be spent.
    """

    day: str
    rows: tuple[DayRow, ...] = ()
    month: dict[str, _Spent] = {}
    past: dict[str, _Spent] = {}
    held: dict[str, _Held] = {}
    caps: tuple[Cap, ...] = ()


def bring_to_day(account: Account | None, now: datetime) -> tuple[Account, Account | None]:
    """Return an account as it is now, and as it was at the end of its last day, if that is over.

    A clock that is behind does not bring a day back: its calls count in the account's own day.
    """
    today = now.date().isoformat()
    if account is None:
        return Account(day=today), None
    forgotten = int(now.timestamp()) - _REMEMBERED_S
    held = {name: one for name, one in account.held.items() if one.ends_at > forgotten}
    if len(held) < len(account.held):
        account = replace(account, held=held)
    if today <= account.day:
        return account, None
    ended = _by_operation(account.rows)
    same_month = today[:7] == account.day[:7]
    fresh = replace(
        account,
        day=today,
        rows=(),
        month=_sums(account.month, ended) if same_month else {},
        past=_sums(account.past, ended),
    )
    return fresh, account


def hold(account: Account, asked: Reservation, whose: str | None, now: datetime) -> Account:
    """Return an account with room held for a call.

    Args:
        account: As of now: `bring_to_day`.
        asked: What the call may take; holding the same one again changes nothing.
        whose: The account's user, None for that of all users.
        now: The present moment.

    Raises:
        CostCapError: What is spent and held and this together could pass a cap.
        ConfigError: Money is capped, and what the model costs is not known.
    """
    if asked.id in account.held:
        return account
    for cap in account.caps:
        if cap.operation in (None, asked.operation):
            _check(account, cap, asked, whose, int(now.timestamp()))
    one = _Held(
        asked.operation, asked.micro_usd or 0, asked.tokens, int(asked.expires_at.timestamp())
    )
    return replace(account, held={**account.held, asked.id: one})


def release(account: Account, reservation_id: str) -> Account:
    """Return an account without the room of a reservation."""
    held = {name: one for name, one in account.held.items() if name != reservation_id}
    return replace(account, held=held) if len(held) < len(account.held) else account


def is_settled(account: Account, reservation: Reservation, now: datetime) -> bool:
    """Tell whether a reservation was settled or cancelled here before.

    One that is so old that it would be forgotten was not: it is better counted twice than never.
    """
    forgotten = int(now.timestamp()) - _REMEMBERED_S
    remembered = int(reservation.expires_at.timestamp()) > forgotten
    return remembered and reservation.id not in account.held


def add_row(account: Account, row: DayRow) -> Account:
    """Return an account with a sum added to its day."""
    key = (row.operation, row.model)
    rows = {(one.operation, one.model): one for one in account.rows}
    before = rows.get(key)
    total = row.total if before is None else before.total + row.total
    rows[key] = DayRow(*key, total)
    return replace(account, rows=tuple(rows.values()))


def with_cap(account: Account, cap: Cap) -> Account:
    """Return an account with a cap, in place of one on the same operation and period."""
    kept = without_cap(account, cap.period, cap.operation).caps
    return replace(account, caps=(*kept, cap))


def without_cap(account: Account, period: str, operation: str | None) -> Account:
    """Return an account without the cap on an operation and period."""
    kept = tuple(cap for cap in account.caps if (cap.period, cap.operation) != (period, operation))
    return replace(account, caps=kept)


def _check(account: Account, cap: Cap, asked: Reservation, whose: str | None, now_s: int) -> None:
    spent = _spent(account, cap, now_s)
    facts: dict[str, Any] = {
        "user_id": whose,
        "operation": cap.operation,
        "period": cap.period,
    }
    if cap.micro_usd is not None:
        if asked.micro_usd is None:
            raise ConfigError(
                f"costs are capped and the price of model {asked.model} is not known: register it "
                "with register_model(ModelFacts(…, prices=Prices(…))) or in the file that "
                "DAYBOOK_MODELS names, or cap tokens instead of money"
            )
        if spent.micro_usd + asked.micro_usd > cap.micro_usd:
            raise CostCapError(
                cap=cap.micro_usd, spent=spent.micro_usd, needed=asked.micro_usd, **facts
            )
    if cap.tokens is not None and spent.tokens + asked.tokens > cap.tokens:
        raise CostCapError(
            cap=cap.tokens, spent=spent.tokens, needed=asked.tokens, unit="tokens", **facts
        )


def _spent(account: Account, cap: Cap, now_s: int) -> _Spent:
    """Return what counts against a cap: spent in its period, or held for calls under way."""
    before = {"day": {}, "month": account.month, "total": account.past}[cap.period]
    counted = _sums(before, _by_operation(account.rows))
    held = (
        (one.operation, _Spent(one.micro_usd, one.tokens))
        for one in account.held.values()
        if one.ends_at > now_s
    )
    counted = _added(counted, held)
    if cap.operation is not None:
        return counted.get(cap.operation, _Spent())
    return _Spent(
        sum(one.micro_usd for one in counted.values()), sum(one.tokens for one in counted.values())
    )


def _by_operation(rows: Iterable[DayRow]) -> dict[str, _Spent]:
    return _added(
        {}, ((row.operation, _Spent(row.total.micro_usd, row.total.tokens)) for row in rows)
    )


def _sums(first: dict[str, _Spent], second: dict[str, _Spent]) -> dict[str, _Spent]:
    return _added(first, second.items())


def _added(sums: dict[str, _Spent], more: Iterable[tuple[str, _Spent]]) -> dict[str, _Spent]:
    result = dict(sums)
    for operation, one in more:
        before = result.get(operation, _Spent())
        result[operation] = _Spent(before.micro_usd + one.micro_usd, before.tokens + one.tokens)
    return result
