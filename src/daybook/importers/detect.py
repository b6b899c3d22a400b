"""Which format a file has, told by what is in it; its name does not matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from msgspec import Struct

from daybook.errors import InvalidInputError
from daybook.importers.ag_ui import looks_like_ag_ui, read_ag_ui
from daybook.importers.chatgpt import looks_like_chatgpt, read_chatgpt
from daybook.importers.claude import looks_like_claude, read_claude
from daybook.importers.daybook_json import looks_like_export, read_export
from daybook.importers.jsonl import looks_like_line, read_json_list, read_jsonl
from daybook.importers.langchain_histories import read_history_file, read_history_table
from daybook.importers.langchain_rows import looks_like_stored
from daybook.importers.langchain_sql import holds_messages
from daybook.importers.langgraph_threads import read_saved_threads
from daybook.importers.locomo import looks_like_locomo, read_locomo
from daybook.importers.source import Record
from daybook.importers.source_file import Broken, Element, SourceFile
from daybook.importers.vercel_ai import looks_like_vercel_ai, read_vercel_ai

__all__ = ["FORMATS", "SourceFormat", "UnknownFormatError", "detect"]

_LOOKED_AT = 100  # lines or elements: enough to pass over a few broken ones


class SourceFormat(Struct, frozen=True):
    """A kind of file that can be imported.

    Attributes:
        name: Its short name, for reports.
        title: What it is, for people.
        read: Yields the records of a file, given the user who shall own them or None.
    """

    name: str
    title: str
    read: Callable[[SourceFile, str | None], Iterator[Record]]


class UnknownFormatError(InvalidInputError):
    """A file is none of the formats that can be imported."""


_JSONL = SourceFormat("jsonl", "JSON lines: a message or a conversation on each line", read_jsonl)
_JSON_LIST = SourceFormat("json", "a JSON list of messages or conversations", read_json_list)
_DOCUMENTS: tuple[tuple[Callable[[Any], bool], SourceFormat], ...] = (
    (looks_like_export, SourceFormat("daybook", "a Daybook JSON export", read_export)),
    (
        looks_like_chatgpt,
        SourceFormat("chatgpt", "a ChatGPT export (conversations.json or its ZIP)", read_chatgpt),
    ),
    (
        looks_like_claude,
        SourceFormat("claude", "a Claude export (conversations.json or its ZIP)", read_claude),
    ),
    (looks_like_locomo, SourceFormat("locomo", "a LoCoMo file", read_locomo)),
    (
        looks_like_stored,
        SourceFormat(
            "langchain", "a file of LangChain's FileChatMessageHistory", read_history_file
        ),
    ),
    (
        looks_like_vercel_ai,
        SourceFormat("vercel_ai", "UI messages of Vercel's AI SDK", read_vercel_ai),
    ),
    (looks_like_ag_ui, SourceFormat("ag_ui", "AG-UI messages, inputs or events", read_ag_ui)),
    (looks_like_line, _JSON_LIST),
)
_THREADS = SourceFormat("langgraph", "an SQLite file of LangGraph's threads", read_saved_threads)
_TABLE = SourceFormat("langchain", "an SQLite file of LangChain's histories", read_history_table)
FORMATS: tuple[SourceFormat, ...] = (_JSONL, *(form for _, form in _DOCUMENTS), _THREADS, _TABLE)


def detect(file: SourceFile) -> SourceFormat:
    """Return the format of a file.

    Raises:
        UnknownFormatError: It is none that can be imported; lists those that can.
    """
    if file.is_database:
        return _TABLE if holds_messages(file.path) else _THREADS
    if _begins_with_whole_line(file):
        found = _lines_format(file) or _document_format(file)
    else:  # a document over several lines; or lines, the first of which is broken
        found = _document_format(file) or _cut_off_format(file) or _lines_format(file)
    if found is not None:
        return found
    known = "; ".join(form.title for form in FORMATS)
    what = "is empty" if file.size == 0 else "is not in a format that can be imported"
    raise UnknownFormatError(f"{file.name} {what}. Known are: {known}")


def _begins_with_whole_line(file: SourceFile) -> bool:
    """Tell whether the first line that is not blank is a JSON value by itself."""
    return isinstance(next(file.lines(), None), Element)


def _lines_format(file: SourceFile) -> SourceFormat | None:
    """Recognise lines that are JSON each; the document formats may stand on one line too."""
    first = next((line for line in _looked_at(file.lines())), None)
    if first is None or isinstance(first.value, list):
        return None
    found = _format_of(file.lines())
    return _JSONL if found is _JSON_LIST else found


def _document_format(file: SourceFile) -> SourceFormat | None:
    """Recognise a JSON document by its first elements."""
    return _format_of(file.elements())


def _format_of(elements: Iterable[Element | Broken]) -> SourceFormat | None:
    """Return the format of the first element that is recognised.

    Where that is a plain message, a later one may show whose they are: AG-UI's first messages are
    like everybody's.
    """
    plain: SourceFormat | None = None
    for element in _looked_at(elements):
        form = next((form for matches, form in _DOCUMENTS if matches(element.value)), None)
        if form is _JSON_LIST:
            plain = form
        elif form is not None and (plain is None or form.read is read_ag_ui):
            return form
    return plain


def _looked_at(elements: Iterable[Element | Broken]) -> Iterator[Element]:
    return (one for one in islice(elements, _LOOKED_AT) if isinstance(one, Element))


def _cut_off_format(file: SourceFile) -> SourceFormat | None:
    """Recognise a document that ends inside its first element, so that it is reported as such."""
    head = file.text[:65_536]
    keys = (
        ('"daybook-export"', 0),
        ('"mapping"', 1),
        ('"chat_messages"', 2),
        ('"session_1"', 3),
    )
    if head.lstrip()[:1] not in ("[", "{"):
        return None
    return next((_DOCUMENTS[at][1] for key, at in keys if key in head), None)
