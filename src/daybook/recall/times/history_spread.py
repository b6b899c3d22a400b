"""Answers to a question for a history: chosen so that its periods are covered."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["asks_history", "spread"]

_CHANGED = (
    r"chang(?:e[sd]?|ing)|evolv(?:e[sd]?|ing)|develop(?:ed|ing)?|progress(?:ed|ing)?|shift(?:ed)?"
    r"|improv(?:e[sd]?|ing)|gr(?:ow|ew|own)|var(?:y|ied)|gone|went"
)
_ASKS = re.compile(
    rf"\bhow\s+(?:has|have|had|did|does|do)\b[^?.!]*\b(?:{_CHANGED})\b"
    r"|\bover\s+(?:time|the\s+(?:years|months|weeks|course))\b"
    r"|\b(?:timeline|chronology|evolution|progression|history)\s+of\b|\btimeline\b"
    r"|\bchronological(?:ly)?\b|\b(?:every|each)\s+time\b|\ball\s+(?:of\s+)?the\s+times\b"
    r"|\bfrom\s+(?:the\s+)?(?:beginning|start)\s+to\b"
    r"|\b(?:what|which)\s+(?:\w+\s+)?changes\b",
    re.IGNORECASE,
)
_KEPT_SHARE = 0.5
_DROP = 0.25
_LEAST_DROP = 2.0


def asks_history(question: str) -> bool:
    """Tell whether a question, in English, asks how something went over time."""
    return _ASKS.search(question) is not None


def spread(scores: Sequence[float], moments: Sequence[float], limit: int) -> list[int]:
    """Return which of some answers to give so that the periods they are from are covered.

    The best half is given whatever their date. The time of all good answers is then cut
    into equal parts, and the best of each part not covered yet is given; what room is left goes to
    the best of the rest. An answer is good if it is not far below the last one that would be given
    by score alone: by a quarter of what that one is below the best, or two.

    Args:
        scores: Of each answer, highest first.
        moments: When each was said, in any unit.
        limit: How many to give.

    Returns:
        Places in `scores`, ascending: the order of scores stays. At most `limit`.
    """
    if len(scores) <= limit:
        return list(range(len(scores)))
    floor = scores[limit - 1] - max(_LEAST_DROP, _DROP * (scores[0] - scores[limit - 1]))
    good = [place for place, score in enumerate(scores) if score >= floor]
    first, last = min(moments[i] for i in good), max(moments[i] for i in good)
    if first == last:
        return list(range(limit))
    parts = limit
    chosen = good[: max(1, int(limit * _KEPT_SHARE))]

    def part(place: int) -> int:
        return min(parts - 1, int((moments[place] - first) / (last - first) * parts))

    covered = {part(place) for place in chosen}
    for place in good:
        if len(chosen) < limit and part(place) not in covered:
            covered.add(part(place))
            chosen.append(place)
    rest = (place for place in range(len(scores)) if place not in set(chosen))
    chosen += [place for place, _ in zip(rest, range(limit - len(chosen)), strict=False)]
    return sorted(chosen)
