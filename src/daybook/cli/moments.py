"""``--since`` and ``--until``: days, months, years, moments, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from daybook.protocols.clock import SystemClock

__all__ = ["since", "until"]

_AGO = re.compile(r"(\d{1,5})([hdwmy])")
_AGO_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.44, "y": 365.25}
_DECEMBER = 12
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")


def since(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """Read an option's moment; a day, month or year means its start."""
    return _read(value, end=False)


def until(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """Read an option's moment; a day, month or year means its end."""
    return _read(value, end=True)


def _read(value: str | None, *, end: bool) -> datetime | None:
    if value is None:
        return None
    try:
        return _parse(value.strip().lower(), end=end)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{value!r} is not a time: write 2024, 2024-05, 2024-05-31, 2024-05-31T10:00 or 30d "
            "(30 days ago; also h, w, m, y)"
        ) from None


def _parse(text: str, *, end: bool) -> datetime:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return SystemClock().now() - timedelta(days=int(ago[1]) * _AGO_DAYS[ago[2]])
    date = _DATE.fullmatch(text)
    if date is not None:
        year, month, day = (int(part) if part else None for part in date.groups())
        return _edge(year or 0, month, day, end=end)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _edge(year: int, month: int | None, day: int | None, *, end: bool) -> datetime:
    start = datetime(year, month or 1, day or 1, tzinfo=UTC)
    if not end:
        return start
    if day is not None:
        return start + timedelta(days=1)
    if month is None or month == _DECEMBER:
        return datetime(year + 1, 1, 1, tzinfo=UTC)
    return datetime(year, month + 1, 1, tzinfo=UTC)
