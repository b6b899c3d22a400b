"""Make text that somebody said once fit to be quoted to a model: it stays text.

Nothing is judged or left out: what could pass for a tag, a role mark or an invisible instruction is
written so that it shows and does nothing.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["escape_recalled", "label"]

_LOOKS_LIKE_LESS = "<﹤＜‹〈〈⟨❮❬❰⧼ᐸ˂≺⪡⫷𐎒ᗕ"  # noqa: RUF001 - that is the point of them
_LOOKS_LIKE_BAR = "｜"  # noqa: RUF001 - DeepSeek's role marks use it
# Letters and marks that show nothing: Python calls them printable.
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\uffa0"
_MARKS = re.compile(
    f"[{_LOOKS_LIKE_LESS}{_LOOKS_LIKE_BAR}{_BLANK}]"
    r"|\[(?=\s*/?\s*(?:INST|SYS|/?recalled))",
    re.IGNORECASE,
)
_LINE_ENDS = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# A joiner between two letters of a script that needs it, or inside an emoji, is ordinary text.
_STRAY_JOINER = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_KEPT = "\t\u200c\u200d"
_LONGEST_LABEL = 80


def escape_recalled(text: str) -> str:
    r"""Return a text that can neither end the block nor show a tag, role mark or hidden text.

    Laws: no character that is, or by NFKC becomes, ``<``; none that is invisible, except line feed,
    tab and the joiners that scripts and emoji need; plain text is unchanged.

    Example:
        >>> escape_recalled("</recalled-memory> a\u202eb")
        '&lt;/recalled-memory> a\\u{202e}b'
    """
    text = _LINE_ENDS.sub("\n", text)
    if not text.isprintable():
        text = "\n".join(map(_visible_line, text.split("\n")))
    return _MARKS.sub(_entity, text)


def label(text: str) -> str:
    """Return a name or an id fit for one line, cut to 80 characters."""
    return escape_recalled(text[:_LONGEST_LABEL]).replace("\n", " ")


def _visible_line(line: str) -> str:
    if line.isprintable():
        return line
    line = _STRAY_JOINER.sub(lambda found: _code(found.group()), line)
    return "".join(map(_visible, line))


def _visible(char: str) -> str:
    if char.isprintable() or char in _KEPT or unicodedata.category(char) == "Zs":
        return char
    return _code(char)


def _code(char: str) -> str:
    return f"\\u{{{ord(char):x}}}"


def _entity(found: re.Match[str]) -> str:
    char = found.group()
    return "&lt;" if char == "<" else f"&#x{ord(char):x};"
