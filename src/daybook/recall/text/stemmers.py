"""Stems of words of many languages, each in the form that its stemmer makes.

Most are Snowball's (PyStemmer). Ukrainian and Hebrew, which it lacks, have short rules of our own;
Vietnamese and languages of unspaced scripts need none.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import Stemmer

__all__ = ["stems"]

_LOCK = threading.Lock()
_STEMMERS: dict[str, Callable[[str], str]] = {}

_ELIDING = frozenset({"french", "italian", "catalan"})
# Endings of Ukrainian nouns, adjectives and verbs; at least three letters stay, four before "к".
_UKRAINIAN_ENDINGS = re.compile(
    "(?:(?<=.{4})(?:ок|ка|ки|ку|ці)"
    "|(?<=.{3})(?:уватимуть|уватися|юватися|уємося|ються|уються|ається|яється|ували|ував|увала"
    "|увати|ювати|ення|ання|іння|ями|ами|ові|еві|єві|ого|ому|ими|іми|ої|ою|ею|єю|ій|ий|их|іх|им|ім"
    "|ити|ати|яти|іти|ила|или|ала|али|яла|яли|ять|ать|уть|ють|ить|їть|ено|ано|ені|ані|ав|ив|ів|їв"
    "|ах|ях|ам|ям|ом|ем|єм|у|ю|а|я|о|е|є|и|і|ї|ь|й))$"
)
# What makes an adjective of a noun: орендна, оренда.
_UKRAINIAN_ADJECTIVES = re.compile("(?<=.{5})н$")
_SHORT_STEM = 4
_SHORTEST_HEBREW = 3
# Hebrew writes "and", "that", "when", "the", "in", "as", "to" and "from" onto the word.
_HEBREW_PREFIXES = re.compile("ו?(?:לכש|מש|כש|ש)?[הבכלמ]?ה?")
_HEBREW_ENDINGS = re.compile("(?<=..)(?:ויות|יות|יימ|ימ|ות|ית|ה|ת|י)$")
_FINAL_LETTERS = str.maketrans("ךםןףץ", "כמנפצ")


def stems(word: str, language: str) -> list[str]:
    """Return the stem of a lower-case word; the word itself for a language without stemmer.

    Several where letters may be prefixes or belong to the word (Hebrew).

    Cost: about 3 µs. Thread-safe.
    """
    if language == "hebrew":
        return _hebrew(word)
    if language in _ELIDING:
        word = word.rpartition("'")[2] or word
    elif language == "turkish":  # an apostrophe sets endings off from names
        word = word.partition("'")[0] or word
    stemmer = _STEMMERS.get(language)
    with _LOCK:  # a PyStemmer object has state of its own
        if stemmer is None:
            stemmer = _STEMMERS[language] = _stemmer(language)
        return [stemmer(word)]


def _stemmer(language: str) -> Callable[[str], str]:
    if language == "ukrainian":
        return _ukrainian
    if language not in Stemmer.algorithms():
        return str
    made: Callable[[str], str] = Stemmer.Stemmer(language, 0).stemWord
    return made


def _ukrainian(word: str) -> str:
    bare = _UKRAINIAN_ADJECTIVES.sub("", _UKRAINIAN_ENDINGS.sub("", word.removesuffix("ся")))
    # A vowel that comes and goes: стіл, стола.
    return bare.replace("і", "о") if len(bare) <= _SHORT_STEM else bare


def _hebrew(word: str) -> list[str]:
    """Return the word without endings, and without each beginning that may be prefixes."""
    plain = word.translate(_FINAL_LETTERS)
    beginnings = _HEBREW_PREFIXES.match(plain)
    longest = beginnings.end() if beginnings else 0
    cuts = [cut for cut in range(longest + 1) if len(plain) - cut >= _SHORTEST_HEBREW]
    found = (_HEBREW_ENDINGS.sub("", plain[cut:]) for cut in cuts if _is_prefix(plain[:cut]))
    return list(dict.fromkeys(found)) or [plain]


def _is_prefix(letters: str) -> bool:
    return bool(_HEBREW_PREFIXES.fullmatch(letters))
