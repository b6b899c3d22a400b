"""Recognise what was said already: the same words again, or a part of them."""

from __future__ import annotations

from daybook.model.hit import Hit
from daybook.recall.text.words import words

__all__ = ["Said"]

# Fewer words ("yes, of course") mean something else wherever they are said.
_FEWEST_WORDS = 5


class Said:
    """The texts of some hits, to ask whether another one adds anything to them."""

    def __init__(self) -> None:
        self._texts: list[tuple[str, str]] = []

    def add(self, hit: Hit) -> None:
        """Remember a hit's text."""
        self._texts.append((hit.speaker, _plain(hit)))

    def repeated_at(self, hit: Hit) -> int | None:
        """Return the number of the first text that says all that a hit says; None without one.

        Case, punctuation and accents do not count. Fewer than five words repeat only what the same
        speaker said in exactly these words.

        Cost: linear in the texts remembered.
        """
        text = _plain(hit)
        long_enough = text.count(" ") > _FEWEST_WORDS
        for number, (speaker, said) in enumerate(self._texts):
            if (text in said) if long_enough else (text == said and speaker == hit.speaker):
                return number
        return None


def _plain(hit: Hit) -> str:
    """Return the words with a space around each, so that a part is found at whole words only."""
    return f" {' '.join(words(hit.message.text))} "
