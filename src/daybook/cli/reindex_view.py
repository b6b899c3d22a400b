"""What ``daybook reindex`` shows meanwhile: a bar on a terminal, or lines of JSON."""

from __future__ import annotations

import json
import time

import click

from daybook.cli.progress import Steps
from daybook.cli.settings import Settings
from daybook.model.reindex_progress import ReindexProgress

__all__ = ["ReindexView", "say"]

_EVERY_S = 1.0
_MINUTE_S = 60


class ReindexView:
    """Shows how far one kind of run is, how fast it goes, and how long it still takes."""

    def __init__(self, settings: Settings, kind: str, bar: Steps) -> None:
        self._settings = settings
        self._kind = kind
        self._bar = bar
        self._began: tuple[float, int] | None = None
        self._said = float("-inf")
        self._ended = False

    def __call__(self, progress: ReindexProgress) -> None:
        """Show it; as JSON once a second, and the end."""
        now = time.monotonic()
        if self._began is None:
            self._began = (now, progress.messages_done)
        since, before = self._began
        rate = (progress.messages_done - before) / max(now - since, 1e-3)
        left = progress.messages_total - progress.messages_done
        left_s = left / rate if rate > 0 else None
        self._bar(
            progress.messages_done, progress.messages_total, self._note(progress, rate, left_s)
        )
        is_end = progress.done == progress.total
        if self._settings.as_json and (
            now - self._said >= _EVERY_S or (is_end and not self._ended)
        ):
            self._said, self._ended = now, is_end
            say(
                "progress",
                kind=self._kind,
                done=progress.done,
                total=progress.total,
                messages_done=progress.messages_done,
                messages_total=progress.messages_total,
                failed=progress.failed,
                workers=len(progress.holders),
                per_second=round(rate, 1),
                seconds_left=None if left_s is None else round(left_s, 1),
            )

    def _note(self, progress: ReindexProgress, rate: float, left_s: float | None) -> str:
        parts = [f"{progress.done:,} of {progress.total:,} {self._kind}", f"{rate:,.0f}/s"]
        if left_s is not None:
            minutes = left_s / _MINUTE_S
            parts.append(f"{minutes:.0f} min left" if minutes >= 1 else f"{left_s:.0f} s left")
        if progress.failed:
            parts.append(f"{progress.failed:,} failed")
        return ", ".join(parts)


def say(event: str, **facts: object) -> None:
    """Print an event as one line of JSON, at once."""
    click.echo(json.dumps({"event": event, **facts}))
