"""``daybook stats``: how much there is, and how much of it is indexed."""

from __future__ import annotations

import click

from daybook.cli.command import daybook_command
from daybook.cli.settings import Settings
from daybook.cli.terminal import make_console, minute, print_json, printable
from daybook.cli.users import all_users

__all__ = ["command"]

_SHOWN = 20


@daybook_command(
    "stats",
    examples=["daybook stats --user alice"],
)
@click.option("--user", metavar="USER", help="Only this user's.")
async def command(settings: Settings, user: str | None) -> None:
    """Count conversations, messages and what is indexed."""
    async with settings.open_existing() as book:
        found = await book.sessions.stats(user_id=user)
        state = await book.recall.state(user_id=user)
        users = await all_users(book) if user is None else {user: found.session_count}
    if settings.as_json:
        print_json({"users": users, "stats": found, "index": state})
        return
    roles = ", ".join(f"{count:,} {role}" for role, count in found.messages_by_role.items())
    names = ", ".join(
        f"{printable(name, one_line=True)} ({count:,})"
        for name, count in list(users.items())[:_SHOWN]
    )
    more = f" and {len(users) - _SHOWN:,} more" if len(users) > _SHOWN else ""
    rows = {
        "users": f"{len(users):,}: {names}{more}" if users else "none",
        "sessions": f"{found.session_count:,}",
        "messages": f"{found.message_count:,} ({roles})" if roles else "0",
        "tokens": f"{found.token_count:,}, as counted at append",
        "used": f"{minute(found.first_at)} to {minute(found.last_at)} UTC",
        "indexed": f"{state.documents:,} messages; {state.pending_sessions:,} sessions wait",
    }
    console = make_console()
    for name, value in rows.items():
        console.print(f"{name:<10}{value}", soft_wrap=True)
