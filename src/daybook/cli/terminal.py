"""Printing: JSON, text for people, colour only on a terminal, nothing a terminal would obey."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["day", "make_console", "minute", "print_json", "printable", "span_of_days"]

_PIPED_WIDTH = 160
# Control characters could move the cursor or change the title; the others turn text around.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def make_console(*, stderr: bool = False) -> Console:
    """Return a console: colours on a terminal unless NO_COLOR is set, plain and wide in a pipe."""
    from rich.console import Console  # noqa: PLC0415 - slow to load

    stream = sys.stderr if stderr else sys.stdout
    is_terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=is_terminal,
        highlight=False,
        markup=False,
        emoji=False,
        width=None if is_terminal else _PIPED_WIDTH,
    )


def print_json(value: Any) -> None:
    """Print a value as indented JSON; times become ISO text, spans become seconds."""
    plain = msgspec.to_builtins(value, builtin_types=(datetime, timedelta))
    click.echo(json.dumps(plain, ensure_ascii=False, indent=2, default=_plain))


def printable(text: str, *, one_line: bool = False) -> str:
    """Return text that a terminal shows and does not obey."""
    cleaned = _CONTROLS.sub("\ufffd", text.replace("\r\n", "\n").replace("\t", "    "))
    # A lone surrogate cannot be written to any stream.
    cleaned = cleaned.encode("utf-8", "replace").decode()
    return " ".join(cleaned.split()) if one_line else cleaned


def minute(moment: datetime | None) -> str:
    """Return a moment for people, UTC, to the minute."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def day(moment: datetime | None) -> str:
    """Return the day of a moment for people, UTC."""
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d}"


def span_of_days(first: datetime | None, last: datetime | None) -> str:
    """Return two days, or one where they are the same."""
    start, end = day(first), day(last)
    return start if start == end or not end else f"{start} to {end}"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"{type(value).__name__} has no JSON form")
