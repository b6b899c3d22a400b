"""``daybook recall``: a question, and the messages that answer it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from daybook.cli import moments
from daybook.cli.command import daybook_command
from daybook.cli.progress import index_for
from daybook.cli.settings import Settings
from daybook.cli.snippets import highlighted, snippet
from daybook.cli.terminal import make_console, minute, print_json, printable
from daybook.cli.users import choose_user
from daybook.model.hit import Hit
from daybook.model.message import Message

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["command", "hit_facts", "said_by", "show_hit"]

_REASONS = 5


@daybook_command(
    "recall",
    examples=[
        'daybook recall "where did we want to go in spring?"',
        'daybook recall "auth bug" --user alice --since 2024-05 --explain',
    ],
)
@click.argument("query")
@click.option("--user", metavar="USER", help="Whose memory; not needed where there is one user.")
@click.option("--session", multiple=True, metavar="ID", help="Only this session; repeatable.")
@click.option(
    "--since",
    metavar="TIME",
    callback=moments.since,
    help="Said at or after: 2024-05, 2024-05-31, 30d.",
)
@click.option(
    "--until", metavar="TIME", callback=moments.until, help="Said up to, the named day included."
)
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 1000))
@click.option(
    "--neighbours",
    default=0,
    show_default=True,
    type=click.IntRange(0, 20),
    help="Messages before and after each hit to show with it.",
)
@click.option("--explain", is_flag=True, help="Show what made each score.")
async def command(  # noqa: PLR0913 - one parameter for each option
    settings: Settings,
    *,
    query: str,
    user: str | None,
    session: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    limit: int,
    neighbours: int,
    explain: bool,
) -> None:
    """Find what was said, and show where."""
    async with settings.open_existing() as book:
        user_id = await choose_user(book, user)
        await index_for(book, user_id, settings)
        hits = await book.recall.search(
            query,
            user_id=user_id,
            session_id=list(session) or None,
            since=since,
            until=until,
            limit=limit,
            neighbours=neighbours,
        )
    if settings.as_json:
        print_json({"query": query, "user_id": user_id, "hits": [hit_facts(hit) for hit in hits]})
        return
    console = make_console()
    for rank, hit in enumerate(hits, start=1):
        show_hit(console, rank, hit, query, explain=explain)
    if not hits:
        settings.note(f"nothing found for {printable(user_id)}")


def hit_facts(hit: Hit) -> dict[str, Any]:
    """Return a hit as JSON: the stable shape of ``recall --json``."""
    return {
        "session_id": hit.session_id,
        "seq": hit.seq,
        "message_id": hit.message.id,
        "speaker": hit.speaker,
        "role": hit.message.role,
        "said_at": hit.said_at,
        "score": round(hit.score, 6),
        "text": hit.message.text,
        "messages": [
            {"id": one.id, "role": one.role, "name": one.name, "text": one.text}
            for one in hit.messages
        ],
        "why": {name: round(value, 6) for name, value in hit.why.items()},
    }


def show_hit(
    console: Console,
    rank: int,
    hit: Hit,
    query: str,
    *,
    explain: bool = False,
    around: bool = True,
) -> None:
    """Print a hit: who, when, where, and what, with its neighbours around it."""
    from rich.text import Text  # noqa: PLC0415 - slow to load

    head = Text()
    head.append(f"{rank:>3}  ", style="dim")
    head.append(printable(hit.speaker, one_line=True), style="bold cyan")
    head.append(f"  {minute(hit.said_at)}", style="green")
    head.append(f"  {printable(hit.session_id, one_line=True)} #{hit.seq}", style="dim")
    head.append(f"  {hit.score:.2f}", style="dim")
    console.print(head, soft_wrap=True)
    for message in hit.messages if around else (hit.message,):
        own = message.id == hit.message.id
        speaker = "" if own else f"{message.name or message.role}: "
        line = highlighted(printable(speaker) + snippet(said_by(message), query), query)
        if not own:
            line = Text(line.plain, style="dim")
        console.print(Text("     ") + line, soft_wrap=True)
    if explain:
        why = "  ".join(f"{name} {value:+.2f}" for name, value in list(hit.why.items())[:_REASONS])
        console.print(Text(f"     why: {why}", style="dim"), soft_wrap=True)


def said_by(message: Message) -> str:
    """Return what a message says; for one without text, the tools it calls."""
    if message.text.strip():
        return message.text
    return " ".join(f"→ {call.name} {_short(call.arguments)}" for call in message.tool_calls)


def _short(arguments: dict[str, Any] | str) -> str:
    if isinstance(arguments, str):
        return arguments
    return ", ".join(f"{name}: {value}" for name, value in arguments.items())
