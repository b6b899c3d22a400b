"""What all commands share: global options, running async code, and how they end.

A command is a function of `Settings` and its own arguments, async unless it talks to somebody who
types: that one leaves Ctrl-C as Python has it. It ends with 0 if it did its
work, 1 if it could not, 2 if it was called wrongly, 130 if it was stopped.
"""

from __future__ import annotations

import asyncio
import inspect
import traceback
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import click

from daybook.cli.settings import Settings
from daybook.cli.terminal import printable
from daybook.config import default_embedder, default_url
from daybook.errors import DaybookError

__all__ = ["daybook_command"]

_GLOBAL = ("url", "index", "embedder", "tenant", "as_json", "quiet", "debug")

Body = Callable[..., Coroutine[Any, Any, None] | None]


def daybook_command(
    name: str, *, examples: Sequence[str], stopped: str = "stopped"
) -> Callable[[Body], click.Command]:
    """Make a command of a function; click's own option decorators go below this one.

    Args:
        name: The command's name.
        examples: Lines that its help shows.
        stopped: What to say after Ctrl-C.
    """

    def decorate(body: Body) -> click.Command:
        def call(**arguments: Any) -> None:
            ctx = click.get_current_context()
            given = {name: arguments.pop(name) for name in _GLOBAL}
            settings = _settings(ctx.obj or {}, given)
            ctx.exit(_run(body, settings, arguments, stopped))

        # Options that the body's decorators collected, first; then the global ones.
        call.__doc__ = body.__doc__
        vars(call)["__click_params__"] = list(vars(body).get("__click_params__", ()))
        shown = "\n".join(f"  {line}" for line in examples)
        return click.command(
            name,
            context_settings={"help_option_names": ["-h", "--help"]},
            epilog=f"\b\nExample{'s' if len(examples) > 1 else ''}:\n{shown}",
        )(_with_global_options(call))

    return decorate


def _with_global_options(call: Any) -> Any:
    """Accept the global options after the command too; its help shows the two that matter."""
    options = [
        click.option("--url", metavar="URL", help="Where the daybook is."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--index", hidden=True),
        click.option("--embedder", hidden=True),
        click.option("--tenant", hidden=True),
        click.option("--quiet", "-q", is_flag=True, hidden=True),
        click.option("--debug", is_flag=True, hidden=True),
    ]
    for option in options:
        call = option(call)
    return call


def _settings(before: dict[str, Any], after: dict[str, Any]) -> Settings:
    defaults = Settings(url=default_url(), embedder=default_embedder())
    return defaults.overridden(**before).overridden(**after)


def _run(body: Body, settings: Settings, arguments: dict[str, Any], stopped: str) -> int:
    """Run a command to its end; return the exit code."""
    try:
        ending = body(settings, **arguments)
        if inspect.iscoroutine(ending):
            asyncio.run(ending)
    except KeyboardInterrupt:
        click.echo(stopped, err=True)
        return 130
    except ExceptionGroup as group:
        found = _first_of(group)
        if found is None or settings.debug:
            raise
        click.echo(f"daybook: {printable(str(found))}", err=True)
        return 1
    except DaybookError as exc:
        if settings.debug:
            traceback.print_exc()
        click.echo(f"daybook: {printable(str(exc))}", err=True)
        return 1
    return 0


def _first_of(error: Exception) -> DaybookError | None:
    """Return a Daybook error from work that ran side by side; None if something else failed."""
    if isinstance(error, ExceptionGroup):
        found = [_first_of(one) for one in error.exceptions]
        return None if None in found else found[0]
    return error if isinstance(error, DaybookError) else None
