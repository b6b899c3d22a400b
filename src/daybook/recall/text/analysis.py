"""Turn a text into what an index stores about it: stem hashes, traits, length. Pure."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from zlib import crc32

import Stemmer
from msgspec import Struct

from daybook.recall.columns.term_blobs import pack_terms
from daybook.recall.text.emoji import emoji_in, shown_by
from daybook.recall.text.languages import Languages, has_hint, is_typography, languages_of
from daybook.recall.text.scripts import script_of
from daybook.recall.text.stop_words import STOP_WORDS
from daybook.recall.text.traits import Trait, word_traits
from daybook.recall.text.word_terms import (
    is_little,
    own_forms,
    part_forms,
    possible_forms,
    written_forms,
)
from daybook.recall.text.words import folded, parts, plain_words, spelled_words, words

__all__ = ["Analysis", "Analyzer"]

# A word's hash and traits are kept for the next time; 131,072 words take about 15 MB.
_CACHED_WORDS = 131_072
# Longer words are identifiers or encoded data: hashed as they are, not kept.
_LONGEST_WORD = 40
# Each costs a search of the postings; only a list of words without a sentence has so many.
_MOST_POSSIBLE = 64
_HASH_BITS = 32
# Of full width, Arabic, Ethiopic and Armenian.
_QUESTION_MARKS = str.maketrans(dict.fromkeys("\uff1f\u061f\u1367\u055e", "?"))
_HASH_MASK = (1 << _HASH_BITS) - 1


class Analysis(Struct, frozen=True):
    """What one text says, without its words.

    Attributes:
        terms: Sorted distinct stem hashes (uint32, little-endian), then their counts (uint8).
        traits: Sum of `Trait` bits.
        length: Number of words, stop words included.
    """

    terms: bytes
    traits: int
    length: int


class Analyzer:
    """Cuts, stems and hashes text. Safe to share between threads.

    Each word has its English stem; a word of another language also has its stem in that, and what
    else it may be found by (`daybook.recall.text.word_terms`). So an English text's terms do not
    depend on other languages, and a short question in a language that nothing tells still meets
    its documents where the forms are alike.
    """

    def __init__(self) -> None:
        self._facts = _WordFacts()
        self._forms = _WordForms(self._facts)

    def analyse(self, text: str) -> Analysis:
        """Return the parts of an index document that come from `text`.

        Cost: about 10 µs for a turn of 26 words already seen, up to five times that where the text
        is not plainly English.
        """
        spelled = spelled_words(text)
        cut = spelled if text.isascii() else plain_words(spelled)
        facts = self._facts
        counts: dict[int, int] = {}
        traits = 0
        for word in cut:
            fact = facts[word]
            traits |= fact >> _HASH_BITS
            stem = fact & _HASH_MASK
            if stem:
                counts[stem] = counts.get(stem, 0) + 1
        for stem in self._beyond_english(text, spelled, cut):
            counts[stem] = counts.get(stem, 0) + 1
        return Analysis(pack_terms(counts), traits | _text_traits(text), len(cut))

    def stems(self, text: str, *, like: str = "") -> list[int]:
        """Return the stem hashes that a question asks for, in order of first appearance.

        Those of `analyse`, without the little words of the language that the question is in and
        without what its compounds are made of.

        Args:
            text: The question, or a word.
            like: A text in whose languages `text` is; what `text` itself tells, if empty.
        """
        asked, languages = self._asked(text, like)
        facts = self._facts
        found = [stem for word in plain_words(asked) if (stem := facts[word] & _HASH_MASK)]
        found.extend(stem for forms in self._forms_of(asked, languages) for stem in forms.own)
        found.extend(self._emoji(text))
        return list(dict.fromkeys(found))

    def possible_stems(self, text: str) -> list[int]:
        """Return further stem hashes by which documents about a question may be found.

        Those of the parts of its compounds and, where nothing tells its language, of its words in
        every language that we know.
        """
        asked, languages = self._asked(text)
        found = [stem for forms in self._forms_of(asked, languages) for stem in forms.parts]
        if languages.latin == "english" and STOP_WORDS.isdisjoint(asked):
            found.extend(stem for word in asked for stem in _possible(word))
        return list(dict.fromkeys(found))[:_MOST_POSSIBLE]

    def _asked(self, text: str, like: str = "") -> tuple[list[str], Languages]:
        """Return a question's words without its language's little ones, unless none is left."""
        spelled = spelled_words(text)
        if like:
            languages = _languages_of(like)
        elif text.isascii() and not has_hint(spelled):
            languages = Languages()
        else:
            languages = languages_of(text, plain_words(spelled))
        if languages.latin == "english" and text.isascii():
            return spelled, languages
        asked = [word for word in spelled if not is_little(word, languages.of(script_of(word)))]
        return asked if like else asked or spelled, languages

    def _beyond_english(self, text: str, spelled: list[str], cut: list[str]) -> Iterator[int]:
        """Yield the terms that `text` has beyond the English stems of its words."""
        if not has_hint(cut):
            if text.isascii():
                return
            if is_typography(text, spelled):
                yield from self._emoji(text)
                return
        for forms in self._forms_of(spelled, languages_of(text, cut)):
            yield from forms.own
            yield from forms.parts
        yield from self._emoji(text)

    def _forms_of(self, spelled: Iterable[str], languages: Languages) -> list[_Forms]:
        if languages.latin == "english":
            spelled = [word for word in spelled if not word.isascii()]
        known = self._forms
        return [known[languages, word] for word in spelled]

    def _emoji(self, text: str) -> Iterator[int]:
        for one in emoji_in(text):
            yield _hashed(one)
            yield from (self._facts[shown] & _HASH_MASK for shown in shown_by(one))


@functools.lru_cache(maxsize=8)
def _languages_of(text: str) -> Languages:
    return languages_of(text, words(text))


@functools.lru_cache(maxsize=4_096)
def _possible(word: str) -> tuple[int, ...]:
    return tuple(map(_hashed, possible_forms(word)))


def _hashed(form: str) -> int:
    return crc32(form.encode("utf-8", "surrogatepass")) or 1


def _text_traits(text: str) -> int:
    """Return the bits that only the whole text can set."""
    bits = 0
    if not text.isascii():
        text = text.translate(_QUESTION_MARKS)
    if "?" in text:
        bits = int(Trait.QUESTION)
        if text.rstrip().endswith("?"):
            bits |= Trait.ENDS_IN_QUESTION
    if "```" in text:
        bits |= Trait.CODE
    return bits


class _Forms(NamedTuple):
    """A word's terms beyond its English stem, and those of the words it may be made of."""

    own: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()


class _WordForms(dict[tuple[Languages, str], _Forms]):
    """The forms of a word, with its accents, in a text of these languages."""

    def __init__(self, facts: _WordFacts) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, key: tuple[Languages, str]) -> _Forms:
        languages, word = key
        language = languages.of(script_of(word))
        forms = _Forms()
        if len(word) <= _LONGEST_WORD and not is_little(word, language):
            forms = self._forms(language, word)
        if len(self) >= _CACHED_WORDS:
            self.clear()
        self[key] = forms
        return forms

    def _forms(self, language: str, word: str) -> _Forms:
        plain = folded(word)
        cut = parts(plain)
        known = {self._facts[part] & _HASH_MASK for part in cut}
        own = [form for part in cut for form in written_forms(part)]
        inside: list[str] = []
        if cut == [plain]:
            own += own_forms(word, language)
            inside = part_forms(word, language)
        hashes = dict.fromkeys(hash_ for form in own if (hash_ := _hashed(form)) not in known)
        known.update(hashes)
        return _Forms(
            tuple(hashes),
            tuple(dict.fromkeys(h for form in inside if (h := _hashed(form)) not in known)),
        )


class _WordFacts(dict[str, int]):
    """Word to its traits (upper bits) and stem hash (lower 32 bits, 0 for a stop word)."""

    def __init__(self) -> None:
        super().__init__()
        self._stemmer = Stemmer.Stemmer("english", 0)
        # A PyStemmer object has state of its own; words already seen never come here.
        self._lock = threading.Lock()

    def __missing__(self, word: str) -> int:
        bare = word.strip("'")
        fact = word_traits(bare) << _HASH_BITS
        if bare and bare not in STOP_WORDS:
            fact |= self._stem_hash(bare)
        if len(word) <= _LONGEST_WORD:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = fact
        return fact

    def _stem_hash(self, word: str) -> int:
        if len(word) > _LONGEST_WORD:
            stem = word
        else:
            with self._lock:
                stem = self._stemmer.stemWord(word)
        return _hashed(stem)
