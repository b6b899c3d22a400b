"""The terms of one word in one language: what an index keeps of it beyond its English stem."""

from __future__ import annotations

import re

from daybook.recall.text.compounds import COMPOUNDING, compound_parts
from daybook.recall.text.han_variants import simplified
from daybook.recall.text.language_words import LATIN_LANGUAGES, LITTLE_WORDS
from daybook.recall.text.scripts import other_letters, script_of
from daybook.recall.text.stemmers import stems
from daybook.recall.text.words import folded

__all__ = ["is_little", "own_forms", "part_forms", "possible_forms", "written_forms"]

_LITTLE = {language: said | frozenset(map(folded, said)) for language, said in LITTLE_WORDS.items()}
_BARE_NOUN = re.compile("c(?:ao|oes)$")
_NONE: frozenset[str] = frozenset()


def _accented_noun(match: re.Match[str]) -> str:
    return {"cao": "ção", "coes": "ções"}[match[0]]


def is_little(word: str, language: str) -> bool:
    """Return whether a lower-case word, with its accents or without, is one of the little words."""
    return any(word in _LITTLE.get(one, _NONE) for one in language.split("+"))


def written_forms(plain: str) -> list[str]:
    """Return other ways in which `plain`, which has no accents, may be written."""
    if plain.isascii():
        return []
    other = other_letters(simplified(plain))
    return [other] if other != plain else []


def own_forms(word: str, language: str) -> list[str]:
    """Return the stems of a word with its accents in `language`, in plain letters.

    Two where the stemmer needs accents that some leave out, mostly one.
    """
    if language == "english":
        return []
    plain = folded(word)
    spellings = dict.fromkeys((word, plain))
    if language == "portuguese":  # whose stemmer knows the ending by its accents only
        spellings[_BARE_NOUN.sub(_accented_noun, plain)] = None
    found = (
        other_letters(folded(form))
        for each in language.split("+")
        for one in spellings
        for form in stems(one, each)
    )
    return list(dict.fromkeys(form for form in found if form))


def possible_forms(word: str) -> list[str]:
    """Return the stems of a word in every language of Latin script, for one that may be of any."""
    if script_of(word) != "latin":
        return []
    found = (form for language in LATIN_LANGUAGES for form in own_forms(word, language))
    return list(dict.fromkeys(found))


def part_forms(word: str, language: str) -> list[str]:
    """Return the stems of what may be words in a compound."""
    if language not in COMPOUNDING:
        return []
    found: dict[str, None] = {}
    for part in compound_parts(word):
        found.update(dict.fromkeys(own_forms(part, language)))
    return list(found)
