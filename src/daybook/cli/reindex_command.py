"""``daybook reindex``: everything anew, or the index to another place."""

from __future__ import annotations

from daybook.cli.command import daybook_command
from daybook.cli.progress import bars
from daybook.cli.settings import Settings
from daybook.cli.terminal import print_json
from daybook.config import default_index
from daybook.indexing.index_claim import place_of, take_index
from daybook.protocols.clock import SystemClock
from daybook.registry import open_engine

__all__ = ["command"]


@daybook_command(
    "reindex",
    examples=[
        "daybook reindex --url sqlite:///chat.db",
        "daybook reindex --url redis://localhost:6379/0 --index postgresql://localhost/daybook",
    ],
    stopped="stopped: run the same command again",
)
async def command(settings: Settings) -> None:
    """Index everything anew, or move the index here.

    Mends an index that was lost. For an engine that has no index of its own it also moves the
    index to where --index says; programs that use another one are told so from then on.
    """
    await _move(settings)
    async with settings.open_existing() as book:
        with bars(settings) as drawn:
            messages = await book.recall.reindex(on_progress=drawn.steps("sessions"))
            records = await book.records.reindex()
    if settings.as_json:
        print_json({"messages": messages, "records": records})
    else:
        settings.note(f"{messages:,} messages and {records:,} records indexed")


async def _move(settings: Settings) -> None:
    """Let the chosen index follow a store whose engine has none."""
    engine = await open_engine(settings.url, clock=SystemClock())
    try:
        if engine.index is None and engine.capabilities.several_processes:
            chosen = settings.index or default_index(settings.url)
            await take_index(engine.records, place_of(chosen))
    finally:
        await engine.close()
