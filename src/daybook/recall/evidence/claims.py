"""What a sentence claims: of whom or what, which values it gives, whether it denies or replaces.

Only what can be read off the surface of English is read; a sentence that is a question, a wish or
a condition claims nothing. Pure.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import Stemmer

from daybook.recall.text.stop_words import STOP_WORDS
from daybook.recall.times.said_dates import sentences

__all__ = ["Claim", "claim_of", "clauses", "may_replace", "stems"]

_KEPT_WORDS = 32_768
_STEMMER = Stemmer.Stemmer("english", 0)
_STEMMING = threading.Lock()  # a stemmer has state of its own

_MOST_WORDS = 30
_MOST_CLAIMS = 12
_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*%?|[A-Za-z\u00c0-\u024f][\w\u00c0-\u024f'@.-]*\w|\w")
_NUMBERS = {
    name: str(number)
    for number, name in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
} | {"once": "1", "twice": "2", "thrice": "3", "dozen": "12"}
_ORDINALS = frozenset("first second third fourth fifth sixth seventh eighth ninth tenth".split())
_DATE_WORDS = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays
    fridays saturdays sundays january february march april may june july august september october
    november december
    """.split()
)
_HAS_SIGN = re.compile(r"[\d@]")
_FIRST_PERSON = frozenset({"i", "we"})
_PRONOUNS = frozenset("i we he she they you it this that there".split())
_DETERMINERS = frozenset("my our his her their your the a an this that these those".split())
_OPENERS = frozenset(
    "actually so well and but oh yes yeah no ok okay correction btw also hey today new".split()
)
# "The doctor says my daughter is well" is about the daughter.
_REPORTED = re.compile(
    r"^(?:(?:my|our|the|his|her)\s+)?\w+\s+(?:says?|said|told (?:me|us)|thinks?|believes?)"
    r"(?:\s+that)?\s+(?=\w+\s+\w)",
    re.IGNORECASE,
)
# Replaces what was said before. "now that" gives a reason and is left out.
_REPLACES = re.compile(
    r"\b(?:now(?! that)|no longer|any ?more|instead|these days|nowadays|from now on|after all"
    r"|so far|actually|as of|correction|turns out|by now"
    r"|since (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
    re.IGNORECASE,
)
_CHANGES = re.compile(
    r"\b(?:changed?|changing|switch\w*|reschedule\w*|postpone\w*|delay\w*|increased?|increasing"
    r"|reduced?|reducing|raised?|raising|lower\w*|upgrade\w*|downgrade\w*|replaced?|improved?"
    r"|improving|updated?|renew\w*|extend\w*|shorten\w*|cut|rewrote|rewritten|convert\w*|moved"
    r"|pushed back|brought forward|went (?:up|down)|gone (?:up|down)|has grown|grew to|dropped to"
    r"|rose to)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"[{}<>=`|]|\(\)|;\s*$|->|https?:")
_FENCED = re.compile(r"```.*?(?:```|$)", re.DOTALL)
_CLAUSE = re.compile(r"\s*[;:]\s+|,?\s+(?:but|because|although|though|so that|and then)\s+|,\s+")
_ENDS = re.compile(
    r"(?<!not )(?<!never )(?<!n't )\b(?:no longer|any ?more|quit|gave up|given up"
    r"|stopped \w+ing|cancel\w*|sold|got rid of|broke up|replaced|switched from|changed from)\b",
    re.IGNORECASE,
)
_DENIES = re.compile(
    r"\b(?:not|never|no longer|cannot|\w+n't)\b|\bno (?!wonder|doubt|problem)", re.IGNORECASE
)
_CONDITIONAL = re.compile(
    r"\b(?:if|might|(?-i:may)|maybe|perhaps|would|could|should|hope|hoping|wish"
    r"|thinking (?:of|about)|want|wants|wanted|i'd|trying|try to|need to|not sure|can you|help me"
    r"|how to|considering|dream\w*|used to|planning|plan to|remind|let's|suppose)\b",
    re.IGNORECASE,
)
_ADDS = re.compile(
    r"\b(?:too|also|another|as well|both|besides|in addition|additional|second one|again)\b",
    re.IGNORECASE,
)
# "is", "lives", "has": what lasts until it changes; "ran", "was": what happened then.
_LASTS = re.compile(
    r"\b(?:is|are|am|i'm|we're|he's|she's|it's|they're|isn't|aren't|has|have|haven't|hasn't|don't"
    r"|doesn't|lives?|works?|costs?|starts?|begins?|opens?|closes?|weighs?|expires?|leaves?|allows?"
    r"|takes?|uses?|using|runs?|goes|go|drives?|sleeps?|smokes?|keeps?|i've|we've)\b",
    re.IGNORECASE,
)
_ONCE = re.compile(
    r"\b(?:today|yesterday|tonight|this morning|this afternoon|this evening|last night|this weekend"
    r"|ago|last (?:week|month|year|weekend|time))\b",
    re.IGNORECASE,
)
# Every word by which a clause could replace an older one is one of these, or begins like one of
# the next, or is a number.
_HINT_WORDS = frozenset(
    """
    now longer anymore more instead these nowadays all far actually as correction turns by since cut
    moved pushed brought went gone grown grew dropped rose raised raise quit gave given stopped sold
    rid broke not never cannot isn't aren't doesn't don't hasn't haven't live living lives based
    """.split()
)
_START = 5
_HINT_STARTS = frozenset(
    word[:_START]
    for word in """
    change changing switch reschedule postpone delay increase reduce lower upgrade downgrade replace
    improve updated renew extend shorten rewritten rewrote convert cancel relocated favourite
    favorite raising
    """.split()
)
_HOLDS = re.compile(
    r"\b(?:have|has|own|owns|drive|drives|ride|rides|use|uses|using|got|i'm|am|is|are|work|works"
    r"|take|takes|smoke|smokes|live|lives|learning|keep|keeps|play|plays|go|goes)\b",
    re.IGNORECASE,
)
_LIVES = re.compile(
    r"\b(?:lives?|living|based|moved|relocated)\s+(?:back\s+)?(?:in|to)\s+(?P<place>[A-Z]\w+)"
)
_SWITCHED = re.compile(
    r"\b(?:switched|changed|moved)\s+from\s+(?P<left>.+?)\s+to\s+\w"
    r"|\breplaced\s+(?P<old>.+?)\s+(?:with|by)\s+\w",
    re.IGNORECASE,
)
_FAVOURITE = re.compile(
    r"\bfavou?rite\s+(?P<kind>[\w ]+?)\s+(?:is|are)\s+(?:now\s+)?(?P<what>[^,.;]+)", re.IGNORECASE
)
_CUE_WORDS = frozenset(
    """
    now longer anymore instead day nowadays far actually correction new change changed switch
    switched moved rescheduled postponed delayed increased reduced raised lowered upgraded replaced
    improved updated renewed quit gave given stopped cancelled canceled sold up down went have has
    job work works working got still already just currently about around usually really pretty
    """.split()
)


@dataclass(frozen=True, eq=False)
class Claim:
    """A clause, taken apart.

    Attributes:
        text: The clause.
        subject: Stem of what it is about; "i" for the speaker, alone or not.
        stems: Stems of all its words that tell something, values' too.
        content: `stems` without values and words of change.
        numbers: Numbers, times of day, dates by number.
        dates: Weekdays and months.
        names: Stems of names inside the sentence, and of codes.
    """

    text: str
    subject: str
    stems: frozenset[str]
    content: frozenset[str]
    numbers: frozenset[str]
    dates: frozenset[str]
    names: frozenset[str]

    @cached_property
    def denies(self) -> bool:
        """Whether it says that something is not so."""
        return _DENIES.search(self.text) is not None

    @cached_property
    def ends(self) -> bool:
        """Whether it says that something is over."""
        return _ENDS.search(self.text) is not None

    @cached_property
    def replaces(self) -> bool:
        """Whether it says that it replaces something ("now", "instead")."""
        return _REPLACES.search(self.text) is not None

    @cached_property
    def changes(self) -> bool:
        """Whether it tells of a change ("moved", "raised")."""
        return _CHANGES.search(self.text) is not None

    @cached_property
    def conditional(self) -> bool:
        """Whether it is a wish, a plan or a condition."""
        return _CONDITIONAL.search(self.text) is not None

    @cached_property
    def adds(self) -> bool:
        """Whether it adds to something ("too", "another")."""
        return _ADDS.search(self.text) is not None

    @cached_property
    def lasts(self) -> bool:
        """Whether it tells of a state, not of an event."""
        return bool(_LASTS.search(self.text)) and not _ONCE.search(self.text)

    @cached_property
    def holds(self) -> bool:
        """Whether it says that somebody has, uses, is or does something."""
        return _HOLDS.search(self.text) is not None

    @cached_property
    def home(self) -> str:
        """The place it says somebody lives in; empty if none."""
        match = _LIVES.search(self.text)
        return match["place"] if match else ""

    @cached_property
    def favourite(self) -> tuple[str, frozenset[str]] | None:
        """Of what it names a favourite, and which, if it does."""
        match = _FAVOURITE.search(self.text)
        return (match["kind"].lower(), stems(match["what"])) if match else None

    @cached_property
    def given_up(self) -> frozenset[str]:
        """What it says was given up for another: "switched from Firefox to Vivaldi"."""
        match = _SWITCHED.search(self.text)
        return stems(match["left"] or match["old"]) if match else frozenset()


def clauses(text: str) -> list[str]:
    """Return the clauses of what is stated in the beginning of `text`; code and questions are not.

    Cost: about 5 µs a sentence.
    """
    found: list[str] = []
    for sentence in sentences(_FENCED.sub("\n", text) if "```" in text else text):
        if sentence.asks or _CODE.search(sentence.text):
            continue
        if _CONDITIONAL.search(sentence.text):
            found.append(sentence.text)  # cut, a condition's consequence would look like a fact
        else:
            found += _CLAUSE.split(sentence.text)
        if len(found) >= _MOST_CLAIMS:
            break
    return found[:_MOST_CLAIMS]


def may_replace(text: str) -> bool:
    """Tell, quickly, whether a text has anything by which it could replace an older one."""
    words = _TOKEN.findall(text.lower())
    return (
        not _HINT_WORDS.isdisjoint(words)
        or not _HINT_STARTS.isdisjoint([word[:_START] for word in words])
        or any(word[0].isdigit() for word in words)
    )


def stems(text: str) -> frozenset[str]:
    """Return the English stems of a text, stop words left out."""
    return frozenset(map(_stem, _TOKEN.findall(text.lower()))) - {""}


def claim_of(clause: str) -> Claim | None:
    """Return what a clause claims; None for one word, or a long-winded one.

    Cost: about 10 µs.
    """
    told = _REPORTED.sub("", clause)
    tokens = _TOKEN.findall(told)
    return _claim(told, tokens) if 1 < len(tokens) <= _MOST_WORDS else None


@lru_cache(maxsize=_KEPT_WORDS)
def _stem(word: str) -> str:
    """Return the stem of a word in small letters; empty for a stop word."""
    bare = word.strip("'").removesuffix("'s")
    if bare in STOP_WORDS:
        return ""
    with _STEMMING:
        return str(_STEMMER.stemWord(bare))


def _claim(text: str, tokens: Sequence[str]) -> Claim:
    numbers: set[str] = set()
    dates: set[str] = set()
    names: set[str] = set()
    content: set[str] = set()
    every: set[str] = set()
    for place, token in enumerate(tokens):
        word = token.lower()
        own = _stem(word)
        every.add(own)
        if word[0].isdigit() or word in _NUMBERS or (word in _ORDINALS and place):
            numbers.add(_NUMBERS.get(word, word))
        elif word in _DATE_WORDS and token[0].isupper():
            dates.add(word.removesuffix("s"))
        elif _is_name(token, place) or _HAS_SIGN.search(word):
            names.add(own)
        elif word not in _CUE_WORDS:
            content.add(own)
    return Claim(
        text=text,
        subject=_subject(tokens),
        stems=frozenset(every - {""}),
        content=frozenset(content - {""}),
        numbers=frozenset(numbers),
        dates=frozenset(dates),
        names=frozenset(names - {""}),
    )


def _is_name(token: str, place: int) -> bool:
    return place > 0 and token[0].isupper() and token.split("'", maxsplit=1)[0] != "I"


def _subject(tokens: Sequence[str]) -> str:
    """Return the stem of the first noun, or "i" where the speaker is the subject."""
    for token in tokens:
        word = token.lower()
        bare = word.split("'")[0]
        if word in _OPENERS:
            continue
        if bare in _FIRST_PERSON:
            return "i"
        if bare in _PRONOUNS and word not in _DETERMINERS:
            return bare
        if word in _DETERMINERS:
            continue
        if _stem(word):
            return _stem(word)
    return ""
