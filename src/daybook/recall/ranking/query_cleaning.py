"""Cut from a question what is about asking, and whom, so that only the subject is searched for.

Neither cut ever leaves fewer than three words: then the question stays as it was. (Of little words
of other languages all but one may go.)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from daybook.model.message import ROLES
from daybook.recall.text.stop_words import STOP_WORDS
from daybook.recall.text.word_terms import is_little
from daybook.recall.text.words import words

__all__ = ["cut_little_words", "cut_names", "cut_request", "name_words", "named_speakers"]

_FEWEST_WORDS = 3
_SHORTEST_NICKNAME = 3
_WORD = re.compile(r"\w+")
_CUT_NAME = re.compile(r"(?P<word>\w+)(?P<possessive>['\u2019]s\b)?")

_ASK = (
    "tell|show|list|give|remind|walk|help|explain|provide|describe|summari[sz]e|recall|recount"
    "|outline|share|name|find"
)
_TALKS = "conversations?|chats?|sessions?|discussions?|messages|requests|talks|exchanges"
_SAID = "brought up|mentioned|discussed|talked about|raised|covered|introduced|asked about"
_ASPECTS = (
    r"(?:\s+(?:different|various|all|the|these|those|my))*"
    r"(?:\s+(?:aspects|topics|concepts|parts|things|points|subjects|themes|issues|items))?"
    r"(?:\s+(?:of|related to|about|regarding|concerning))?"
)
_TO_ME = r"(?:\s+(?:me|us))?(?:\s+(?:through|with|about|of|how to))?"
_WHETHER = r"(?:\s+(?:if|when|what|that|whether))?"
_DURING = r"(?:throughout|across|during|in|over|from)(?:\s+all)?(?:\s+of)?"
_REQUESTS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:can|could|would|will) you\s+(?:please\s+)?(?:also\s+)?(?:{_ASK})\b{_TO_ME}",
        rf"^\s*(?:please\s+)?(?:{_ASK})\s+(?:me|us)\b(?:\s+(?:through|with|about|of))?",
        rf"\b(?:do|can|could) you\s+(?:still\s+)?(?:remember|recall|know)\b{_WHETHER}",
        rf"\bthe\s+order\s+in\s+which\s+(?:i|we)\s+(?:{_SAID}){_ASPECTS}",
        rf"\b{_DURING}\s+(?:our|my)\s+(?:\w+\s+)?(?:{_TALKS})\b",
        r"\b(?:a|an)\s+(?:\w+\s+)?(?:summary|overview|recap|account|list)\s+of\b",
        rf"\b(?:that\s+)?(?:i|we)(?:'ve|\s+have)?\s+(?:{_SAID})\b(?:\s+to you)?",
        r"\b(?:mention|list|name|give|include)\s+only\b[^.?!]*[.?!]?",
        r"\bin\s+(?:chronological\s+)?order\b",
        r"\bplease\b",
    )
]


def cut_request(question: str) -> str:
    """Return `question` without request phrasing ("can you list …, in order?")."""
    cleaned = question
    for pattern in _REQUESTS:
        cleaned = pattern.sub(" ", cleaned)
    return _kept(cleaned, question)


def cut_little_words(question: str, language: str) -> str:
    """Return a question without the little words of `language`; unchanged in English.

    Vectors are made for English, so that they take "qui" and "dans" for things.
    """
    if language == "english":
        return question

    def replaced(match: re.Match[str]) -> str:
        return " " if is_little(match[0].lower(), language) else match[0]

    cleaned = _WORD.sub(replaced, question)
    return " ".join(cleaned.split()) if _WORD.search(cleaned) else question


def name_words(speaker_names: Iterable[str]) -> dict[str, set[str]]:
    """Return each word of the speakers' names with the names it stands in.

    Role names, which stand for people without a name, and words that are no names ("the", "of",
    single letters) are left out.
    """
    found: dict[str, set[str]] = {}
    for name in speaker_names:
        if name in ROLES:
            continue
        for word in words(name):
            if len(word) > 1 and word not in STOP_WORDS and not word.isdigit():
                found.setdefault(word, set()).add(name)
    return found


def named_speakers(question: str, names: Mapping[str, set[str]]) -> list[str]:
    """Return the speakers that `question` names, sorted; `names` comes from `name_words`."""
    matched = (_speakers_of(match[0], question, names) for match in _WORD.finditer(question))
    return sorted(set().union(*matched))


def cut_names(question: str, names: Mapping[str, set[str]]) -> str:
    """Return `question` without the speakers' names and their possessive ending."""
    if not names:
        return question

    def replaced(match: re.Match[str]) -> str:
        return " " if _speakers_of(match["word"], question, names) else match[0]

    return _kept(_CUT_NAME.sub(replaced, question), question)


def _speakers_of(word: str, question: str, names: Mapping[str, set[str]]) -> set[str]:
    """Return the speakers that a word of the question means.

    A name needs its capital unless the question has none at all. The beginning of exactly one
    speaker's name ("Mel") means that speaker.
    """
    if word.islower() and question != question.lower():
        return set()
    plain = "".join(words(word)[:1])
    if plain in names:
        return names[plain]
    if len(plain) < _SHORTEST_NICKNAME or word.islower() or plain in STOP_WORDS:
        return set()
    longer: Sequence[set[str]] = [held for name, held in names.items() if name.startswith(plain)]
    speakers = set().union(*longer)
    return speakers if len(speakers) == 1 else set()


def _kept(cleaned: str, question: str) -> str:
    """Return the cleaned question, tidied, or the original if too little is left of it."""
    if len(words(cleaned)) < _FEWEST_WORDS:
        return question
    return re.sub(r"\s+([,.?!;:])", r"\1", " ".join(cleaned.split())).strip(" ,;:")
