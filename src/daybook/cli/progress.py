"""Progress bars on standard error: on a terminal only, and never with --quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from daybook.cli.terminal import make_console

if TYPE_CHECKING:
    from rich.progress import Progress

    from daybook.cli.settings import Settings
    from daybook.client import AsyncDaybook
    from daybook.copying.report import CopyProgress
    from daybook.importers.report import ImportProgress

__all__ = ["Bars", "bars", "index_for"]

_LOOK_S = 0.2


class Steps(Protocol):
    """A bar's function."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        """Show how much is done."""
        ...


class Bars:
    """The bars of one command; without a terminal they are not drawn."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress

    def importing(self, name: str) -> ImportBar:
        """Return a bar for one file."""
        return ImportBar(self._progress, name)

    def copying(self) -> CopyBar:
        """Return a bar for a copy."""
        return CopyBar(self._progress)

    def steps(self, name: str) -> Steps:
        """Return a bar that is told how much is done, of how much, and what to say beside it."""
        progress = self._progress
        task = None if progress is None else progress.add_task(name, total=None, note="")

        def told(done: int, total: int, note: str = "") -> None:
            if progress is not None and task is not None:
                progress.update(task, completed=done, total=total, note=note)

        return told

    async def indexing(self, book: AsyncDaybook, user_id: str | None = None) -> None:
        """Index everything pending (of a user), and show how far that is."""
        if self._progress is None:
            await book.recall.flush(user_id=user_id)
            return
        pending = (await book.recall.state(user_id=user_id)).pending_sessions
        if not pending:
            return
        task = self._progress.add_task("indexing", total=pending, note="")
        work = asyncio.create_task(book.recall.flush(user_id=user_id))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=_LOOK_S)
                state = await book.recall.state(user_id=user_id)
                self._progress.update(
                    task,
                    completed=max(0, pending - state.pending_sessions),
                    note=f"{state.documents:,} messages",
                )
            await work
        finally:
            work.cancel()
        self._progress.update(task, completed=pending)


class ImportBar:
    """The bar of one file."""

    def __init__(self, progress: Progress | None, name: str) -> None:
        self._progress = progress
        self._task = None if progress is None else progress.add_task(name, total=None, note="")

    def __call__(self, state: ImportProgress) -> None:
        """Show how far the import is."""
        if self._progress is not None and self._task is not None:
            self._progress.update(
                self._task,
                completed=state.done,
                total=max(state.done, state.total),
                note=f"{state.messages:,} messages",
            )


class CopyBar:
    """The bar of a copy: sessions first, then records."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = (
            None if progress is None else progress.add_task("sessions", total=None, note="")
        )

    def __call__(self, state: CopyProgress) -> None:
        """Show how far the copy is."""
        if self._progress is not None and self._task is not None:
            self._progress.update(
                self._task,
                description=state.stage,
                completed=state.done,
                total=max(state.done, state.total),
                note=f"{state.messages:,} messages",
            )


@contextmanager
def bars(settings: Settings) -> Iterator[Bars]:
    """Draw bars while the block runs."""
    console = make_console(stderr=True)
    if settings.quiet or not console.is_terminal:
        yield Bars(None)
        return
    from rich.progress import (  # noqa: PLC0415 - slow to load
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress)


async def index_for(book: AsyncDaybook, user_id: str, settings: Settings) -> None:
    """Index everything pending of a user, with a bar."""
    with bars(settings) as drawn:
        await drawn.indexing(book, user_id)
