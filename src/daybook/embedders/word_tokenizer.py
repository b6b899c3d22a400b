"""Cut text into words and look up the table rows of each word.

A word with a row of its own gives that row; any other is cut into word pieces, longest first.
Punctuation, words in other scripts than Latin and characters the vocabulary does not know give
nothing. No model is involved.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["WordTokenizer"]

# A word's rows are kept for the next time; 65,536 words take about 10 MB.
_CACHED_WORDS = 65_536
# Longer runs of letters are identifiers, hashes or base64: their pieces would drown the text.
_LONGEST_WORD = 64

_ASCII_SPACES = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) != "'"}
_COMBINING_MARKS = re.compile(
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_NOT_IN_WORDS = re.compile(r"[^\w']|_")
# Of other scripts the vocabulary has single letters and little else, whose vectors mean nothing.
_LAST_LATIN = "\u024f"


class WordTokenizer:
    """Turns text into row numbers of a vocabulary.

    Safe to share between threads: the only state is a cache of pure results.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """Take the vocabulary, row by row; `##` before an entry marks a word's later piece."""
        heads: dict[str, int] = {}
        tails: dict[str, int] = {}
        for row, entry in enumerate(vocabulary):
            if entry.startswith("##"):
                tails[entry[2:]] = row
            else:
                heads[entry] = row
        self._word_rows = _WordRows(heads, tails)
        # A bound method that never changes: the hot loop calls it once for each word.
        self._rows_of: Callable[[str], bytes] = self._word_rows.__getitem__

    def rows(self, text: str) -> bytes:
        """Return the rows of `text` in order, as native unsigned 16-bit numbers.

        None if fewer than half of its words are known: a few names in a text of another script
        would stand for all of it.
        """
        cut = words(text)
        found = list(map(self._rows_of, cut))
        if 2 * found.count(b"") > len(found) and not all(map(str.isascii, cut)):
            return b""
        return b"".join(found)


def words(text: str) -> list[str]:
    """Return the words of `text`: lower case, without accents, apostrophes left in.

    The same for composed and decomposed accents, and for straight and curly apostrophes.
    """
    lowered = text.lower()
    if lowered.isascii():
        return lowered.translate(_ASCII_SPACES).split()
    plain = _COMBINING_MARKS.sub("", unicodedata.normalize("NFD", lowered)).replace("\u2019", "'")
    return _NOT_IN_WORDS.sub(" ", plain).split()


class _WordRows(dict[str, bytes]):
    """Word to rows; fills itself."""

    def __init__(self, heads: dict[str, int], tails: dict[str, int]) -> None:
        super().__init__()
        self._heads = heads
        self._tails = tails
        self._longest = max((len(entry) for entry in (*heads, *tails)), default=0)

    def __missing__(self, word: str) -> bytes:
        rows = array("H", self._look_up(word.strip("'"))).tobytes()
        if len(word) <= _LONGEST_WORD:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = rows
        return rows

    def _look_up(self, word: str) -> list[int]:
        if not word.isascii() and max(word) > _LAST_LATIN:
            return []
        row = self._heads.get(word)
        if row is not None:
            return [row]
        rows: list[int] = []
        for part in word.removesuffix("'s").split("'"):
            rows += self._pieces(part)
        return rows

    def _pieces(self, run: str) -> list[int]:
        """Cut greedily, longest entry first; a character that begins no entry is left out."""
        if len(run) > _LONGEST_WORD:
            return []
        rows: list[int] = []
        start = 0
        while start < len(run):
            entries = self._tails if start else self._heads
            for end in range(min(len(run), start + self._longest), start, -1):
                row = entries.get(run[start:end])
                if row is not None:
                    rows.append(row)
                    start = end
                    break
            else:
                start += 1
        return rows
