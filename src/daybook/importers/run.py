"""Imports a file into a daybook: batch by batch, so that it can be stopped and started again.

Ids are the same at every reading and appends are idempotent, so a second run adds only what the
first did not get to, and a third adds nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from daybook.importers.detect import detect
from daybook.importers.report import ImportProgress, ImportReport
from daybook.importers.source import Record
from daybook.importers.source_file import SourceFile
from daybook.importers.storing import ImportTarget, Storing

__all__ = ["import_file"]

_BATCH = 2000


async def import_file(
    book: ImportTarget,
    path: str | Path,
    *,
    user_id: str | None = None,
    on_progress: Callable[[ImportProgress], None] | None = None,
    batch_size: int = _BATCH,
) -> ImportReport:
    """Import every conversation of a file and return what was done.

    Args:
        book: An opened `AsyncDaybook`.
        path: JSON lines, a ChatGPT or Claude export, UI messages, a LoCoMo file, an SQLite file of
            LangGraph's threads, a file or an SQLite file of LangChain's histories, or a Daybook
            export.
        user_id: Owns everything in the file; None for the owners the file names (``me`` where it
            names none).
        on_progress: Called after each batch.
        batch_size: Messages read and committed at a time.

    Raises:
        UnknownFormatError: The file is in no known format.
        InvalidInputError: The file cannot be read.
        StoreError: The engine failed; what was reported as done is stored.

    Atomicity: each session's part of a batch is one append. A record that cannot be imported is
    reported and does not stop the rest.
    Ordering: the order of the file, within each session.
    Retry-safe: yes; run it again after an interruption.
    """
    started = time.perf_counter()
    file = await asyncio.to_thread(SourceFile, Path(path))
    form = await asyncio.to_thread(detect, file)
    storing = Storing(book, file.name)
    records = form.read(file, user_id)
    while batch := await asyncio.to_thread(_next_batch, records, batch_size):
        await storing.store(batch)
        if on_progress is not None:
            on_progress(ImportProgress(file.done, file.size, storing.stored_count))
    await storing.finish()
    return storing.report(format_name=form.name, elapsed_s=time.perf_counter() - started)


def _next_batch(records: Iterator[Record], size: int) -> list[Record]:
    """Return the next records; a list, for the reader may be waiting for the disk."""
    return list(islice(records, size))
