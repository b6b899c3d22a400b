"""What the memory tool answers, in the words Claude was trained on. Pure."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["MAX_LINES", "directory_view", "file_view", "inserted", "occurrences", "snippet"]

MAX_LINES = 999_999
_WIDTH = len(str(MAX_LINES))
_DEPTH = 2


def directory_view(path: str, sizes: Mapping[str, int]) -> str:
    """Return the listing of a directory; `sizes` are the bytes of every file below it, by path."""
    totals: dict[tuple[str, ...], int] = {}
    for file, size in sizes.items():
        names = tuple(file[len(path) + 1 :].split("/"))
        if any(name.startswith(".") for name in names[:_DEPTH]):
            continue
        for depth in range(1, min(len(names) - 1, _DEPTH) + 1):
            place = (*names[:depth], "")
            totals[place] = totals.get(place, 0) + size
        if len(names) <= _DEPTH:
            totals[names] = size
    lines = [f"{_size(sum(sizes.values()))}\t{path}"]
    # A directory's own line ends in an empty name: it stands before what it holds.
    lines += [f"{_size(totals[names])}\t{path}/{'/'.join(names)}" for names in sorted(totals)]
    header = (
        f"Here're the files and directories up to 2 levels deep in {path}, excluding hidden items:"
    )
    return "\n".join([header, *lines])


def file_view(path: str, text: str, view_range: list[int] | None) -> str:
    """Return a file's lines with their numbers; `view_range` as the tool defines it."""
    lines = text.split("\n")
    first, last = 1, len(lines)
    if view_range and len(view_range) == 2:  # noqa: PLR2004 - first and last line
        first = max(1, view_range[0])
        last = last if view_range[1] == -1 else view_range[1]
    shown = _numbered(lines[first - 1 : max(0, last)], first)
    return f"Here's the content of {path} with line numbers:\n" + "\n".join(shown)


def occurrences(text: str, wanted: str) -> list[int]:
    """Return the number of the line at which each occurrence begins, overlapping ones too."""
    found: list[int] = []
    at = text.find(wanted)
    while at != -1:
        found.append(text.count("\n", 0, at) + 1)
        at = text.find(wanted, at + 1)
    return found


def snippet(text: str, line: int) -> str:
    """Return what an edit looks like: the lines around `line` (from 1)."""
    lines = text.split("\n")
    first = max(1, line - 2)
    return "\n".join(_numbered(lines[first - 1 : line + 2], first))


def inserted(text: str, line: int, more: str) -> str | None:
    """Return a text with lines inserted after `line` (0: before all); None if there is none."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    if not 0 <= line <= len(lines):
        return None
    lines.insert(line, more.rstrip("\n"))
    return "\n".join(lines).rstrip("\n") + "\n"


def line_count(text: str) -> int:
    """Return how many lines `inserted` counts."""
    return text.count("\n") + (0 if text.endswith("\n") or not text else 1)


def _numbered(lines: list[str], first: int) -> list[str]:
    return [f"{number:>{_WIDTH}}\t{line}" for number, line in enumerate(lines, start=first)]


def _size(size: int) -> str:
    if size == 0:
        return "0B"
    unit = min((size.bit_length() - 1) // 10, 3)
    scaled = size / 1024**unit
    return f"{scaled:.0f}{'BKMG'[unit]}" if scaled == int(scaled) else f"{scaled:.1f}{'BKMG'[unit]}"
