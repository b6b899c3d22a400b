"""``daybook sessions``: the conversations there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from daybook.cli.command import daybook_command
from daybook.cli.settings import Settings
from daybook.cli.terminal import make_console, print_json, printable, span_of_days
from daybook.client import AsyncDaybook
from daybook.model.session import Session

__all__ = ["command", "session_facts"]

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@daybook_command(
    "sessions",
    examples=["daybook sessions --user alice --limit 10"],
)
@click.option("--user", metavar="USER", help="Only this user's.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
async def command(settings: Settings, user: str | None, limit: int) -> None:
    """List conversations.

    The most recently used ones, those with the newest messages first.
    """
    async with settings.open_existing() as book:
        page = await book.sessions.list(user_id=user, limit=limit)
        facts = [await session_facts(book, session) for session in page.items]
    facts.sort(key=lambda one: (one["last_said_at"] or _EARLIEST, one["id"]), reverse=True)
    if settings.as_json:
        print_json({"sessions": facts, "more": page.cursor is not None})
        return
    _show(facts)
    if not facts:
        settings.note("no sessions yet: run `daybook import FILE` first")
    if page.cursor is not None:
        settings.note(f"the {limit} most recently used; --limit shows more")


async def session_facts(book: AsyncDaybook, session: Session) -> dict[str, Any]:
    """Return a session as JSON: the stable shape of ``sessions --json``."""
    newest = await book.history.list(session.id, limit=1, user_id=session.user_id)
    # The oldest message's number: what was cleared took its numbers along.
    oldest = session.last_seq - session.message_count + 1
    first = await book.history.list(session.id, before=oldest + 1, user_id=session.user_id)
    return {
        "id": session.id,
        "user_id": session.user_id,
        "title": session.title,
        "metadata": session.metadata,
        "messages": session.message_count,
        "tokens": session.token_count,
        "first_said_at": first[0].created_at if first else None,
        "last_said_at": newest[0].created_at if newest else None,
        "last_active_at": session.last_active_at,
        "expires_at": session.expires_at,
    }


def _show(facts: list[dict[str, Any]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - slow to load

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("SESSION", style="cyan", overflow="fold")
    table.add_column("USER", overflow="fold")
    table.add_column("SAID", style="green", no_wrap=True)
    table.add_column("MESSAGES", justify="right")
    table.add_column("TITLE")
    for one in facts:
        table.add_row(
            printable(one["id"], one_line=True),
            printable(one["user_id"], one_line=True),
            span_of_days(one["first_said_at"], one["last_said_at"]),
            f"{one['messages']:,}",
            printable(one["title"] or "", one_line=True),
        )
    if facts:
        make_console().print(table)
