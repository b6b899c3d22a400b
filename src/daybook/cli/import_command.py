"""``daybook import``: files into the daybook."""

from __future__ import annotations

from pathlib import Path

import click

from daybook.cli.command import daybook_command
from daybook.cli.progress import bars
from daybook.cli.settings import Settings
from daybook.cli.terminal import print_json, printable
from daybook.errors import InvalidInputError
from daybook.importers.langchain_histories import import_histories
from daybook.importers.report import ImportReport
from daybook.importers.run import import_file

__all__ = ["command"]

_SHOWN = 20
_USERS = 6


@daybook_command(
    "import",
    examples=[
        "daybook import conversations.json --user alice",
        "daybook import redis://localhost:6379/0",
    ],
    stopped="stopped; run the same command again to go on",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=str))
@click.option("--user", metavar="USER", help="Everything in the files is this user's.")
@click.option(
    "--table", metavar="NAME", help="Table, collection or key prefix of LangChain's histories."
)
@click.option("--no-index", is_flag=True, help="Do not index now; the first search will.")
async def command(
    settings: Settings,
    files: tuple[str, ...],
    user: str | None,
    table: str | None,
    no_index: bool,
) -> None:
    """Import conversation files; safe to repeat.

    Takes JSON lines of messages, a ChatGPT or Claude export (conversations.json or the ZIP), a
    LoCoMo file, an SQLite file of LangGraph's threads, a file or SQLite file of LangChain's
    histories, or what `daybook export` wrote; which one is told by the content. LangChain's
    histories on a server are named by a URL: redis://, postgresql://, mongodb:// or
    dynamodb://REGION/TABLE. Importing a file again adds only what is new. A record that cannot be
    imported is reported with its place, and the rest goes on.
    """
    reports: list[ImportReport] = []
    failed: list[str] = []
    with bars(settings) as drawn:
        async with settings.open() as book:
            for source in files:
                try:
                    if "://" in source or table is not None:
                        report = await import_histories(book, source, user_id=user, table=table)
                    else:
                        path = Path(source)
                        report = await import_file(
                            book, path, user_id=user, on_progress=drawn.importing(path.name)
                        )
                except InvalidInputError as exc:
                    failed.append(str(exc))
                    continue
                reports.append(report)
            if not no_index:
                await drawn.indexing(book)
    if settings.as_json:
        print_json({"files": reports, "failed": failed})
    else:
        for report in reports:
            _show(report, settings)
    if failed:
        raise InvalidInputError("; ".join(failed))


def _show(report: ImportReport, settings: Settings) -> None:
    """Print what happened to one file."""
    rate = (report.messages + report.duplicates) / max(report.elapsed_s, 1e-9)
    parts = [f"{_many(report.messages, 'message')} in {_many(report.sessions, 'session')}"]
    if report.duplicates:
        parts.append(f"{report.duplicates:,} were there already")
    if report.left_out:
        parts.append(f"{report.left_out:,} left out (abandoned branches, unwritable sessions)")
    if report.bad_count:
        parts.append(f"{_many(report.bad_count, 'bad record')} skipped")
    click.echo(f"{printable(report.file)} ({report.format}): {', '.join(parts)}")
    for bad in report.bad_records[:_SHOWN]:
        click.echo(f"  {printable(str(bad))}", err=True)
    if report.bad_count > _SHOWN:
        settings.note(f"  … and {report.bad_count - _SHOWN:,} more; --json lists up to 1,000")
    users = ", ".join(map(printable, report.users[:_USERS])) or "none"
    more = len(report.users) - _USERS
    users += f" and {more} more" if more > 0 else ""
    settings.note(f"  users: {users}; {rate:,.0f} messages/s")


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
