"""Commands inside ``daybook chat``: lines that begin with a slash."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import click

from daybook.cli.chat_place import ChatPlace
from daybook.cli.context_command import show_budget
from daybook.cli.recall_command import show_hit
from daybook.cli.terminal import make_console, minute, printable
from daybook.errors import InvalidInputError, NotFoundError
from daybook.model.context import Context

__all__ = ["run"]

_HITS = 5
_LISTED = 20


class _Command(NamedTuple):
    do: Callable[[ChatPlace, str], None]
    usage: str
    summary: str


def run(place: ChatPlace, line: str) -> bool:
    """Do what a line asks for; tell whether the conversation goes on.

    Raises:
        DaybookError: It cannot be done.
    """
    name, _, rest = line[1:].partition(" ")
    if name in ("quit", "exit"):
        return False
    found = _COMMANDS.get(name)
    if found is None:
        raise InvalidInputError(f"there is no /{printable(name)}: /help lists what there is")
    found.do(place, rest.strip())
    return True


def _help(_: ChatPlace, __: str) -> None:
    for one in _COMMANDS.values():
        click.echo(f"  {one.usage:<14} {one.summary}")
    click.echo(f"  {'/quit':<14} end; so does Ctrl-D")


def _new(place: ChatPlace, title: str) -> None:
    session_id = place.begin(title or None)
    click.echo(f"new session {session_id}")


def _sessions(place: ChatPlace, _: str) -> None:
    for one in place.chat.list_sessions(place.user_id, limit=_LISTED):
        here = "*" if one.session_id == place.session_id else " "
        name = printable(f"{one.session_id}  {one.title or ''}", one_line=True)
        click.echo(f"{here} {minute(one.last_active)}  {one.message_count:>5,}  {name}")


def _open(place: ChatPlace, session_id: str) -> None:
    if not session_id or place.chat.info(session_id, user_id=place.user_id) is None:
        raise NotFoundError("there is no such session: /sessions lists those there are")
    place.session_id = session_id


def _recall(place: ChatPlace, text: str) -> None:
    hits = place.chat.book.recall.search(text, user_id=place.user_id, limit=_HITS, neighbours=0)
    console = make_console()
    for rank, hit in enumerate(hits, start=1):
        show_hit(console, rank, hit, text)
    if not hits:
        click.echo("nothing found")


def _context(place: ChatPlace, _: str) -> None:
    receipt = place.chat.book.context.explain(_here(place), user_id=place.user_id).receipt
    click.echo(receipt.strategy)
    show_budget(make_console(), Context((), receipt.tokens, receipt, ()))


def _pin(place: ChatPlace, number: str) -> None:
    place.chat.book.context.pin(_here(place), _seq(number), user_id=place.user_id)
    click.echo(f"#{_seq(number)} stays in every context")


def _fork(place: ChatPlace, number: str) -> None:
    fork = place.chat.fork(_here(place), at=_seq(number) if number else None, user_id=place.user_id)
    place.session_id = fork.id
    click.echo(f"new session {fork.id}, the same up to #{fork.last_seq}")


def _cost(place: ChatPlace, _: str) -> None:
    totals = place.chat.book.costs.totals(place.user_id, by="model")
    for name, part in {**totals.parts, "all": totals.total}.items():
        money = "unknown price" if part.usd is None else f"{part.usd:.6f} USD"
        tokens = f"{part.input_tokens:,} + {part.output_tokens:,} tokens"
        click.echo(f"  {printable(name)}: {part.calls:,} calls, {tokens}, {money}")


def _here(place: ChatPlace) -> str:
    if place.session_id is None:
        raise NotFoundError("nothing was said yet")
    return place.session_id


def _seq(number: str) -> int:
    number = number.removeprefix("#")
    if not number.isdecimal():
        raise InvalidInputError("give the number of a message, as shown below each answer")
    return int(number)


_COMMANDS = {
    "help": _Command(_help, "/help", "this list"),
    "new": _Command(_new, "/new [TITLE]", "begin a new session"),
    "sessions": _Command(_sessions, "/sessions", "list your sessions"),
    "open": _Command(_open, "/open SESSION", "go on with another session"),
    "recall": _Command(_recall, "/recall TEXT", "find what was said in any of your sessions"),
    "context": _Command(_context, "/context", "what the model was sent last, and what was not"),
    "pin": _Command(_pin, "/pin N", "keep message N in every context"),
    "fork": _Command(_fork, "/fork [N]", "go another way from message N on"),
    "cost": _Command(_cost, "/cost", "what your calls of models cost so far"),
}
