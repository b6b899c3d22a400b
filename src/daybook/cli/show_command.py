"""``daybook show``: one conversation on the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from daybook.cli.command import daybook_command
from daybook.cli.found_session import found_session
from daybook.cli.sessions_command import session_facts
from daybook.cli.settings import Settings
from daybook.cli.terminal import make_console, minute, print_json, printable
from daybook.model.message import Message

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["command", "show_message"]

_STYLES = {"user": "bold cyan", "assistant": "bold magenta", "system": "dim", "tool": "yellow"}
_TOOL_TEXT = 500


@daybook_command(
    "show",
    examples=["daybook show trip-planning --limit 20"],
)
@click.argument("session")
@click.option("--user", metavar="USER", help="Only if it is this user's.")
@click.option("--limit", type=click.IntRange(1), help="Only the newest so many messages.")
async def command(settings: Settings, session: str, user: str | None, limit: int | None) -> None:
    """Print one conversation."""
    async with settings.open_existing() as book:
        found = await found_session(book, session, user)
        entries = await book.history.entries(session, limit=limit, user_id=user)
        facts = await session_facts(book, found)
    if settings.as_json:
        messages = [
            {"seq": one.seq, "tokens": one.tokens, "message": one.message} for one in entries
        ]
        print_json({"session": facts, "messages": messages})
        return
    console = make_console()
    title = printable(found.title or found.id, one_line=True)
    console.print(title, style="bold", soft_wrap=True)
    about = f"{printable(found.user_id)} · {found.message_count:,} messages · {found.id}"
    console.print(printable(about, one_line=True), style="dim", soft_wrap=True)
    for entry in entries:
        show_message(console, entry.message, f"#{entry.seq}")


def show_message(console: Console, message: Message, place: str) -> None:
    """Print a message: who, when, what, and the tools it calls."""
    from rich.padding import Padding  # noqa: PLC0415 - slow to load
    from rich.text import Text  # noqa: PLC0415

    head = Text("\n")
    head.append(printable(message.name or message.role, one_line=True), _STYLES[message.role])
    head.append(f"  {minute(message.created_at)}  {place}", style="dim")
    console.print(head, soft_wrap=True)
    text = printable(message.text)
    if message.role == "tool" and len(text) > _TOOL_TEXT:
        text = f"{text[:_TOOL_TEXT]} … ({len(text):,} characters)"
    if text and console.is_terminal:
        console.print(Padding(Text(text), (0, 0, 0, 2)))
    elif text:
        console.print("\n".join(f"  {line}" for line in text.split("\n")), soft_wrap=True)
    if isinstance(message.content, tuple):
        others = [part.type for part in message.content if part.type != "text"]
        if others:
            console.print(Text(f"  [{', '.join(map(printable, others))}]", style="dim"))
    for call in message.tool_calls:
        given = call.arguments
        shown = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        line = f"  → {call.name} {shown}"
        console.print(Text(printable(line, one_line=False), style="yellow"), soft_wrap=True)
