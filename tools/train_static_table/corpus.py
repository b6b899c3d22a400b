"""Gather the texts the table is fitted on: documentation, WordNet, templates, bags of words.

Everything comes from packages installed beside this script (see README.md for the list) or is
written in `templates.py`. No benchmark text is read.
"""

from __future__ import annotations

import ast
import gzip
import html
import itertools
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import templates
from wordfreq import get_frequency_dict, top_n_list

WORDNET = Path("/usr/share/wordnet")
DOCUMENTATION = Path("/usr/share/doc")
DOCUMENTATION_PACKAGES = (
    "debian-faq",
    "debian-handbook/html/en-US",
    "developers-reference",
    "git-doc",
)
_LEXICOGRAPHER_FILES = {
    "04": "act",
    "05": "animal",
    "06": "thing",
    "08": "body",
    "11": "event",
    "13": "food",
    "15": "place",
    "20": "plant",
    "27": "substance",
}
_TAGS = re.compile(r"<(script|style|pre)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_PROSE_WORD = re.compile(r"[A-Za-z]{2,}(?:'[a-z]+)?")
_CODE_MARKS = re.compile(r"[=<>{}\[\]|\\_#@*~^$]|::|>>>|\.\.\s|--")


def plain_words(limit: int = 40_000) -> list[str]:
    """Return the purely alphabetic words among English's `limit` most frequent ones."""
    return [word for word in top_n_list("en", limit) if word.isalpha() and word.isascii()]


def contractions(limit: int = 20_000) -> list[str]:
    """Return frequent words such as "don't", leaving out possessives."""
    words = [w for w in top_n_list("en", limit) if w.count("'") == 1 and w.isascii()]
    return [w for w in words if w.replace("'", "").isalpha() and _is_contraction(w)]


def _is_contraction(word: str) -> bool:
    stem, tail = word.split("'")
    pronouns = {"it", "he", "she", "that", "what", "there", "who", "where", "how", "here", "let"}
    return bool(stem) and (tail in {"t", "m", "re", "ve", "ll", "d"} or stem in pronouns)


def _prose(paragraph: str) -> Iterator[str]:
    """Yield the sentences of a paragraph that read as English prose."""
    text = " ".join(paragraph.split())
    for sentence in _SENTENCE_END.split(text):
        words = sentence.split()
        if not 5 <= len(words) <= 45 or _CODE_MARKS.search(sentence):
            continue
        if sum(bool(_PROSE_WORD.search(word)) for word in words) >= 0.8 * len(words):
            yield sentence


def _documentation_pages() -> Iterator[str]:
    for package in DOCUMENTATION_PACKAGES:
        for path in sorted((DOCUMENTATION / package).rglob("*")):
            if path.name.endswith((".html", ".txt", ".html.gz", ".txt.gz")) and path.is_file():
                raw = path.read_bytes()
                raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
                yield html.unescape(_TAGS.sub(" ", raw.decode("utf-8", "replace")))


def _docstrings(folder: Path) -> Iterator[str]:
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path in sorted(folder.rglob("*.py")):
        place = str(path.relative_to(folder)).lower()
        if "test" in place or "site-packages" in place:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError, ValueError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, kinds) and (text := ast.get_docstring(node)):
                yield text


def documentation(limit: int, rng: random.Random) -> list[str]:
    """Return up to `limit` prose sentences from installed documentation and docstrings."""
    library = Path(ast.__file__).parent
    site = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    metadata = (p.read_text(encoding="utf-8") for p in sorted(site.glob("*.dist-info/METADATA")))
    sources = itertools.chain(_documentation_pages(), metadata, _docstrings(library))
    for package in ("torch", "sympy", "networkx", "numpy", "huggingface_hub"):
        sources = itertools.chain(sources, _docstrings(site / package))
    found: dict[str, None] = {}
    for text in sources:
        for paragraph in re.split(r"\n\s*\n", text):
            found.update(dict.fromkeys(_prose(paragraph)))
    return rng.sample(sorted(found), min(limit, len(found)))


def _synsets() -> Iterator[tuple[str, str, list[str], str]]:
    """Yield (part of speech, lexicographer file, lemmas, gloss with examples)."""
    for part in ("noun", "verb", "adj", "adv"):
        for line in (WORDNET / f"data.{part}").read_text(encoding="latin-1").splitlines():
            if line.startswith(" "):
                continue
            fields, gloss = line.split(" | ", 1)
            columns = fields.split()
            lemmas = [columns[4 + 2 * i].split("(")[0] for i in range(int(columns[3], 16))]
            yield part, columns[1], lemmas, gloss.strip()


def wordnet_texts(glosses: int, rng: random.Random) -> list[str]:
    """Return every usage example and a sample of "lemmas: definition" lines."""
    examples: list[str] = []
    definitions: list[str] = []
    for _, _, lemmas, gloss in _synsets():
        quoted = re.findall(r'"([^"]{12,300})"', gloss)
        examples.extend(quoted)
        meaning = gloss.split('; "')[0]
        definitions.append(f"{', '.join(lemmas[:2]).replace('_', ' ')}: {meaning}")
    return examples + rng.sample(definitions, min(glosses, len(definitions)))


def open_slots(rarest: float = 2e-6) -> templates.Slots:
    """Return nouns for the open template slots, only those in everyday use."""
    frequency = get_frequency_dict("en")
    slots: dict[str, set[str]] = {slot: set() for slot in _LEXICOGRAPHER_FILES.values()}
    for part, heading, lemmas, _ in _synsets():
        if part == "noun" and heading in _LEXICOGRAPHER_FILES:
            words = [w.replace("_", " ") for w in lemmas]
            common = (w for w in words if min(frequency.get(x, 0) for x in w.split()) > rarest)
            slots[_LEXICOGRAPHER_FILES[heading]].update(common)
    return {slot: sorted(words) for slot, words in slots.items()}


def bags(count: int, rng: random.Random) -> list[str]:
    """Return bags of 3 to 12 words, rarer words drawn far more often than in running text."""
    words = plain_words()
    frequency = get_frequency_dict("en")
    result: list[str] = []
    for power in (0.3, 0.5):
        weights = list(itertools.accumulate(frequency[w] ** power for w in words))
        sizes = [rng.randint(3, 12) for _ in range(count // 2)]
        drawn = rng.choices(words, cum_weights=weights, k=sum(sizes))
        ends = list(itertools.accumulate(sizes))
        result += [" ".join(drawn[end - n : end]) for n, end in zip(sizes, ends, strict=True)]
    return result


def joins(texts: list[str], count: int, rng: random.Random) -> list[str]:
    """Return `count` texts made of two or three neighbours in random order."""
    return [" ".join(rng.choices(texts, k=rng.choice((2, 3)))) for _ in range(count)]


def gather(seed: int = 20261120) -> list[str]:
    """Return all training texts, each once, in an order fixed by the seed."""
    rng = random.Random(seed)
    prose = documentation(45_000, rng)
    wordnet = wordnet_texts(40_000, rng)
    chat = templates.sentences(45_000, open_slots(), rng)
    mixed = joins(prose + chat + wordnet, 12_000, rng) + joins(chat, 8_000, rng)
    texts = prose + wordnet + chat + bags(28_000, rng) + mixed
    for name, part in (("documentation", prose), ("wordnet", wordnet), ("templates", chat)):
        print(f"  {name}: {len(part)}")
    unique = list(dict.fromkeys(texts))
    rng.shuffle(unique)
    return unique
