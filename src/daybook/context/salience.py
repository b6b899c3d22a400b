"""Choose the sentences of a conversation that are worth keeping, without a model.

A sentence counts for what it says about somebody ("I am allergic to…", "we decided…", "remember"),
for the names, numbers and dates in it, and for words that are rare in this conversation; questions,
greetings and pleasantries count little. The weights are set by hand and few; they decide what
is quoted, never what is kept: the log keeps everything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from daybook.model.digest import Note
from daybook.model.entry import HistoryEntry

__all__ = ["FACT_SCORE", "facts_of", "note_of", "scored_sentences"]

# A sentence of this score states something that holds beyond the moment.
FACT_SCORE = 3.0
_NOTABLE = 2.0

_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])[\"')\]]*\s+|(?<=[。！？])|\n+")
_WORD = re.compile(r"\w+(?:['’]\w+)?")
_NUMBER = re.compile(r"\d")
_NAME = re.compile(r"(?<=[^.!?\s] )(?:[A-ZÀ-ÖØ-ÞА-Я]\w+)")
_SPACES = re.compile(r"\s+")
_SHORTEST, _LONGEST = 3, 60
_LONGEST_CHARS = 400

# What people say when they state something about themselves or ask for it to be kept; the common
# European languages beside English, and Chinese and Japanese by their first-person words.
_ABOUT_SELF = re.compile(
    r"\b(?:i\s+(?:am|have|had|was|live|lived|work|worked|like|love|hate|prefer|need|want|use|own|"
    r"moved|study|studied|speak|drive|take|never|always|can't|cannot|don't|decided|bought|started)|"
    r"i['’](?:m|ve|d)|my|our|mine|we\s+(?:are|have|decided|agreed|use|moved|live|need|chose|will)|"
    r"we['’](?:re|ve)|call\s+me|ich\s+(?:bin|habe|wohne|heiße|arbeite|mag)|meine?[nrsm]?|wir\s+haben|"
    r"je\s+suis|j['’]ai|mon|ma|mes|nous\s+avons|soy|tengo|vivo|mi|mis|sono|ho|mio|mia)\b"
    r"|我|私|僕",
    re.IGNORECASE,
)
_ASKED_TO_KEEP = re.compile(
    r"\b(?:remember|note\s+that|keep\s+in\s+mind|don['’]t\s+forget|important|for\s+the\s+record|"
    r"make\s+sure|from\s+now\s+on|deadline|password|code\s*name|merk\s+dir|wichtig|rappelle|"
    r"recuerda|ricorda)\b|记住|覚えて",
    re.IGNORECASE,
)
_STATES = re.compile(
    r"\b(?:is|are|was|were|will|has|decided|agreed|chose|moved|called|named|born|allergic|married|"
    r"costs?|due|starts?|ends?|lives?|works?|ist|sind|wird|est|sont|es|son)\b",
    re.IGNORECASE,
)
_SMALL_TALK = re.compile(
    r"^\W*(?:hi|hello|hey|thanks|thank\s+you|ok|okay|sure|great|nice|cool|yes|no|bye|got\s+it|"
    r"of\s+course|you['’]re\s+welcome|sounds\s+good|let\s+me\s+know|happy\s+to\s+help)\b",
    re.IGNORECASE,
)


def facts_of(entries: Iterable[HistoryEntry]) -> list[Note]:
    """Return the sentences of users that state something worth never losing, in order.

    Cost: linear in the text. Pure.
    """
    return [
        note_of(entry, sentence, priority=3)
        for score, entry, sentence in scored_sentences(list(entries))
        if score >= FACT_SCORE and entry.message.role == "user"
    ]


def scored_sentences(
    entries: Sequence[HistoryEntry],
) -> list[tuple[float, HistoryEntry, str]]:
    """Return every sentence of a conversation with its score, in order.

    Tool results and messages that did not decode have none; what a tool said is repeated by the
    assistant if it mattered.
    """
    split = [
        (entry, sentence)
        for entry in entries
        if entry.message.role != "tool" and not entry.corrupt
        for sentence in _sentences(entry.message.text)
    ]
    counts = Counter(word for _, sentence in split for word in set(_words(sentence)))
    return [(_score(entry, sentence, counts), entry, sentence) for entry, sentence in split]


def note_of(entry: HistoryEntry, sentence: str, priority: int) -> Note:
    """Return a sentence as a quoted note."""
    message = entry.message
    return Note(
        text=sentence,
        seq=entry.seq,
        priority=priority,
        said_at=message.created_at,
        speaker=message.name or message.role,
    )


def priority_of(score: float) -> int:
    """Return the priority that a score stands for, 1 to 3."""
    return 3 if score >= FACT_SCORE else 2 if score >= _NOTABLE else 1


def _sentences(text: str) -> list[str]:
    found = (_SPACES.sub(" ", piece).strip() for piece in _SENTENCE_ENDS.split(text))
    return [piece[:_LONGEST_CHARS] for piece in found if piece]


def _words(sentence: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(sentence)]


def _score(entry: HistoryEntry, sentence: str, counts: Counter[str]) -> float:
    words = _words(sentence)
    dense = not sentence.isascii() and len(words) < _SHORTEST  # a script without spaces
    if not dense and not _SHORTEST <= len(words) <= _LONGEST:
        return 0.0 if len(words) < _SHORTEST else 0.5
    score = 0.0
    user = entry.message.role == "user"
    if user and _ABOUT_SELF.search(sentence):
        score += 2.0
    if _ASKED_TO_KEEP.search(sentence):
        score += 3.0 if user else 1.0
    if _STATES.search(sentence):
        score += 0.5
    score += 0.75 * min(2, len(_NAME.findall(sentence)))
    score += 0.75 if _NUMBER.search(sentence) else 0.0
    rare = sum(1 for word in set(words) if counts[word] == 1) / max(1, len(set(words)))
    score += rare
    if sentence.endswith(("?", "？")):
        score -= 2.5
    if _SMALL_TALK.search(sentence):
        score -= 1.5
    return score
