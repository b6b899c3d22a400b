"""What the global options say, as one value that every command gets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from daybook.client import AsyncDaybook, Opening
from daybook.errors import NotFoundError
from daybook.model.scope import DEFAULT_TENANT
from daybook.registry import parse_url

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """The global options.

    Attributes:
        url: Where the daybook is.
        index: Where the index is, if not where the daybook is.
        embedder: Name of the embedder; ``none`` for words alone.
        tenant: Whose data.
        as_json: Print JSON instead of text for people.
        quiet: Print results only: no progress, no notes.
        debug: Show the whole traceback of an error.
        url_given: Whether the URL was named on the command line.
    """

    url: str = "sqlite:///daybook.db"
    index: str | None = None
    embedder: str = "static"
    tenant: str = DEFAULT_TENANT
    as_json: bool = False
    quiet: bool = False
    debug: bool = False
    url_given: bool = False

    def overridden(self, **given: Any) -> Settings:
        """Return these settings with those that were given on the command itself."""
        named = {name: value for name, value in given.items() if value}
        return replace(self, **named, url_given=self.url_given or "url" in named)

    def open(self, *, background: bool = False) -> Opening:
        """Open the daybook, or create it; a command indexes when it needs to, not beside."""
        return AsyncDaybook.open(
            self.url,
            index=self.index,
            embedder=None if self.embedder == "none" else self.embedder,
            tenant=self.tenant,
            background=background,
        )

    def open_existing(self) -> Opening:
        """Open a daybook that is there already.

        Raises:
            NotFoundError: There is no file yet: reading would only create an empty one.
        """
        path = self.path
        if path is not None and not path.exists():
            raise NotFoundError(
                f"there is no daybook at {path} yet: run `daybook import FILE`, or name another "
                "with --url or DAYBOOK_URL"
            )
        return self.open()

    @property
    def path(self) -> Path | None:
        """The file behind the URL, where it is one."""
        url = parse_url(self.url)
        return Path(url.location.removeprefix("/")) if url.scheme == "sqlite" else None

    def note(self, text: str) -> None:
        """Tell people something that is not the result; on standard error."""
        if not self.quiet:
            click.echo(text, err=True)
