"""Turn a text into what an index stores about it: stem hashes, traits, length. Pure."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from zlib import crc32

import Stemmer
from msgspec import Struct

from daybook.recall.emoji import emoji_in, shown_by
from daybook.recall.languages import Languages, has_hint, languages_of
from daybook.recall.scripts import script_of
from daybook.recall.stop_words import STOP_WORDS
from daybook.recall.term_blobs import pack_terms
from daybook.recall.traits import Trait, word_traits
from daybook.recall.word_terms import is_little, own_forms, part_forms, written_forms
from daybook.recall.words import folded, parts, plain_words, spelled_words

__all__ = ["Analysis", "Analyzer"]

# A word's hash and traits are kept for the next time; 131,072 words take about 15 MB.
_CACHED_WORDS = 131_072
# Longer words are identifiers or encoded data: hashed as they are, not kept.
_LONGEST_WORD = 40
_HASH_BITS = 32
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
    else it may be found by (`daybook.recall.word_terms`). So the terms of an English text do not
    depend on other languages, and a short question in a language that nothing tells still meets
    its documents where the forms are alike.
    """

    def __init__(self) -> None:
        self._facts = _WordFacts()
        self._forms = _WordForms(self._facts)

    def analyse(self, text: str) -> Analysis:
        """Return the parts of an index document that come from `text`.

        Cost: about 10 µs for a turn of 26 words already seen, three times that where the text is
        not plainly English.
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

    def stems(self, text: str) -> list[int]:
        """Return the stem hashes of `text` in order of first appearance, stop words left out."""
        facts = self._facts
        spelled = spelled_words(text)
        cut = spelled if text.isascii() else plain_words(spelled)
        found = [stem for word in cut if (stem := facts[word] & _HASH_MASK)]
        found.extend(self._beyond_english(text, spelled, cut))
        return list(dict.fromkeys(found))

    def _beyond_english(self, text: str, spelled: list[str], cut: list[str]) -> Iterable[int]:
        """Return the terms that `text` has beyond the English stems of its words."""
        if text.isascii() and not has_hint(cut):
            return ()
        languages = languages_of(text, cut)
        if languages.latin == "english":
            spelled = [word for word in spelled if not word.isascii()]
        forms = self._forms
        found = [stem for word in spelled for stem in forms[languages, word]]
        for one in emoji_in(text):
            found.append(_hashed(one))
            found.extend(self._facts[shown] & _HASH_MASK for shown in shown_by(one))
        return found


def _hashed(form: str) -> int:
    return crc32(form.encode("utf-8", "surrogatepass")) or 1


def _text_traits(text: str) -> int:
    """Return the bits that only the whole text can set."""
    bits = 0
    if "?" in text:
        bits = int(Trait.QUESTION)
        if text.rstrip().endswith("?"):
            bits |= Trait.ENDS_IN_QUESTION
    if "```" in text:
        bits |= Trait.CODE
    return bits


class _WordForms(dict[tuple[Languages, str], tuple[int, ...]]):
    """A text's languages and a word, with accents, to its terms beyond the English stem."""

    def __init__(self, facts: _WordFacts) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, key: tuple[Languages, str]) -> tuple[int, ...]:
        languages, word = key
        found: tuple[int, ...] = ()
        if len(word) <= _LONGEST_WORD:
            found = self._terms(languages.of(script_of(word)), word)
        if len(self) >= _CACHED_WORDS:
            self.clear()
        self[key] = found
        return found

    def _terms(self, language: str, word: str) -> tuple[int, ...]:
        if is_little(word, language):
            return ()
        plain = folded(word)
        cut = parts(plain)
        forms = [form for part in cut for form in written_forms(part)]
        if cut == [plain]:
            forms += own_forms(word, language) + part_forms(word, language)
        known = {self._facts[part] & _HASH_MASK for part in cut}
        return tuple(dict.fromkeys(h for form in forms if (h := _hashed(form)) not in known))


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
