"""Choose the sentences of a conversation that are worth keeping, without a model.

A sentence is scored by cues, each with a weight set by hand: that it is asked to be kept, that
somebody speaks of themselves, words of people's lives (family, health, work, places to live,
contracts), names, dates and amounts, that it states something. Questions, requests to the assistant
and pleasantries count against it. The cues are of English, German, French, Spanish, some Italian,
Chinese and Japanese. They decide what is quoted, never what is kept: the log keeps everything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from daybook.model.digest import Note
from daybook.model.entry import HistoryEntry

__all__ = ["FACT_SCORE", "facts_of", "note_of", "scored_sentences"]

# A sentence of this score states something that holds beyond the moment.
FACT_SCORE = 2.5
_NOTABLE = 1.5

# Not behind an ordinal ("30. Juni") or a title ("Dr. Li").
_SENTENCE_ENDS = re.compile(
    r"(?<=[.!?…])(?<!\b\d\.)(?<!\b\d\d\.)(?<!\b[DMS]r\.)(?<!\bMrs\.)(?<!\bSt\.)[\"')\]]*\s+"
    r"|(?<=[。！？])|\n+"
)
_WORD = re.compile(r"\w+(?:['’]\w+)?")
_SPACES = re.compile(r"\s+")
_SHORTEST, _LONGEST = 3, 60
_LONGEST_CHARS = 400
_RARE = 0.5
_MOST_NAMES = 2


def _words_of(text: str) -> str:
    """Return a pattern for any of some words or phrases, whole words only."""
    return r"\b(?:" + "|".join(text.split()).replace("_", r"\s+") + r")\b"


_ASKED_TO_KEEP = (
    _words_of(
        "remember note_that keep_in_mind don['’]t_forget important for_the_record make_sure "
        "from_now_on deadline password code_?name merk_dir wichtig denk_daran rappelle n['’]oublie "
        "souviens recuerda no_olvides ricorda importante"
    )
    + "|记住|别忘|重要|密码|覚えて"
)
# What only a statement about oneself says; then what a passing remark may say as well.
_OF_SELF = (
    _words_of(
        "i_(?:have|had|live|lived|work|worked|own|moved|study|studied|speak|drive|take|never|always|"
        "can['’]t|cannot|decided|bought|started|quit|grew_up|was_born) i(?:_am|['’]m)_an? i['’]ve "
        "i(?:['’]d)?_(?:like|love|hate|prefer|need|want|use)(?!_(?:the|that|this|it|your|these|those|"
        "how|to_(?:see|know|hear))\\b) "
        "we_(?:have|decided|agreed|moved|live|chose|settled) we['’]ve "
        "(?:call|reach|phone|email)_me "
        "makes?_me_(?:ill|sick|sleepy|sad|happy|nervous) "
        "ich_(?:habe|wohne|heiße|arbeite|mag|hasse|nehme) wir_haben am_liebsten "
        "j['’]ai j['’]habite je_(?:travaille|préfère|prends|déteste|m['’]appelle) nous_avons "
        "tengo vivo trabajo prefiero hemos odio ho lavoro abito"
    )
    + "|我(?:在|住|是|叫|姓|有|不吃|讨厌)|更喜欢|最喜欢"
)
_SELF = (
    _words_of(
        "i_am i_was i['’](?:m|d) i_(?:do|don['’]t|need|want|like|use) my our mine "
        "we_(?:are|use|need|will) we['’]re for_me put_me ich_bin meine?[nrsm]? unsere?[nrsm]? "
        "je_suis mon ma mes "
        "notre nos soy mi mis nuestr[oa]s? sono mio mia nostr[oa]"
    )
    + "|我|私|僕"
)
_ELLIPTIC = r"^\W*(?:just|been|got|turning|had|moved|started|finally|recently)\s+\w+\s+\w+"
_LIFE = (
    r"\b(?:allerg|alérgi|diabet|pregnan|vegetari|vegan|prescri|medic|surg|birth|married|divorc|"
    r"schwester|bruder|mutter|vater|tochter|geburtstag|vermieter|vertrag|arzt|krank|"
    r"sœur|frère|mère|père|fille|anniversaire|propriétaire|contrat|médecin|malade|"
    r"herman[oa]|madre|padre|hij[oa]|cumpleaños|caser[oa]|contrato|enferm)\w*|"
    + _words_of(
        "ill sick gluten dairy nuts kids? sons? daughters? wife husband partner mother father mom "
        "dad grandma grandpa sisters? brothers? dog cat doctor dentist nurse job salary rent "
        "landlord lease contract budget flight appointment address phone born arzt termin miete "
        "cita"
    )
    + "|过敏|妹|姐|哥|弟|妈|爸|医生|药|生日|合同|房东|住在|工作|女儿|儿子"
)
_MONTH = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez|märz|janv|févr|mars|avr|juin|juil|"
    "août|ene|abr|ago|dic"
)
_DATUM = (
    r"\d{3,}|\d:\d\d|\d[.,]\d|[€$£¥]\s?\d|\d\s?(?:[€£¥%]|[kmg]b\b|mg\b|kg\b|km\b)"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th|\.)?\s+(?:de\s+)?(?:{_MONTH})|\b(?:{_MONTH})[a-zé]*\s+\d"
    r"|\b(?:next|last)\s+(?:week|month|year|spring|summer|autumn|winter)\b"
    r"|[\d一二三四五六七八九十]\s?[月日号點点年]"
)
_STATES = (
    _words_of(
        "is are was were will has had decided agreed chose moved called named costs? due starts? "
        "ends? lives? works? lands? leaves? arrives? takes? runs? meets? owns? owes? "
        "prescribed booked "
        "ist sind wird hat heißt endet beginnt wohnt arbeitet est sont a finit commence habite "
        "s['’]appelle es son tiene termina empieza vive trabaja llama"
    )
    + "|是|叫|住|到期|在"
)
_NAME = r"(?<=[^.!?\s] )[A-ZÀ-ÖØ-ÞА-Я]\w+|^[A-ZÀ-ÖØ-Þ]\w+(?=['’]s\b)"
_OPENING_NAME = (
    r"^[A-Z][a-zà-ÿ]+(?=\s+(?:is|was|has|had|will|takes|lives|works|moved|needs|and\s+[A-Z]))"
)
_NO_NAMES = frozenset(
    "the that this it he she they we you there here what who which everything nothing something "
    "all one and but so now then how why where when mine yours der die das es il elle".split()
)
_SMALL_TALK = (
    r"^\W*(?:hi|hello|hey|thanks|thank\s+you|ok|okay|sure|great|nice|cool|yes|no|bye|got\s+it|hm|"
    r"of\s+course|you['’]re\s+welcome|sounds\s+good|let\s+me\s+know|happy\s+to\s+help|merci|danke|"
    r"gracias|bitte)\b"
)
_REQUEST = (
    r"^\W*(?:please|can|could|would|make|show|give|write|rewrite|add|explain|try|let|tell|help|list|"
    r"translate|summari[sz]e|go|put|use|read|find|fix|shorten|change|kannst|peux|puedes)\b"
)
# The weight of each cue that a lower-case sentence has; a name counts up to twice.
_CUES: tuple[tuple[float, re.Pattern[str]], ...] = tuple(
    (weight, re.compile(pattern))
    for weight, pattern in (
        (3.0, _ASKED_TO_KEEP),
        (2.5, _OF_SELF),
        (1.75, _SELF),
        (1.5, _ELLIPTIC),
        (1.5, _LIFE),
        (1.25, _DATUM),
        (0.75, _STATES),
        (-1.5, _SMALL_TALK),
        (-1.0, _REQUEST),
        (-2.5, r"[?？]$"),
    )
)
_NAMES = re.compile(_NAME)
_OPENER = re.compile(_OPENING_NAME)


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
        (entry, sentence, _words(sentence))
        for entry in entries
        if entry.message.role != "tool" and not entry.corrupt
        for sentence in _sentences(entry.message.text)
    ]
    counts = Counter(word for _, _, words in split for word in set(words))
    return [(_score(sentence, words, counts), entry, sentence) for entry, sentence, words in split]


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


def _score(sentence: str, words: Sequence[str], counts: Counter[str]) -> float:
    dense = not sentence.isascii() and len(words) < _SHORTEST  # a script without spaces
    if not dense and not _SHORTEST <= len(words) <= _LONGEST:
        return 0.0 if len(words) < _SHORTEST else 0.5
    plain = sentence.lower()
    score = sum(weight for weight, cue in _CUES if cue.search(plain))
    score += 0.75 * min(_MOST_NAMES, len(_names(sentence)))
    distinct = set(words)
    rare = sum(1 for word in distinct if counts[word] == 1) / max(1, len(distinct))
    return score + _RARE * rare


def _names(sentence: str) -> list[str]:
    """Return words that are most likely names; German writes every noun like one."""
    found: list[str] = _NAMES.findall(sentence)
    opening = _OPENER.match(sentence)
    if opening and opening.group().lower() not in _NO_NAMES:
        found.append(opening.group())
    return found
