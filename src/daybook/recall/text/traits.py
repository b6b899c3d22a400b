"""What a turn's words say about it, as bits that an index stores beside the turn."""

from __future__ import annotations

from enum import IntFlag

from daybook.recall.text.time_trait_words import TIME_WORDS_ELSEWHERE

__all__ = ["Trait", "word_traits"]


class Trait(IntFlag):
    """One bit each; a stored set is the sum. Values are stored: never renumber."""

    QUESTION = 1
    ENDS_IN_QUESTION = 2
    TIME_WORD = 4
    NUMBER = 8
    FIRST_PERSON = 16
    CODE = 32


_TIME_WORDS = frozenset(
    """
    today tonight yesterday tomorrow ago last next recently lately soon earlier later since
    week weeks month months year years day days weekend weekends hour hours minute minutes
    monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december
    jan feb mar apr jun jul aug sep sept oct nov dec
    spring summer autumn fall winter birthday anniversary christmas easter thanksgiving
    morning afternoon evening night noon midnight decade century deadline date
    """.split()
)
_NUMBER_WORDS = frozenset(
    """
    two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
    thousand million billion dozen couple several few once twice thrice half first second third
    fourth fifth both
    """.split()
)
_FIRST_PERSON = frozenset(
    "i i'm i've i'll i'd im ive my mine me myself we we're we've we'll we'd our ours us".split()
)


def word_traits(word: str) -> int:
    """Return the bits that `word`, in lower case, sets by itself."""
    bits = 0
    if word in _TIME_WORDS or word in TIME_WORDS_ELSEWHERE:
        bits |= Trait.TIME_WORD
    if word in _NUMBER_WORDS or any(map(str.isdigit, word)):
        bits |= Trait.NUMBER
    if word in _FIRST_PERSON:
        bits |= Trait.FIRST_PERSON
    return int(bits)
