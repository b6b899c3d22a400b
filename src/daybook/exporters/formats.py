"""The formats a session can be exported in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from daybook.errors import InvalidInputError
from daybook.exporters.html_export import export_html
from daybook.exporters.json_export import export_json
from daybook.exporters.markdown_export import export_markdown
from daybook.model.entry import HistoryEntry
from daybook.model.session import Session

__all__ = ["FORMATS", "export_session"]

_Writer = Callable[[Session, Iterable[HistoryEntry]], Iterator[str]]

FORMATS: dict[str, _Writer] = {
    "json": export_json,
    "markdown": export_markdown,
    "html": export_html,
}


def export_session(
    session: Session, entries: Iterable[HistoryEntry], format_: Any
) -> Iterator[str]:
    """Return a session in a format, piece by piece.

    Raises:
        InvalidInputError: The format is unknown.
    """
    if format_ not in FORMATS:
        raise InvalidInputError(f"format must be one of {', '.join(FORMATS)}")
    return FORMATS[format_](session, entries)
