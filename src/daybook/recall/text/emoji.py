"""Emoji as words: each by itself, without skin tone or variant, and what it shows."""

from __future__ import annotations

import functools
import re
import unicodedata

__all__ = ["emoji_in", "shown_by"]

_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[\U0001f300-\U0001f3fa\U0001f400-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb"
    "\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff\u2600-\u2604\u260e\u2614\u2615\u2618\u2620"
    "\u263a\u2660-\u2668\u267b\u2693-\u2697\u26a0-\u26a1\u26bd-\u26be\u26c4\u26c5\u26d4\u26ea"
    "\u26f0-\u26fa\u2702\u2708-\u270f\u2728\u2744\u274c\u2753\u2757\u2763\u2764\u2795\u2b50]"
)
# Faces, hearts, gestures and signs go with any subject: what they show is not what is meant.
_NOT_SHOWN = frozenset(
    """
    FACE HEART HAND HANDS SIGN SYMBOL PERSON MAN WOMAN MARK EYES EYE FINGER FIST SMILING SPARKLES
    FIRE COLLISION PARTY ROCKET STAR HUNDRED BUTTON ARROW CIRCLE SQUARE INDEX LIPS MOUTH GESTURE
    MONKEY SKULL POO TROPHY SPARKLE GLOWING DIZZY SWEAT ANGER BICEPS DROPLETS FOLDED WHITE BLACK
    """.split()
)
_FILLERS = frozenset("WITH OF AND THE OVER IN ON FOR LARGE SMALL".split())


def emoji_in(text: str) -> list[str]:
    """Return the emoji of `text` in order; of one made of several, each."""
    return [] if text.isascii() else _EMOJI.findall(text)


@functools.lru_cache(maxsize=4_096)
def shown_by(emoji: str) -> tuple[str, ...]:
    """Return the English words for a thing that an emoji shows; none for faces and signs."""
    if len(emoji) > 1:
        return ()
    name = unicodedata.name(emoji, "").replace("-", " ").split()
    if not _NOT_SHOWN.isdisjoint(name):
        return ()
    return tuple(word.lower() for word in name if word not in _FILLERS and word.isalpha())
