"""``daybook chat``: a conversation on the terminal, or a line at a time through a pipe."""

from __future__ import annotations

import click

from daybook.blocking import Daybook
from daybook.chat import DEFAULT_STRATEGY, ChatApplication
from daybook.cli.chat_place import ChatPlace
from daybook.cli.chat_talk import Talk
from daybook.cli.command import daybook_command
from daybook.cli.settings import Settings
from daybook.cli.users import all_users, choose_user
from daybook.config import default_model
from daybook.context.strategy import (
    ADAPTIVE,
    Buffer,
    Observations,
    Relevant,
    Strategy,
    TokenWindow,
    as_strategy,
)
from daybook.errors import NotFoundError

__all__ = ["command"]

STRATEGIES: dict[str, Strategy] = {
    "summary": DEFAULT_STRATEGY,
    "observations": Observations() + TokenWindow() + Relevant(),
    "adaptive": ADAPTIVE,
    "window": as_strategy(TokenWindow()),
    "whole": as_strategy(Buffer()),
}
# Whoever starts the command again after it was killed waits no longer than this.
_LEASE_S = 15.0
_FIRST_USER = "me"


@daybook_command(
    "chat",
    examples=[
        "daybook chat --model ollama:llama3.1",
        "daybook chat trip-planning --model openai:gpt-5-mini",
        'echo "what is my dog called?" | daybook chat',
    ],
)
@click.argument("session", required=False)
@click.option("--user", metavar="USER", help="Who talks; not needed where there is one user.")
@click.option("--model", metavar="NAME", help="What answers: PROVIDER:MODEL.  [DAYBOOK_MODEL]")
@click.option("--system", metavar="TEXT", help="The system prompt.")
@click.option(
    "--strategy",
    type=click.Choice(list(STRATEGIES)),
    help="What the model is sent of older messages.  [summary]",
)
@click.option("--max-tokens", type=click.IntRange(1), help="Most that is sent to the model.")
def command(
    settings: Settings,
    *,
    session: str | None,
    user: str | None,
    model: str | None,
    system: str | None,
    strategy: str | None,
    max_tokens: int | None,
) -> None:
    """Talk with a model that remembers.

    Goes on with SESSION, or begins a new one. Ctrl-C ends an answer, Ctrl-D the conversation;
    /help lists commands. Input from a pipe is taken line by line. Without a model it answers with
    what was said before.
    """
    name = model or default_model()
    with Daybook.open(
        settings.url,
        index=settings.index,
        embedder=None if settings.embedder == "none" else settings.embedder,
        tenant=settings.tenant,
        model=name,
    ) as book:
        user_id = _user(book, session, user)
        if name is None:
            settings.note(
                "no language model is configured: answers are what was said before; name a model "
                "with --model or DAYBOOK_MODEL"
            )
        with ChatApplication(
            book,
            system_prompt=system,
            strategy=None if strategy is None else STRATEGIES[strategy],
            max_tokens=max_tokens,
            lease_s=_LEASE_S,
        ) as chat:
            whole = Talk(settings, ChatPlace(chat, user_id, session)).run()
    if not whole:
        click.get_current_context().exit(1)


def _user(book: Daybook, session_id: str | None, named: str | None) -> str:
    """Return who talks.

    Raises:
        NotFoundError: The named session is not there (for this user).
        InvalidInputError: There are several users and none is named.
    """
    core, loop = book.parts()
    if session_id is not None:
        session = book.sessions.get(session_id, user_id=named)
        if session is None:
            raise NotFoundError(
                f"no session {session_id}: `daybook sessions` lists those there are"
            )
        return named or session.user_id
    if named is None and not loop.run(all_users(core)):
        return _FIRST_USER
    return loop.run(choose_user(core, named))
