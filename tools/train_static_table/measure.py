"""Measure a table as a retriever: recall of evidence turns, alone and summed with BM25.

Needs a folder with the project's recall scorer (`datasets.py`, `score.py`) and its data; neither
is part of this repository. Tables are only measured on them, never fitted.
"""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import argparse
import importlib
import math
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from daybook.embedders.static_table import StaticTable

Floats = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Floats]

_STOP_WORDS = """
    a about after all also am an and any are as at be been before being but by can could did do
    does doing down each for from had has have having he her here hers him his how i if in into
    is it its just me more most my no nor not now of off on once only or other our out over own
    same she should so some such than that the their them then there these they this those
    through to too under until up very was we were what when where which while who whom why will
    with would you your yours s t d ll m re ve
"""
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[a-z0-9]+")
_stem = snowballstemmer.stemmer("english").stemWord
_stems: dict[str, str] = {}


def terms(text: str) -> list[str]:
    """Return the stems of a text, stop words left out."""
    found = (word for word in _WORD.findall(text.lower()) if word not in _STOP)
    return [_stems.get(word) or _stems.setdefault(word, _stem(word)) for word in found]


class Bm25:
    """BM25 with k1 = 0.9, b = 0.4."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Index the texts."""
        self._counts = [Counter(terms(text)) for text in texts]
        self._lengths = np.array([sum(count.values()) for count in self._counts])
        documents = Counter(term for count in self._counts for term in count)
        total = len(texts)
        self._idf = {t: math.log(1 + (total - n + 0.5) / (n + 0.5)) for t, n in documents.items()}

    def scores(self, query: str) -> Floats:
        """Return one score for each text."""
        norm = 0.9 * (0.6 + 0.4 * self._lengths / self._lengths.mean())
        result = np.zeros(len(self._counts), np.float32)
        for term in terms(query):
            if term in self._idf:
                tf = np.array([count[term] for count in self._counts])
                result += self._idf[term] * tf * 1.9 / (tf + norm)
        return result


def without_names(question: str, names: Sequence[str]) -> str:
    """Cut the speakers' names out of a question."""
    pattern = "|".join(re.escape(name) for name in names)
    return re.sub(rf"\b(?:{pattern})(?:'s)?\b", " ", question, flags=re.IGNORECASE)


def late_interaction(table: StaticTable, texts: Sequence[str], query: str) -> Floats:
    """Return the weighted mean, over the query's rows, of the best cosine in each text."""
    ids = table.token_ids(query)
    if not len(ids):
        return np.zeros(len(texts), np.float32)
    rows = [table.token_ids(text) for text in texts]
    lengths = np.array([max(1, len(row)) for row in rows])
    flat = np.concatenate([row if len(row) else np.zeros(1, np.uint16) for row in rows])
    seen, places = np.unique(flat, return_inverse=True)
    close = (table.token_vectors(seen) @ table.token_vectors(ids).T)[places]
    best = np.maximum.reduceat(close, np.cumsum(lengths) - lengths, axis=0)
    return np.asarray(best @ table.token_weights(ids), np.float32)


def z(scores: Floats) -> Floats:
    """Return scores with mean 0 and variance 1."""
    return np.asarray((scores - scores.mean()) / (scores.std() + 1e-9), np.float32)


def measure(
    quality: tuple[Any, Any], name: str, encode: Encode, table: StaticTable | None
) -> dict[str, float]:
    """Return R@10 in percent of each way to rank, on one data set."""
    datasets, score = quality
    runs: dict[str, dict[str, list[str]]] = {"alone": {}, "z": {}, "bm25": {}}
    if table:
        runs["late"] = {}
    for conversation in datasets.load(name):
        texts = [turn.text for turn in conversation.turns]
        ids = np.array([turn.id for turn in conversation.turns])
        names = sorted({turn.speaker for turn in conversation.turns})
        vectors = encode(texts)
        lexical = Bm25([f"{turn.speaker} {turn.text}" for turn in conversation.turns])
        for question in conversation.questions:
            cut = without_names(question.text, names) if name == "locomo" else question.text
            dense = vectors @ encode([cut])[0]
            words = lexical.scores(question.text)
            legs = {"alone": dense, "bm25": words, "z": z(words) + z(dense)}
            if table:
                legs["late"] = late_interaction(table, texts, cut)
            for leg, scores in legs.items():
                runs[leg][question.qid] = list(ids[np.argsort(-scores, kind="stable")[:50]])
    return {
        leg: round(100 * score.evaluate(run, name)["no-adv"]["R@10"], 1)
        for leg, run in runs.items()
    }


def minilm() -> Encode:
    """Return the teacher itself, for comparison; only this needs torch."""
    teacher = importlib.import_module("tools.train_static_table.teacher").Teacher()
    return lambda texts: teacher.encode(texts, max_tokens=256).astype(np.float32)


def main() -> None:
    """Measure each table named on the command line, or MiniLM for the word `minilm`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("quality", type=Path, help="folder with datasets.py and score.py")
    parser.add_argument("tables", nargs="+", help="table files, or `minilm`")
    options = parser.parse_args()
    sys.path.insert(0, str(options.quality))
    quality = importlib.import_module("datasets"), importlib.import_module("score")
    for name in options.tables:
        table = None if name == "minilm" else StaticTable.from_file(Path(name))
        encode = table.encode if table else minilm()
        for data in ("locomo", "beam100K"):
            print(name, data, measure(quality, data, encode, table), flush=True)


if __name__ == "__main__":
    main()
