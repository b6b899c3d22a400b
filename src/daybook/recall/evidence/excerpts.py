"""Cut a long text to the part where a question's words stand closest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

__all__ = ["densest", "excerpt"]

_MARK = "[…]"
# Before the first matched word, this part of the room: what a sentence is about stands before it.
_LEAD = 4
_SHRINK = 0.85


def excerpt(
    text: str, spans: Sequence[tuple[int, int]], max_tokens: int, count: Callable[[str], int]
) -> str:
    """Return a part of `text` that takes at most so many tokens, ``[…]`` where it was cut.

    It begins at a word and ends at one, where the text has spaces. A text that fits is returned as
    it is; where not even the marks fit, nothing is.

    Args:
        text: The text.
        spans: Where the words asked for stand; none for the beginning of the text.
        max_tokens: What the part may take, marks included.
        count: Counts the tokens of a text.

    Cost: a few counts of what is kept, and one of the whole. Pure.
    """
    whole = count(text)
    if whole <= max_tokens:
        return text
    width = max(1, len(text) * max_tokens // whole)
    while width:
        part = _part(text, spans, width)
        if count(part) <= max_tokens:
            return part
        width = int(width * _SHRINK)
    return ""


def densest(text: str, spans: Sequence[tuple[int, int]], width: int) -> int:
    """Return where the window of `width` characters begins that holds most of the words marked.

    Different words count first, then how often. It begins at one of them; 0 where there is none.
    """
    best, most, first = 0, (0, 0), 0
    held: Counter[str] = Counter()
    for last, (start, end) in enumerate(spans):
        held[text[start:end].casefold()] += 1
        while end - spans[first][0] > width and first < last:
            out = text[slice(*spans[first])].casefold()
            held[out] -= 1
            if not held[out]:
                del held[out]
            first += 1
        if (len(held), last - first + 1) > most:
            best, most = spans[first][0], (len(held), last - first + 1)
    return best


def _part(text: str, spans: Sequence[tuple[int, int]], width: int) -> str:
    start = max(0, min(densest(text, spans, width * 3 // 4) - width // _LEAD, len(text) - width))
    end = min(len(text), start + width)
    if start:
        space = text.find(" ", start, end)
        start = space + 1 if space >= 0 else start
    if end < len(text):
        space = text.rfind(" ", start, end)
        end = space if space > start else end
    before, after = (_MARK + " " if start else ""), (" " + _MARK if end < len(text) else "")
    return f"{before}{text[start:end].strip()}{after}"
