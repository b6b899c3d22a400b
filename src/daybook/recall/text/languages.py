"""Guess the language of a text from its little words and letters. Pure.

A guess only adds terms to a text, so a wrong one costs little; none at all means English.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from daybook.recall.text.language_words import LATIN_LANGUAGES, LITTLE_WORDS
from daybook.recall.text.stop_words import STOP_WORDS
from daybook.recall.text.words import folded

__all__ = ["Languages", "has_hint", "is_typography", "languages_of"]

# Scripts that one language of those we can stem is written in.
_ONLY_LANGUAGE = {
    "greek": "greek",
    "hebrew": "hebrew",
    "armenian": "armenian",
    "devanagari": "hindi",
    "tamil": "tamil",
}
_FOLDED = {language: frozenset(map(folded, said)) for language, said in LITTLE_WORDS.items()}
# English words and parts of names that are little words elsewhere: alone they tell nothing.
_ALSO_ENGLISH = frozenset(
    """
    a al all am an and as at bad be bin bist but by come con das de del den des di die do don dos
    du e el en er far fin for god had han has hat he her hit ho hun i ile im in is it ja kan la las
    le les lo los m ma man mar men mi mil min mit mod mot n nei nu nun o of on op or os par per
    pod pot pour put s sa san se sen sent si sin so son sou sous sum sur t ta tam te ten ter the ti
    tide til to tu tuo u un up ut van via von war was we wie will y z zum vet gran ser vi da hen
    ada dari pro hy vs ve ser tous tout fait va vous est non et ad id que ut plus moi sans mes
    want take go even com size care sense met apa k li io ci biz ca jest ya car dir deg ai sit ton
    jo todo todos door var cet v cat dig co comment ha num ga ate vid solo w es og fa hay fur mint
    hade em roi ons bi s' d' c' m' n' t' l' ott may most late here pas main mal war under over
    mine use base pie pace tot dan dat mia mie mei fun ever hem ons hans ins kit mit nos tak bez
    due juan jack bis see lui mama oss han hos ete seu more mais bra och meg tien toe
    """.split()
)
_HINTS = (
    frozenset().union(*(_FOLDED[language] for language in LATIN_LANGUAGES))
    - STOP_WORDS
    - _ALSO_ENGLISH
)
# Letters that tell: each counts like a little word of each of these languages.
_LETTERS = {
    letter: languages.split()
    for letters, languages in {
        "ß": "german",
        "ä": "finnish swedish german",
        "ö": "german swedish finnish hungarian turkish",
        "ü": "german turkish hungarian",
        "å": "swedish danish norwegian",
        "øæ": "danish norwegian",
        "ñ¿¡": "spanish",
        "ç": "french portuguese turkish catalan",
        "ãõ": "portuguese",
        "áíóú": "spanish portuguese czech hungarian",
        "łąęśźżćń": "polish",
        "řěůťď": "czech",
        "ğışİ": "turkish",
        "őű": "hungarian",
        "ășțţ": "romanian",
        "è": "french italian catalan",
        "ê": "portuguese french",
        "œôûî": "french",
        "òùì": "italian",
        "đơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ": "vietnamese",
    }.items()
    for letter in letters
}
_TELLING = re.compile(f"[{''.join(_LETTERS)}]")
# Two vowels in a row, where there is an accent at all; written as a mark among the letters.
_FINNISH_SOUND = "="
_LETTERS[_FINNISH_SOUND] = ["finnish"]
_FINNISH = re.compile("ää|yy|öö|uo|yö|ii")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
_UKRAINIAN = re.compile("[іїєґ]")
_RUSSIAN = re.compile("[ыэъё]")
_PERSIAN = re.compile("[پچژگکی]")


class Languages(NamedTuple):
    """What the words of scripts that several languages use are taken for; two joined by "+"."""

    latin: str = "english"
    cyrillic: str = "russian"
    arabic: str = "arabic"

    def of(self, script: str) -> str:
        """Return the language of a word in `script`; "" for a script that no stemmer knows."""
        return getattr(self, script, "") or _ONLY_LANGUAGE.get(script, "")


def has_hint(cut: Sequence[str]) -> bool:
    """Return whether ASCII words hold any that English does not use. Cost: 20 ns a word."""
    return not _HINTS.isdisjoint(cut)


def is_typography(text: str, spelled: Sequence[str]) -> bool:
    """Return whether `text` goes beyond ASCII only in marks that tell of no language.

    Args:
        text: Any text.
        spelled: Its words with their accents.
    """
    return "\u00bf" not in text and "\u00a1" not in text and all(map(str.isascii, spelled))


def languages_of(text: str, cut: Sequence[str]) -> Languages:
    """Return the languages that a text seems to be in; English, Russian, Arabic if nothing tells.

    Args:
        text: In any case.
        cut: Its words, folded.

    Cost: about 10 µs where little words or letters tell of a language, 2 µs otherwise.
    """
    hinted = has_hint(cut)
    if text.isascii():
        return Languages(latin=_latin_language("", set(cut))) if hinted else Languages()
    lowered = unicodedata.normalize("NFKC", text.lower())
    telling = "".join(set(_TELLING.findall(lowered)))
    latin = "english"
    if telling or hinted:
        if telling and _FINNISH.search(lowered):
            telling += _FINNISH_SOUND
        accented = {word for word in lowered.split() if not word.isascii()}
        latin = _latin_language(telling, set(cut), accented)
    return Languages(
        latin=latin,
        cyrillic=_cyrillic_language(lowered, cut),
        arabic="persian" if _PERSIAN.search(lowered) else "arabic",
    )


def _cyrillic_language(lowered: str, cut: Sequence[str]) -> str:
    if not _CYRILLIC.search(lowered):
        return "russian+ukrainian"
    if _UKRAINIAN.search(lowered):
        return "ukrainian"
    if _RUSSIAN.search(lowered):
        return "russian"
    votes = len(_FOLDED["russian"].intersection(cut)) - len(_FOLDED["ukrainian"].intersection(cut))
    if votes == 0:
        return "russian+ukrainian"
    return "russian" if votes > 0 else "ukrainian"


def _latin_language(telling: str, cut: set[str], accented: AbstractSet[str] = frozenset()) -> str:
    """Return the language with the most little words and letters, English where that is as many.

    A little word with its accents counts twice: that is what tells "há" from "ha".
    """
    votes = {
        language: len(_FOLDED[language] & cut) + len(LITTLE_WORDS[language] & accented)
        for language in LATIN_LANGUAGES
    }
    for word in cut:
        if "'" in word:
            elided = word.partition("'")[0] + "'"
            for language in ("french", "italian", "catalan"):
                votes[language] += elided in LITTLE_WORDS[language]
    for letter in telling:
        for language in _LETTERS[letter]:
            votes[language] += 1
    english = len(STOP_WORDS & cut)
    best = max(votes, key=votes.__getitem__)
    enough = 1 if english == 0 else 2
    return best if votes[best] >= enough and votes[best] > english else "english"
