"""Find the words inside a long word of a language that writes compounds as one.

Without a list of words: every place is taken where one word may end and another begin by its
sounds. Of the parts so found most are no words; nobody asks for those.
"""

from __future__ import annotations

import re

__all__ = ["COMPOUNDING", "compound_parts"]

COMPOUNDING = frozenset(
    {"german", "dutch", "swedish", "danish", "norwegian", "finnish", "hungarian"}
)
_SHORTEST = 9
_LONGEST = 40
_SHORTEST_PART = 3
_VOWELS = "aeiouyäöüåøæ"
# What a word may begin with before its first vowel, in the languages above.
_ONSET = re.compile(
    "(?:[bcdfghjklmnprstvwz]|[bcdfgkptv][lr]|kn|gn|sch[lmnrw]?|s[cjklmnptvw]|s[kpt][rlj]|tw|dw|zw|kv"
    f"|qu|ch|th|ph|wr|hj|tj|fj|bj|kj|cs|gy|ny|sz|zs|ty|ly|pf|ps|st)?(?=[{_VOWELS}])"
)
_HAS_VOWEL = re.compile(f"[{_VOWELS}]")


def compound_parts(word: str) -> list[str]:
    """Return what may be a word in `word`: its beginnings and its ends."""
    if not _SHORTEST <= len(word) <= _LONGEST:
        return []
    found: dict[str, None] = {}
    for cut in range(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1):
        head, tail = word[:cut], word[cut:]
        if _ONSET.match(tail) and _HAS_VOWEL.search(head):
            found[tail] = None
            found[head] = None
    return list(found)
