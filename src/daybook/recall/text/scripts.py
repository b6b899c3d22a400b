"""Which script a word is written in, and the other ways the same word may be written."""

from __future__ import annotations

import re

__all__ = ["CLUSTERED", "UNSPACED", "Script", "clusters", "other_letters", "script_of"]

Script = str

# Written without spaces, each character a sound or a meaning: kana, Han; and Hangul, which has
# spaces, yet whose words carry endings.
UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
# Written without spaces, in letters: Thai, Lao, Burmese, Khmer.
CLUSTERED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"

# First code point of each script's block, ascending; what is not listed is "".
_BLOCKS: tuple[tuple[int, Script], ...] = (
    (0x0000, "latin"),
    (0x0370, "greek"),
    (0x0400, "cyrillic"),
    (0x0530, "armenian"),
    (0x0590, "hebrew"),
    (0x0600, "arabic"),
    (0x0700, ""),
    (0x0750, "arabic"),
    (0x0780, ""),
    (0x0900, "devanagari"),
    (0x0980, ""),
    (0x0B80, "tamil"),
    (0x0C00, ""),
    (0x1E00, "latin"),
    (0x1F00, "greek"),
    (0x2000, ""),
)
# Letters that have no accent to remove, and what people write who lack them.
_OTHER_LETTERS = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    # Persian and Arabic keyboards write two letters differently; hamza is often left out.
    | {"ی": "ي", "ى": "ي", "ک": "ك", "ة": "ه", "ۀ": "ه", "ە": "ه", "أ": "ا", "إ": "ا", "ٱ": "ا"}
    | {"ؤ": "و", "ئ": "ي"}
    | {"ґ": "г", "ς": "σ"}
    # The dot below a Devanagari letter is often left out, its moon simplified.
    | {"\u093c": "", "\u0901": "\u0902"}
    # Katakana as hiragana.
    | {chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F7)}
)
# A leading vowel sign or none, a letter, the marks on it; `\u17d2` joins two Khmer letters.
_CLUSTER = re.compile(
    "[\u0e40-\u0e44\u0ec0-\u0ec4]?"
    "(?:[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])"
    "(?:[\u0e30-\u0e3a\u0e45-\u0e4e\u0eb0-\u0ebc\u0ec6-\u0ece\u102b-\u103e\u1056-\u1059"
    "\u17b4-\u17d1\u17d3\u17dd]|\u17d2.|\u1039.)*"
)


def script_of(word: str) -> Script:
    """Return the script of a word's first letter: "latin", "cyrillic", …; "" for one unlisted."""
    code = ord(word[0])
    found = ""
    for first, script in _BLOCKS:
        if code < first:
            break
        found = script
    return found


def other_letters(word: str) -> str:
    """Return `word` in the letters of someone who lacks its own, or in the other kana."""
    return word.translate(_OTHER_LETTERS)


def clusters(run: str) -> list[str]:
    """Return the letters of a Thai, Lao, Burmese or Khmer run, each with its vowels and tones."""
    return _CLUSTER.findall(run)
