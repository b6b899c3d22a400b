"""``daybook context``: what to send to a model for the next turn of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from daybook.cli.command import daybook_command
from daybook.cli.found_session import found_session
from daybook.cli.progress import index_for
from daybook.cli.settings import Settings
from daybook.cli.show_command import show_message
from daybook.cli.terminal import make_console, print_json
from daybook.context.strategy import (
    ADAPTIVE,
    Buffer,
    Observations,
    StrategyLike,
    Summary,
    TokenWindow,
    Window,
)
from daybook.model.context import Context, SeqRange

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["command", "show_budget"]

_BAR = 40
_STYLES = {
    "system": "blue",
    "profile": "bright_blue",
    "early": "bright_green",
    "digest": "magenta",
    "verbatim": "green",
    "recalled": "yellow",
    "newest": "cyan",
}


@daybook_command(
    "context",
    examples=[
        'daybook context trip-planning --max-tokens 2000 --query "which flight?"',
        "daybook context trip-planning --strategy summary --explain",
    ],
)
@click.argument("session")
@click.option("--max-tokens", default=4000, show_default=True, type=click.IntRange(1))
@click.option("--query", metavar="TEXT", help="Recall what answers this from all sessions.")
@click.option("--user", metavar="USER", help="Only if the session is this user's.")
@click.option(
    "--strategy",
    metavar="NAME",
    default="tokens",
    show_default=True,
    help="tokens, window:N (turns), buffer, summary, observations or adaptive.",
)
@click.option("--explain", is_flag=True, help="Say in words what went in, and why.")
async def command(
    settings: Settings,
    session: str,
    max_tokens: int,
    query: str | None,
    user: str | None,
    strategy: str,
    *,
    explain: bool,
) -> None:
    """Build what to send to a model for the next turn.

    System messages, the newest turns that fit, what --query recalls as a marked block, and the
    newest turn; then what went in and what stayed out. No model is asked: a summary or observations
    are quotes.
    """
    chosen = _strategy(strategy)
    async with settings.open_existing() as book:
        if query is not None or strategy == "adaptive":
            owner = (await found_session(book, session, user)).user_id
            await index_for(book, owner, settings)
        context = await book.context.build(
            session, max_tokens=max_tokens, query=query, strategy=chosen, user_id=user
        )
        receipt_id = context.receipt.id
        told = await book.context.explain(session, receipt_id, user_id=user) if explain else None
    if settings.as_json:
        print_json(context)
        return
    console = make_console()
    for at, message in enumerate(context.messages, start=1):
        show_message(console, message, f"[{at}]")
    console.print()
    show_budget(console, context)
    for line in told.lines if told else ():
        console.print(f"  {line}", style="dim", soft_wrap=True, markup=False, highlight=False)


def _strategy(text: str) -> StrategyLike:
    """Return the strategy that a name stands for."""
    name, _, count = text.partition(":")
    if name == "window" and (count.isdecimal() or not count):
        return Window(turns=int(count)) if count else Window()
    named: dict[str, StrategyLike] = {
        "tokens": TokenWindow(),
        "buffer": Buffer(),
        "summary": Summary(extractive=True),
        "observations": Observations(extractive=True),
        "adaptive": ADAPTIVE,
    }
    if text not in named:
        raise click.UsageError(
            f"--strategy {text}: it is one of {', '.join(named)}, window or window:N"
        )
    return named[text]


def show_budget(console: Console, context: Context) -> None:
    """Print how the budget was spent, and what stayed out."""
    from rich.text import Text  # noqa: PLC0415 - slow to load

    receipt = context.receipt
    budget = receipt.max_tokens or max(1, receipt.tokens)
    bar, legend = Text(), Text("  ")
    for name, style in _STYLES.items():
        tokens = getattr(receipt.sections, name)
        if tokens:
            bar.append("█" * max(1, tokens * _BAR // budget), style=style)
            legend.append(f"{name} {tokens:,}  ", style=style)
    bar.append("░" * max(0, _BAR - len(bar)), style="dim")
    console.print(Text("  ") + bar + Text(f"  {receipt.tokens:,} of {budget:,} tokens"))
    console.print(legend, soft_wrap=True)
    hits = sum(one.matched for one in receipt.recalled)
    sessions = len({one.session_id for one in receipt.recalled})
    lines = [f"in: messages {_ranges(receipt.included)} word for word"]
    if receipt.recalled:
        lines[0] += (
            f", and {hits} recalled with {len(receipt.recalled) - hits} around them "
            f"from {sessions} session{'' if sessions == 1 else 's'}"
        )
    left = receipt.left_out
    lines.append(f"out: {left.count:,} messages of this session ({left.tokens:,} tokens)")
    if left.seqs:
        lines[1] += f": {_ranges(left.seqs)}"
    if receipt.left_out_recalled:
        lines[1] += f"; {receipt.left_out_recalled} recalled without room"
    for line in lines:
        console.print(Text(f"  {line}", style="dim"), soft_wrap=True)


def _ranges(ranges: tuple[SeqRange, ...]) -> str:
    shown = (f"{first}" if first == last else f"{first}-{last}" for first, last in ranges)
    return ", ".join(f"#{one}" for one in shown) or "none"
