"""Guess the language of a text from its little words and letters. Pure.

A guess only adds terms to a text, so a wrong one costs little; none at all means English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from daybook.recall.language_words import LATIN_LANGUAGES, LITTLE_WORDS
from daybook.recall.stop_words import STOP_WORDS
from daybook.recall.words import folded

__all__ = ["DEFAULTS", "has_hint", "language_of"]

# What a word of a script is taken for where nothing tells.
DEFAULTS = {
    "latin": "english",
    "cyrillic": "russian",
    "greek": "greek",
    "arabic": "arabic",
    "hebrew": "hebrew",
    "armenian": "armenian",
    "devanagari": "hindi",
    "tamil": "tamil",
}
_FOLDED = {language: frozenset(map(folded, LITTLE_WORDS[language])) for language in LATIN_LANGUAGES}
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
    juan jack bis see lui mama oss han hos ete seu more mais bra och meg tien toe
    """.split()
)
_HINTS = frozenset().union(*_FOLDED.values()) - STOP_WORDS - _ALSO_ENGLISH
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
        "łąęśźżćń": "polish",
        "řěůťď": "czech",
        "ğışİ": "turkish",
        "őű": "hungarian",
        "ășțţ": "romanian",
        "è": "french italian catalan",
        "êœ": "french",
        "òùì": "italian",
        "đơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ": "vietnamese",
    }.items()
    for letter in letters
}
_TELLING = re.compile(f"[{''.join(_LETTERS)}]")
_FINNISH = re.compile("ää|yy|öö|uo|yö|ii")
_UKRAINIAN = re.compile("[іїєґ]")
_PERSIAN = re.compile("[پچژگکی]")


def has_hint(cut: Sequence[str]) -> bool:
    """Return whether ASCII words hold any that English does not use. Cost: 20 ns a word."""
    return not _HINTS.isdisjoint(cut)


def language_of(text: str, cut: Sequence[str]) -> dict[str, str]:
    """Return the language that the words of each script are taken for.

    Args:
        text: In any case.
        cut: Its words, folded.

    Returns:
        A language for each script, `DEFAULTS` where nothing tells: "english" in Latin script.
    """
    languages = dict(DEFAULTS)
    languages["latin"] = _latin_language(text, set(cut))
    if not text.isascii():
        lowered = text.lower()
        if _UKRAINIAN.search(lowered):
            languages["cyrillic"] = "ukrainian"
        if _PERSIAN.search(lowered):
            languages["arabic"] = "persian"
    return languages


def _latin_language(text: str, cut: set[str]) -> str:
    """Return the language with the most little words and letters, English where that is as many."""
    votes = {language: len(said & cut) for language, said in _FOLDED.items()}
    for word in cut:
        if "'" in word:
            elided = word.partition("'")[0] + "'"
            for language in ("french", "italian", "catalan"):
                votes[language] += elided in LITTLE_WORDS[language]
    if not text.isascii():
        for letter in set(_TELLING.findall(text.lower())):
            for language in _LETTERS[letter]:
                votes[language] += 1
        votes["finnish"] += votes["finnish"] > 0 and bool(_FINNISH.search(text.lower()))
    english = len(STOP_WORDS & cut)
    best = max(votes, key=votes.__getitem__)
    enough = 1 if english == 0 else 2
    return best if votes[best] >= enough and votes[best] > english else "english"
