"""``daybook recall``: a question, and the messages that answer it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from daybook.cli import moments
from daybook.cli.command import daybook_command
from daybook.cli.progress import index_for
from daybook.cli.reasons_view import show_reasons
from daybook.cli.settings import Settings
from daybook.cli.snippets import highlighted, snippet
from daybook.cli.terminal import make_console, minute, print_json, printable
from daybook.cli.users import choose_user
from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.model.passage import Passage, Recollection

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["command", "hit_facts", "said_by", "show_hit"]

_HITS = 5
_QUOTED = 500


@daybook_command(
    "recall",
    examples=[
        'daybook recall "where did we want to go in spring?"',
        'daybook recall "auth bug" --user alice --since 2024-05 --explain',
        'daybook recall "what does she like to cook?" --max-tokens 800',
        'daybook recall "what did we decide?" --quote --max-tokens 300 | my-model',
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
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    help="Hits at most: 5, or with a token budget as many as fit.",
)
@click.option(
    "--neighbours",
    type=click.IntRange(0, 20),
    help="Messages before and after each hit to show with it: 0, or with a token budget the "
    "question that a short answer follows.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(min=1),
    metavar="N",
    help="Fill N tokens with the best evidence: whole messages, nothing twice.",
)
@click.option("--explain", is_flag=True, help="Say what speaks for each hit, and what against it.")
@click.option(
    "--quote",
    is_flag=True,
    help="Print the evidence as text for a prompt: dated passages of 500 tokens in all, or N.",
)
async def command(  # noqa: PLR0913 - one parameter for each option
    settings: Settings,
    *,
    query: str,
    user: str | None,
    session: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    limit: int | None,
    neighbours: int | None,
    max_tokens: int | None,
    explain: bool,
    quote: bool,
) -> None:
    """Find what was said, and show where.

    QUERY is a question or some words. Names of speakers and times in it count: "what did Mel say
    about the trip last month?". Works without a model, a key or a server.
    """
    if quote and (explain or neighbours is not None):
        raise click.UsageError("--quote prints text for a prompt: no --explain, no --neighbours")
    about: dict[str, Any] = {"session_id": list(session) or None, "since": since, "until": until}
    async with settings.open_existing() as book:
        user_id = await choose_user(book, user)
        await index_for(book, user_id, settings)
        if quote:
            found = await book.recall.passages(
                query, user_id=user_id, limit=limit, max_tokens=max_tokens or _QUOTED, **about
            )
            show_quotes(found, query, user_id, settings)
            return
        hits = await book.recall.search(
            query,
            user_id=user_id,
            limit=_HITS if limit is None and max_tokens is None else limit,
            neighbours=0 if neighbours is None and max_tokens is None else neighbours,
            max_tokens=max_tokens,
            explain=explain or settings.as_json,
            **about,
        )
    show_hits(hits, query, user_id, settings, explain=explain)
    if max_tokens is not None and hits:
        tokens = sum(hit.tokens for hit in hits)
        settings.note(f"{len(hits)} hits, {tokens:,} of {max_tokens:,} tokens")


def show_hits(
    hits: Sequence[Hit], query: str, user_id: str, settings: Settings, *, explain: bool
) -> None:
    """Print hits for people, or as JSON."""
    if settings.as_json:
        facts = [hit_facts(hit) for hit in hits]
        tokens = sum(hit.tokens for hit in hits)
        print_json({"query": query, "user_id": user_id, "tokens": tokens, "hits": facts})
        return
    console = make_console()
    for rank, hit in enumerate(hits, start=1):
        show_hit(console, rank, hit, query, explain=explain, among=hits)
    if not hits:
        settings.note(f"nothing found for {printable(user_id)}")


def show_quotes(found: Recollection, query: str, user_id: str, settings: Settings) -> None:
    """Print passages as text for a prompt, or as JSON."""
    if settings.as_json:
        facts = [passage_facts(passage) for passage in found.passages]
        head = {"query": query, "user_id": user_id, "tokens": found.tokens}
        left_out = {"left_out": found.left_out, "text": found.as_text(), "passages": facts}
        print_json(head | left_out)
        return
    if found.passages:
        click.echo(printable(found.as_text()))
    elif not found.left_out:
        settings.note(f"nothing found for {printable(user_id)}")
    room = f", {found.left_out} more found no room" if found.left_out else ""
    settings.note(f"{found.tokens:,} tokens{room}")


def passage_facts(passage: Passage) -> dict[str, Any]:
    """Return a passage as JSON: the stable shape of ``recall --quote --json``."""
    return {
        "session_id": passage.session_id,
        "score": round(passage.score, 6),
        "lines": [
            {
                "message_id": line.message.id,
                "seq": line.seq,
                "speaker": line.speaker,
                "said_at": line.said_at,
                "text": line.text,
                "matched": line.matched,
                "is_cut": line.is_cut,
                "said_again": list(line.said_again),
                "superseded_by": line.superseded_by,
            }
            for line in passage.lines
        ],
    }


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
        "tokens": hit.tokens,
        "superseded_by": hit.superseded_by,
        "why": {name: round(value, 6) for name, value in hit.why.items()},
        "reasons": [
            {
                "kind": reason.kind,
                "text": reason.text,
                "effect": round(reason.effect, 6),
                "words": list(reason.words),
            }
            for reason in hit.reasons
        ],
    }


def show_hit(
    console: Console,
    rank: int,
    hit: Hit,
    query: str,
    *,
    explain: bool = False,
    around: bool = True,
    among: Sequence[Hit] = (),
) -> None:
    """Print a hit: who, when, where, and what, with its neighbours around it.

    Args:
        console: Where to.
        rank: Its place, from 1.
        hit: The hit.
        query: What was asked: its words are set off.
        explain: Its reasons too; it was found with ``explain``.
        around: Its neighbours too.
        among: All hits, to say which of them is newer where this one does not hold any more.
    """
    from rich.text import Text  # noqa: PLC0415 - slow to load

    head = Text()
    head.append(f"{rank:>3}  ", style="dim")
    head.append(printable(hit.speaker, one_line=True), style="bold cyan")
    head.append(f"  {minute(hit.said_at)}", style="green")
    head.append(f"  {printable(hit.session_id, one_line=True)} #{hit.seq}", style="dim")
    head.append(f"  {hit.score:.2f}", style="dim")
    if hit.superseded_by is not None:
        head.append(f"  {_superseded(hit, among)}", style="yellow")
    console.print(head, soft_wrap=True)
    for message in hit.messages if around else (hit.message,):
        own = message.id == hit.message.id
        speaker = "" if own else f"{message.name or message.role}: "
        line = highlighted(printable(speaker) + snippet(said_by(message), query), query)
        if not own:
            line = Text(line.plain, style="dim")
        console.print(Text("     ") + line, soft_wrap=True)
    if explain:
        show_reasons(console, hit)


def _superseded(hit: Hit, among: Sequence[Hit]) -> str:
    places = (at for at, one in enumerate(among, 1) if one.message.id == hit.superseded_by)
    place = next(places, None)
    return "no longer so" + ("" if place is None else f": see {place}")


def said_by(message: Message) -> str:
    """Return what a message says; for one without text, the tools it calls."""
    if message.text.strip():
        return message.text
    return " ".join(f"→ {call.name} {_short(call.arguments)}" for call in message.tool_calls)


def _short(arguments: dict[str, Any] | str) -> str:
    if isinstance(arguments, str):
        return arguments
    return ", ".join(f"{name}: {value}" for name, value in arguments.items())
