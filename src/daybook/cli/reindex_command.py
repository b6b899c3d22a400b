"""``daybook reindex``: everything anew, by several processes, or the index to another place."""

from __future__ import annotations

import os

import click

from daybook.cli.command import daybook_command
from daybook.cli.progress import bars
from daybook.cli.reindex_crew import CrewReport, run_crew
from daybook.cli.reindex_view import ReindexView, say
from daybook.cli.reindex_worker import order_for
from daybook.cli.settings import Settings
from daybook.config import default_index
from daybook.errors import StoreError
from daybook.indexing.index_claim import place_of, take_index
from daybook.indexing.reindexer import Reindexer
from daybook.protocols.clock import SystemClock
from daybook.registry import open_engine

__all__ = ["command"]

_MOST_WORKERS = 64
_MOST_BY_DEFAULT = 8
# A process takes about a second to start: so much is done by one in that time.
_WORTH_A_CREW = 20_000
_WORTH_IF_SLOW = 1_000
_QUICK = ("static", "hash", "none")


@daybook_command(
    "reindex",
    examples=[
        "daybook reindex --url sqlite:///chat.db",
        "daybook reindex --url sqlite:///chat.db --embedder minilm --workers 4",
        "daybook reindex --url redis://localhost:6379/0 --index postgresql://localhost/daybook",
    ],
    stopped="stopped: run the same command again to go on",
)
@click.option(
    "--workers",
    type=click.IntRange(1, _MOST_WORKERS),
    metavar="N",
    help="Processes that share the work; left out, as many as there are CPUs and help.",
)
@click.option("--fresh", is_flag=True, help="Begin anew instead of going on with a run.")
async def command(settings: Settings, *, workers: int | None, fresh: bool) -> None:
    """Index everything anew, or move the index here.

    Searches find all the while what they found before. Stopped or killed, it goes on where it was
    when it is run again; run on several machines at once, it shares the work. Messages that come
    meanwhile are indexed too, and an embedder that was changed embeds everything anew.

    Mends an index that was lost. For an engine that has no index of its own it also moves the
    index to where --index says; programs that use another one are told so from then on.

    With --json, a line each second while it runs and one at the end.
    """
    await _move(settings)
    async with settings.open_existing().without_rebuilding() as book:
        work = book.reindexing
        if work is None:
            await book.recall.state()  # says why there is none
            return
        most = workers if work.several_processes else 1
        parts = {"sessions": work.turns(), "records": work.records()}
        # All are begun before one is done, and ended together: whoever goes on finds both.
        resumed = [await worker.begin(fresh=fresh) for worker in parts.values()]
        if resumed[0]:
            await _say_resumed(settings, parts)
        messages, records = [
            await _work(settings, kind, worker, most) for kind, worker in parts.items()
        ]
        for worker in reversed(parts.values()):
            await worker.end()
        await book.recall.flush()
    if settings.as_json:
        say("done", messages=messages, records=records)
    else:
        settings.note(f"{messages:,} messages and {records:,} records indexed")


async def _work(settings: Settings, kind: str, worker: Reindexer, workers: int | None) -> int:
    """Do all that is left of one kind; return how many messages or records.

    Raises:
        StoreError: Some could not be indexed.
    """
    before = await worker.progress()
    left = before.messages_total - before.messages_done
    count = (workers or _workers_for(settings, left)) if left else 1
    with bars(settings) as drawn:
        view = ReindexView(settings, kind, drawn.steps(kind))
        if count == 1:
            outcome = await worker.work(view)
            errors = () if outcome.error is None else (str(outcome.error),)
            report = CrewReport(outcome.weight, outcome.failed, errors)
        else:

            async def look() -> None:
                view(await worker.progress())

            order = order_for(settings, kind, worker.run.id)
            report = await run_crew(order, count, look, threads=max(1, _cpus() // count))
    if not await worker.is_done():
        _give_up(kind, report, (await worker.progress()).failed)
    for error in report.errors:  # others took over what these had
        settings.note(f"! {error}")
    return report.messages


async def _say_resumed(settings: Settings, parts: dict[str, Reindexer]) -> None:
    for kind, worker in parts.items():
        told = await worker.progress()
        if settings.as_json:
            say("resumed", kind=kind, done=told.done, total=told.total)
        elif told.total:
            settings.note(
                f"going on with a run: {told.done:,} of {told.total:,} {kind} are done already"
            )


def _give_up(kind: str, report: CrewReport, failed: int) -> None:
    what = f"{failed:,} {kind} could not be indexed" if failed else "the workers ended too early"
    reason = f" ({report.errors[0]})" if report.errors else ""
    raise StoreError(
        f"{what}{reason}; everything that was done stays done: run the same command again to go on",
        engine="daybook",
        operation="reindex",
    )


def _workers_for(settings: Settings, messages: int) -> int:
    """Return how many processes are worth it for so many messages."""
    quick = settings.embedder.partition(":")[0] in _QUICK
    if messages < (_WORTH_A_CREW if quick else _WORTH_IF_SLOW):
        return 1
    return min(_cpus(), _MOST_BY_DEFAULT)


def _cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


async def _move(settings: Settings) -> None:
    """Let the chosen index follow a store whose engine has none."""
    engine = await open_engine(settings.url, clock=SystemClock())
    try:
        if engine.index is None and engine.capabilities.several_processes:
            chosen = settings.index or default_index(settings.url)
            await take_index(engine.records, place_of(chosen))
    finally:
        await engine.close()
