"""A file being imported: its lines, or the elements of its JSON document, with their positions.

Knows encodings and truncation; knows nothing about conversations.
"""

from __future__ import annotations

import codecs
import json
import zipfile
from collections.abc import Iterator
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any

from msgspec import Struct

from daybook.errors import InvalidInputError

__all__ = ["MAX_LINE_BYTES", "Broken", "Element", "SourceFile"]

MAX_LINE_BYTES = 64_000_000
_SPACE = " \t\n\r"
_SQLITE = b"SQLite format 3\x00"
_WIDE_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


class Element(Struct, frozen=True):
    """One JSON value of a file.

    Attributes:
        position: ``12`` for line 12, or a path such as ``$[3]``.
        value: The decoded value.
        text: Its text as it stands in the file.
    """

    position: str
    value: Any
    text: str


class Broken(Struct, frozen=True):
    """A place that does not decode, and why."""

    position: str
    reason: str


class SourceFile:
    """One file; may be read any number of times, always from its beginning.

    Attributes:
        path: Where it is.
        name: The file's name, for reports.
        key: Its name and its folder's: tells files apart that hold no ids of their own.
        size: Its bytes.
        done: Bytes (or characters) read so far in the present reading.
    """

    def __init__(self, path: Path) -> None:
        """Open a file for reading; a ZIP archive stands for the ``conversations.json`` in it.

        Raises:
            InvalidInputError: It does not exist, is a folder, or cannot be read.
        """
        self.path = path
        resolved = path.resolve()
        self.name = path.name
        self.key = f"{resolved.parent.name}/{resolved.name}"
        self.done = 0
        if path.exists() and not path.is_file() and not path.is_dir():
            raise InvalidInputError(f"{path}: is not a file; it is read more than once")
        try:
            with path.open("rb") as handle:
                self._head = handle.read(len(_SQLITE))
        except FileNotFoundError:
            raise InvalidInputError(f"{path}: there is no such file") from None
        except IsADirectoryError:
            raise InvalidInputError(f"{path}: is a folder; name a file in it") from None
        except OSError as exc:
            raise InvalidInputError(f"{path}: cannot be read: {exc.strerror}") from None
        self._unzipped = self._unzip() if self._head.startswith(b"PK\x03\x04") else None
        self.size = path.stat().st_size if self._unzipped is None else len(self._unzipped)

    @property
    def is_database(self) -> bool:
        """Whether it is an SQLite database, and so no text."""
        return self._head == _SQLITE

    @cached_property
    def text(self) -> str:
        """The whole file; bytes that are not its encoding become replacement characters."""
        with self._open() as handle:
            data = handle.read()
        encoding = _WIDE_MARKS.get(data[:2], "utf-8-sig")
        return data.decode(encoding, "replace")

    def lines(self) -> Iterator[Element | Broken]:
        """Yield every line that is not blank, decoded; a broken one as such. Streams."""
        self.done = 0
        for number, raw in enumerate(self._raw_lines(), start=1):
            if isinstance(raw, Broken):
                yield Broken(str(number), raw.reason)
                continue
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as exc:
                yield Broken(str(number), f"byte {exc.start + 1} is not UTF-8")
                continue
            if text:
                yield _decode_line(str(number), text)

    def elements(self) -> Iterator[Element | Broken]:
        """Yield the elements of the file's array, or its one object, as far as they are whole."""
        self.done = 0
        text = self.text
        at = _skip_space(text, 0)
        if text[at : at + 1] != "[":
            found, end = self._element(at, "$")
            end = _skip_space(text, end)
            more = isinstance(found, Element) and end < len(text)
            yield Broken("$", _where(text, end, "something follows the JSON")) if more else found
            return
        at, index = _skip_space(text, at + 1), 0
        while text[at : at + 1] != "]":
            found, at = self._element(at, f"$[{index}]")
            yield found
            if isinstance(found, Broken):
                return
            index += 1
            at = _skip_space(text, at)
            if text[at : at + 1] == ",":
                at = _skip_space(text, at + 1)
            elif text[at : at + 1] != "]":
                yield Broken(f"$[{index}]", _where(text, at, "the list is cut off or broken here"))
                return
        self.done = self.size

    def _element(self, at: int, position: str) -> tuple[Element | Broken, int]:
        """Decode one value at an offset; return it with the offset after it."""
        text = self.text
        try:
            value, end = _decoder.raw_decode(text, at)
        except json.JSONDecodeError as exc:
            return Broken(position, _where(text, exc.pos, "the JSON is cut off or broken")), at
        except RecursionError:
            return Broken(position, "the JSON is nested too deeply"), at
        except ValueError as exc:
            return Broken(position, _plain_reason(exc)), at
        self.done = self.size * end // max(1, len(text))
        return Element(position, value, text[at:end]), end

    def _raw_lines(self) -> Iterator[bytes | Broken]:
        if self._head[:2] in _WIDE_MARKS:
            for text in self.text.split("\n"):
                self.done += 2 * len(text)
                yield text.encode()
            return
        with self._open() as handle:
            while line := handle.readline(MAX_LINE_BYTES):
                self.done += len(line)
                if len(line) < MAX_LINE_BYTES or line.endswith(b"\n"):
                    yield line
                    continue
                self.done += _skip_line(handle)
                yield Broken("", f"the line is longer than {MAX_LINE_BYTES:,} bytes")

    def _open(self) -> IO[bytes]:
        return self.path.open("rb") if self._unzipped is None else BytesIO(self._unzipped)

    def _unzip(self) -> bytes:
        """Return the conversations inside an export as it was downloaded."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                for name in archive.namelist():
                    if PurePosixPath(name).name == "conversations.json":
                        self.name = f"{self.path.name}/{name}"
                        return archive.read(name)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError):
            raise InvalidInputError(f"{self.path}: the archive is damaged") from None
        raise InvalidInputError(f"{self.path}: the archive holds no conversations.json")


def _skip_line(handle: IO[bytes]) -> int:
    """Read to the end of the line; return how many bytes that was."""
    skipped = 0
    while piece := handle.readline(MAX_LINE_BYTES):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(parse_constant=_refuse_constant)


def _decode_line(position: str, text: str) -> Element | Broken:
    try:
        return Element(position, _decoder.decode(text), text)
    except json.JSONDecodeError as exc:
        return Broken(position, f"not valid JSON at column {exc.colno}")
    except RecursionError:
        return Broken(position, "the JSON is nested too deeply")
    except ValueError as exc:
        return Broken(position, _plain_reason(exc))


def _plain_reason(error: ValueError) -> str:
    """Return why a value was refused; `json` raises these two only, and neither quotes the file."""
    return str(error) if "is not JSON" in str(error) else "a number has too many digits"


def _skip_space(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _where(text: str, at: int, what: str) -> str:
    line = text.count("\n", 0, at) + 1
    column = at - text.rfind("\n", 0, at)
    return f"{what}, at line {line} column {column}; what follows cannot be read"
