"""Files and folders to conversations; what each is, its content tells."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from daybook.errors import InvalidInputError
from daybook.evaluation.beam import is_beam_folder, read_beam
from daybook.evaluation.conversations import Conversation
from daybook.evaluation.locomo import read_locomo
from daybook.evaluation.longmemeval import looks_like_longmemeval, read_longmemeval
from daybook.evaluation.own_files import looks_like_own, read_own
from daybook.evaluation.realtalk import looks_like_realtalk, read_realtalk
from daybook.importers.locomo import looks_like_locomo
from daybook.importers.source_file import Broken, Element, SourceFile

__all__ = ["FORMATS", "load_conversations", "sample_questions"]

OWN, BEAM = "own", "beam"
_READERS: Mapping[str, Callable[[SourceFile], Iterator[Conversation]]] = {
    "locomo": read_locomo,
    "longmemeval": read_longmemeval,
    "realtalk": read_realtalk,
}
_LOOKS: Mapping[str, Callable[[Any], bool]] = {
    "locomo": looks_like_locomo,
    "longmemeval": looks_like_longmemeval,
    "realtalk": looks_like_realtalk,
    OWN: looks_like_own,
}
FORMATS = (OWN, *_READERS, BEAM)
_HEAD = 256
_SUFFIXES = frozenset({".json", ".jsonl"})


def load_conversations(paths: Sequence[Path], *, form: str | None = None) -> list[Conversation]:
    """Return every conversation in the files and folders, with its questions.

    In a folder, files of no known form are passed over. All files of one's own are read together,
    so questions may stand apart from messages.

    Args:
        paths: Files or folders.
        form: One of `FORMATS`; None: each file's content tells.

    Raises:
        InvalidInputError: Something is not there, broken, of no known form, or there twice.
    """
    found: list[Conversation] = []
    own: list[SourceFile] = []
    for kind, path in _sources(paths, form):
        if kind == BEAM:
            found.append(read_beam(path))
        elif kind == OWN:
            own.append(SourceFile(path))
        else:
            found += _READERS[kind](SourceFile(path))
    found += read_own(own) if own else []
    if not found:
        raise InvalidInputError(f"{', '.join(map(str, paths))}: there is no conversation in it")
    return _once(found)


def sample_questions(
    conversations: Sequence[Conversation], count: int, *, seed: int
) -> list[Conversation]:
    """Return the conversations with `count` of their questions that have evidence, drawn at random.

    A conversation of which none is drawn is left out.
    """
    every = [
        (conversation.dataset, question.id)
        for conversation in conversations
        for question in conversation.questions
        if question.evidence or question.evidence_sessions
    ]
    drawn = set(Random(seed).sample(every, min(count, len(every))))  # noqa: S311 - no secret
    kept = []
    for one in conversations:
        questions = [ask for ask in one.questions if (one.dataset, ask.id) in drawn]
        if questions:
            kept.append(Conversation(one.id, one.dataset, one.turns, questions))
    return kept


def _sources(paths: Sequence[Path], form: str | None) -> Iterator[tuple[str, Path]]:
    """Yield what is to be read, and as what."""
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path, form)
        else:
            kind = form or _form_of(SourceFile(path))
            if kind is None:
                raise InvalidInputError(
                    f"{path}: is none of {', '.join(FORMATS)}; name one with --format"
                )
            yield kind, path.parent if kind == BEAM else path


def _in_folder(folder: Path, form: str | None) -> Iterator[tuple[str, Path]]:
    if is_beam_folder(folder):
        if form in (None, BEAM):
            yield BEAM, folder
        return
    for path in sorted(folder.iterdir(), key=_natural):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _in_folder(path, form)
        elif path.suffix in _SUFFIXES and path.stat().st_size:
            kind = _form_of(SourceFile(path))
            if kind is not None and form in (None, kind):
                yield kind, path


def _natural(path: Path) -> list[tuple[int, str]]:
    """Order 2 before 10."""
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _form_of(file: SourceFile) -> str | None:
    """Return what the first value of a file shows it to be; None if that is unknown.

    Raises:
        InvalidInputError: The file is not JSON.
    """
    first: Any = None if _starts_a_list(file.path) else next(file.lines(), None)
    if not isinstance(first, Element):
        first = next(file.elements(), None)
    if isinstance(first, Broken):
        raise InvalidInputError(f"{file.path}: {first.position}: {first.reason}")
    if first is None:
        return None
    return next((name for name, looks in _LOOKS.items() if looks(first.value)), None)


def _starts_a_list(path: Path) -> bool:
    """Tell whether a file is one JSON list, without reading it: it may be long, on one line."""
    with path.open("rb") as file:
        return file.read(_HEAD).removeprefix(BOM_UTF8).lstrip()[:1] == b"["


def _once(found: list[Conversation]) -> list[Conversation]:
    """Return the conversations if none is there twice, and no turn or question twice in one."""
    seen: set[tuple[str, str]] = set()
    for one in found:
        if (one.dataset, one.id) in seen:
            raise InvalidInputError(f"conversation {one.id} of {one.dataset} is there twice")
        seen.add((one.dataset, one.id))
        if len({turn.id for turn in one.turns}) < len(one.turns):
            raise InvalidInputError(f"{one.dataset}, {one.id}: two turns have the same id")
        if not one.turns:
            raise InvalidInputError(f"{one.dataset}, {one.id}: nothing was said in it")
    return found
