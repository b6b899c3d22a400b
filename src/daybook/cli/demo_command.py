"""``daybook demo``: import a conversation, ask it questions, see what comes back and how fast."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import click

from daybook.cli.command import daybook_command
from daybook.cli.demo_view import show_tour, tour_facts
from daybook.cli.progress import bars
from daybook.cli.settings import Settings
from daybook.cli.terminal import print_json
from daybook.demo.tour import Tour, take_tour
from daybook.errors import InvalidInputError

__all__ = ["command"]


@daybook_command("demo", examples=["daybook demo", "daybook demo conversations.json --keep my.db"])
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE]")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="DB",
    help="Keep the daybook in this file, to go on with.",
)
@click.option("--max-tokens", default=600, show_default=True, type=click.IntRange(1))
async def command(
    settings: Settings, file: Path | None, keep: Path | None, max_tokens: int
) -> None:
    """Import a conversation and ask it questions.

    FILE is anything that `daybook import` takes; without it, a history that ships with Daybook:
    three people, sixteen sessions over ten months. Everything happens in a temporary SQLite file,
    unless --keep or --url names one.
    """
    with tempfile.TemporaryDirectory(prefix="daybook-demo-") as folder:
        place = (
            settings
            if settings.url_given and keep is None
            else replace(settings, url=_url(keep or Path(folder) / "demo.db"))
        )
        if keep is not None and not keep.parent.is_dir():
            raise InvalidInputError(f"the folder of {keep} does not exist: create it first")
        tour = await _tour(place, file, max_tokens)
    if settings.as_json:
        print_json(tour_facts(tour))
        return
    show_tour(tour)
    if keep is not None:
        settings.note(f'\nkept: daybook --url {_url(keep)} recall "…"')


async def _tour(settings: Settings, file: Path | None, max_tokens: int) -> Tour:
    name = file.name if file else "the bundled history"
    with bars(settings) as drawn:
        async with settings.open() as book:
            return await take_tour(
                book,
                file,
                max_tokens=max_tokens,
                on_progress=drawn.importing(name),
                index=drawn.indexing,
            )


def _url(path: Path) -> str:
    return f"sqlite:///{path}"
