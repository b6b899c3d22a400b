"""Why a hit stands where it does: a bar, a share and a sentence for each reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from daybook.cli.terminal import printable
from daybook.model.hit import Hit, Reason

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ["show_reasons"]

_WIDTH = 14
_EIGHTHS = " ▏▎▍▌▋▊▉█"
# Reasons that together make less than this part are counted, not listed.
_LEAST_SHARE = 0.03


def show_reasons(console: Console, hit: Hit, *, indent: str = "     ") -> None:
    """Print a hit's reasons, largest effect first: what speaks for it, then what against it."""
    total = sum(abs(reason.effect) for reason in hit.reasons)
    if not total:
        return
    telling = [one for one in hit.reasons if abs(one.effect) >= _LEAST_SHARE * total]
    largest = max(abs(reason.effect) for reason in telling)
    for reason in sorted(telling, key=lambda one: -one.effect):
        console.print(_line(reason, total, largest, indent), soft_wrap=True)
    rest = _rest(hit.reasons, telling)
    if rest:
        console.print(f"{indent}{'':{_WIDTH}}  {rest}", style="dim", soft_wrap=True)


def _line(reason: Reason, total: float, largest: float, indent: str) -> Text:
    from rich.text import Text  # noqa: PLC0415 - slow to load

    good = reason.effect > 0
    line = Text(indent)
    line.append(_bar(abs(reason.effect) / largest), style="green" if good else "red")
    line.append(f"  {reason.effect:+6.2f} {abs(reason.effect) / total:4.0%}  ", style="dim")
    sentence = printable(reason.text, one_line=True)
    line.append("" if good else "but ", style="dim")
    start = len(line)
    line.append(sentence)
    for word in reason.words:
        at = sentence.find(f"“{word}”")
        if at >= 0:
            line.stylize("bold yellow", start + at + 1, start + at + 1 + len(word))
    return line


def _bar(share: float) -> str:
    """Return a bar of up to fourteen characters, to an eighth of one, filled up with spaces."""
    eighths = max(1, round(share * _WIDTH * 8))
    full, part = divmod(eighths, 8)
    return f"{'█' * full}{_EIGHTHS[part] if part else ''}".ljust(_WIDTH)


def _rest(reasons: Sequence[Reason], telling: Sequence[Reason]) -> str:
    count = len(reasons) - len(telling)
    if not count:
        return ""
    effect = sum(one.effect for one in reasons) - sum(one.effect for one in telling)
    return f"{effect:+6.2f}       and {count} of little weight"
