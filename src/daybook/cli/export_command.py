"""``daybook export``: one conversation into a file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import click

from daybook.cli.command import daybook_command
from daybook.cli.found_session import found_session
from daybook.cli.settings import Settings
from daybook.cli.terminal import print_json
from daybook.errors import StoreError
from daybook.exporters.formats import FORMATS

__all__ = ["command"]

_BY_SUFFIX = {".md": "markdown", ".markdown": "markdown", ".html": "html", ".htm": "html"}


@daybook_command(
    "export",
    examples=["daybook export trip-planning -o trip.md"],
)
@click.argument("session")
@click.option("--format", "form", type=click.Choice(list(FORMATS)), help="[default: json]")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--user", metavar="USER", help="Only if it is this user's.")
async def command(
    settings: Settings, session: str, form: str | None, output: Path | None, user: str | None
) -> None:
    """Write a conversation as JSON, Markdown or HTML.

    JSON loses nothing: `daybook import` reads it back with the same ids, numbers and times.
    Without --output it goes to standard output. The format follows the file's name (.md, .html)
    unless it is given.
    """
    chosen = form or (_BY_SUFFIX.get(output.suffix, "json") if output else "json")
    async with settings.open_existing() as book:
        found = await found_session(book, session, user)
        entries = await book.history.entries(session, user_id=user, hidden=True)
    pieces = FORMATS[chosen](found, entries)
    if output is None:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    await asyncio.to_thread(_write, output, pieces)
    if settings.as_json:
        print_json({"session_id": session, "format": chosen, "file": str(output)})
    else:
        settings.note(f"{output}: {len(entries):,} messages")


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as handle:
            handle.writelines(pieces)
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise StoreError(
            f"{path} cannot be written: {exc.strerror}", engine="file", operation="export"
        ) from None
