"""``daybook copy``: everything from one engine to another."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import click
import msgspec

from daybook.cli.command import daybook_command
from daybook.cli.progress import bars
from daybook.cli.settings import Settings
from daybook.cli.terminal import print_json
from daybook.client import AsyncDaybook
from daybook.copying.report import CopyReport
from daybook.copying.run import copy_store
from daybook.errors import ConfigError, StoreError, UnsupportedError
from daybook.protocols.clock import SystemClock
from daybook.registry import open_engine

__all__ = ["command"]


@daybook_command(
    "copy",
    examples=[
        "daybook copy sqlite:///chat.db postgresql://db.internal/daybook",
        "daybook copy redis://localhost:6379/0 file:///backup",
    ],
    stopped="stopped: run the same command again to go on",
)
@click.argument("source", metavar="SRC_URL")
@click.argument("target", metavar="DST_URL")
async def command(settings: Settings, source: str, target: str) -> None:
    """Copy everything to another engine, and prove it.

    All tenants' sessions and records: ids, numbers, times, forks, grants and versions stay as they
    are, and everything is read back and compared by checksum. The source may be in use. Run it
    again after an interruption, or to bring the copy up to date: only what is new is written. What
    only the destination holds is left alone. The index is built anew at the destination.
    """
    if source == target:
        raise ConfigError("SRC_URL and DST_URL are the same: nothing to copy")
    clock = SystemClock()
    here = await open_engine(source, clock=clock)
    try:
        there = await open_engine(target, clock=clock)
        try:
            with bars(settings) as drawn:
                report = await copy_store(here, there, on_progress=drawn.copying())
        finally:
            await there.close()
    finally:
        await here.close()
    if report.written_records:
        await _index_records(target, report.tenants)
    if settings.as_json:
        print_json(msgspec.to_builtins(report))
    else:
        _show(settings, report)
    if report.problems:
        raise StoreError(
            f"{len(report.problems)} could not be copied; everything else was",
            engine=there.capabilities.engine,
            operation="copy",
        )


async def _index_records(target: str, tenants: Sequence[str]) -> None:
    """Index copied records; copied messages are indexed when the destination is opened."""
    for tenant in tenants:
        async with AsyncDaybook.open(target, tenant=tenant, background=False) as book:
            with suppress(UnsupportedError):  # it is indexed elsewhere: reindex there
                await book.records.reindex()


def _show(settings: Settings, report: CopyReport) -> None:
    def line(name: str, value: Any) -> None:
        click.echo(f"{name:<10} {value}")

    new = f"{report.written_messages:,} written"
    if report.shared_messages:
        new += f", {report.shared_messages:,} shared by forks"
    line("sessions", f"{report.sessions:,}")
    line("messages", f"{report.messages:,} ({new})")
    line("records", f"{report.records:,} ({report.written_records:,} written)")
    if report.removed_sessions:
        line("removed", f"{report.removed_sessions:,} sessions that ended meanwhile")
    line("checksum", f"{report.checksum} (the same on both sides)")
    settings.note(f"{report.elapsed_s:.1f} s, looked through {report.passes} times")
    for problem in report.problems:
        click.echo(f"! {problem}", err=True)
