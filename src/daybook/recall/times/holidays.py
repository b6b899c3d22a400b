"""When holidays fall that people date things by."""

from __future__ import annotations

from calendar import MONDAY, SUNDAY, THURSDAY
from collections.abc import Callable
from datetime import date, timedelta

__all__ = ["HOLIDAYS", "holiday"]

# From this golden number on the second of Gauss's exceptions holds.
_LATE_GOLDEN = 10


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _nth(month: int, weekday: int, number: int) -> Callable[[int], date]:
    """Return what finds the `number`th such weekday of a month; -1 for the last."""

    def found(year: int) -> date:
        if number > 0:
            first = date(year, month, 1)
            return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
        last = date(year, month + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.weekday() - weekday) % 7)

    return found


def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar (Gauss's rule with its two exceptions)."""
    golden, century = year % 19, year // 100
    moon = (15 + century - (8 * century + 13) // 25 - century // 4) % 30
    week = (4 + century - century // 4) % 7
    full = (19 * golden + moon) % 30
    sunday = (2 * (year % 4) + 4 * (year % 7) + 6 * full + week) % 7
    days = full + sunday
    if (full, sunday) == (29, 6) or ((full, sunday) == (28, 6) and golden > _LATE_GOLDEN):
        days -= 7
    return date(year, 3, 22) + timedelta(days=days)


# Name to its first day and how many days people mean by it; longer names before their beginnings.
_RULES: dict[str, tuple[Callable[[int], date], int]] = {
    "christmas eve": (_fixed(12, 24), 1),
    "christmas day": (_fixed(12, 25), 1),
    "christmas": (_fixed(12, 24), 3),
    "new year's eve": (_fixed(12, 31), 1),
    "new year's day": (_fixed(1, 1), 1),
    "new year's": (_fixed(1, 1), 1),
    "new year": (_fixed(1, 1), 1),
    "halloween": (_fixed(10, 31), 1),
    "valentine's day": (_fixed(2, 14), 1),
    "valentine's": (_fixed(2, 14), 1),
    "st patrick's day": (_fixed(3, 17), 1),
    "independence day": (_fixed(7, 4), 1),
    "fourth of july": (_fixed(7, 4), 1),
    "good friday": (lambda year: _easter(year) - timedelta(days=2), 1),
    "easter": (lambda year: _easter(year) - timedelta(days=2), 4),
    "mother's day": (_nth(5, SUNDAY, 2), 1),
    "father's day": (_nth(6, SUNDAY, 3), 1),
    "memorial day": (_nth(5, MONDAY, -1), 1),
    "labor day": (_nth(9, MONDAY, 1), 1),
    "thanksgiving": (_nth(11, THURSDAY, 4), 4),
    "black friday": (lambda year: _nth(11, THURSDAY, 4)(year) + timedelta(days=1), 1),
}

HOLIDAYS = tuple(_RULES)


def holiday(name: str, year: int) -> tuple[date, int]:
    """Return the first day of a holiday and how many days it has.

    Args:
        name: One of `HOLIDAYS`.
        year: Of the Gregorian calendar.
    """
    first, days = _RULES[name]
    return first(year), days
