"""Gather the texts the table is fitted on: documentation, WordNet, templates, bags of words.

Everything comes from packages installed beside this script (see README.md for the list) or is
written in `templates.py`. No benchmark text is read.
"""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import ast
import gzip
import html
import itertools
import random
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wordfreq import get_frequency_dict, top_n_list

from tools.train_static_table import templates

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_SENTENCE_WORDS = (5, 45)
_PASSAGE_WORDS = (40, 200)
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
        if not _SENTENCE_WORDS[0] <= len(words) <= _SENTENCE_WORDS[1] or _CODE_MARKS.search(
            sentence
        ):
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


def documentation(limit: int, passages: int, rng: random.Random) -> tuple[list[str], list[str]]:
    """Return prose sentences of installed documentation and docstrings, and longer passages.

    A passage is a run of 40 to 200 words of one page, as it stands there.
    """
    library = Path(ast.__file__).parent
    site = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    metadata = (p.read_text(encoding="utf-8") for p in sorted(site.glob("*.dist-info/METADATA")))
    sources = itertools.chain(_documentation_pages(), metadata, _docstrings(library))
    for package in ("torch", "sympy", "networkx", "numpy", "huggingface_hub"):
        sources = itertools.chain(sources, _docstrings(site / package))
    found: dict[str, None] = {}
    runs: dict[str, None] = {}
    for text in sources:
        sentences = [s for part in re.split(r"\n\s*\n", text) for s in _prose(part)]
        found.update(dict.fromkeys(sentences))
        runs.update(dict.fromkeys(_passages(sentences, rng)))
    return (
        rng.sample(sorted(found), min(limit, len(found))),
        rng.sample(sorted(runs), min(passages, len(runs))),
    )


def _passages(sentences: list[str], rng: random.Random) -> Iterator[str]:
    run: list[str] = []
    length, wanted = 0, rng.randint(*_PASSAGE_WORDS)
    for sentence in sentences:
        run.append(sentence)
        length += len(sentence.split())
        if length >= wanted:
            yield " ".join(run)
            run, length, wanted = [], 0, rng.randint(*_PASSAGE_WORDS)


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


def joins(
    texts: list[str], count: int, rng: random.Random, sizes: tuple[int, ...] = (2, 3)
) -> list[str]:
    """Return `count` texts that are several of `texts` one after another."""
    return [" ".join(rng.choices(texts, k=rng.choice(sizes))) for _ in range(count)]


def gather(seed: int = 20261120) -> list[str]:
    """Return all training texts, each once, in an order fixed by the seed."""
    rng = random.Random(seed)
    prose, passages = documentation(45_000, 12_000, rng)
    wordnet = wordnet_texts(40_000, rng)
    chat = templates.sentences(45_000, open_slots(), rng)
    mixed = joins(prose + chat + wordnet, 12_000, rng) + joins(chat, 8_000, rng)
    mixed += joins(chat, 4_000, rng, sizes=(4, 6, 8))
    parts = {
        "documentation sentences": prose,
        "documentation passages": passages,
        "WordNet examples and definitions": wordnet,
        "template sentences": chat,
        "bags of words": bags(28_000, rng),
        "joined sentences": mixed,
    }
    for name, part in parts.items():
        print(f"  {name}: {len(part)}")
    texts = [text for part in parts.values() for text in part]
    unique = list(dict.fromkeys(texts))
    rng.shuffle(unique)
    return unique
