"""Foreign text inside a Markdown document: readable, and unable to leave its place. Pure.

A message may hold anything: headings that look like ours, HTML, a code fence that never ends, a
link definition that would change links elsewhere. It keeps its look where that is harmless.
"""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["code_block", "inline", "quoted"]

# Control characters, and those that reorder text: they could make a line read as another.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_FENCE = re.compile(r" {0,3}(?:(`{3,})([^`]*)|(~{3,})(.*))")
_INDENT = re.compile(r"[ \t]*")
_WORD = re.compile(r"[\w+#.-]{1,20}")


def inline(text: str) -> str:
    """Return `text` on one line, with nothing in it that Markdown would act on."""
    return _SPECIAL.sub(r"\\\1", " ".join(_UNSEEN.sub(" ", text).split()))


def quoted(text: str) -> str:
    """Return `text` as a block quote: every line of it begins with ``>``."""
    lines = _safe_lines(_UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return "\n".join(f"> {line}".rstrip() for line in lines)


def code_block(value: Any, language: str = "") -> str:
    """Return text, or a JSON value, in a fence that is longer than any inside it."""
    if isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, ensure_ascii=False, indent=2)
        language = "json"
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    fence = _fence_around(text)
    return f"{fence}{language}\n{text}\n{fence}"


def _safe_lines(text: str) -> list[str]:
    """Return the lines of a message; its code stands in fences of our own making.

    A fence without indentation ends every list or quote around it, so ours always opens where it
    stands, whatever came before; inside it nothing is acted on. Elsewhere, ``<`` and the colon of
    a link definition lose their force.
    """
    safe: list[str] = []
    code: list[str] = []
    closing: re.Pattern[str] | None = None
    language = ""
    for line in text.split("\n"):
        if closing is not None:
            if closing.fullmatch(line):
                safe += code_block("\n".join(code), language).split("\n")
                code, closing = [], None
            else:
                code.append(line)
            continue
        plain = _INDENT.sub(lambda found: found[0].expandtabs(4), line, count=1)
        opened = _FENCE.fullmatch(plain)
        if opened is None:
            safe.append(plain.replace("<", "&lt;").replace("]:", "]\\:"))
            continue
        mark, info = opened[1] or opened[3], opened[2] or opened[4] or ""
        closing = re.compile(f" {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t]*")
        word = _WORD.match(info.strip())
        language = word[0] if word else ""
    if closing is not None:
        safe += code_block("\n".join(code), language).split("\n")
    return safe


def _fence_around(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)
