"""How long a question takes: `python -m benchmarks.recall_quality.latency [--json]`.

Times the whole pure path (read the question, embed it with the static table, find candidates,
rank) over made-up conversations; reading messages back from storage is not in it.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from datetime import UTC, datetime

import numpy as np

from daybook.embedders.static_table import StaticTable
from daybook.recall.columns.document_batch import DocumentBatch
from daybook.recall.ranking.query import plan_query
from daybook.recall.ranking.ranker import rank
from daybook.recall.ranking.weights import weights_for
from daybook.recall.search.scope_columns import ScopeColumns
from daybook.recall.text.analysis import Analyzer

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_TURNS_PER_SESSION = 25
_WORDS_PER_TURN = 26
_RARE = 30_000
# As `daybook.indexing.query_runner` asks for.
_CANDIDATES = 600


def made_up_texts(count: int, rng: random.Random) -> list[str]:
    """Return texts whose word frequencies fall off as in ordinary language (Zipf)."""
    vocabulary = [_word(rng) for _ in range(_RARE)]
    ranks = np.arange(1, len(vocabulary) + 1)
    share = np.cumsum(1 / (ranks + 5.0))
    picks = np.searchsorted(
        share / share[-1], np.random.default_rng(7).random(count * _WORDS_PER_TURN)
    )
    words = [vocabulary[pick] for pick in picks.tolist()]
    return [" ".join(words[i : i + _WORDS_PER_TURN]) for i in range(0, len(words), _WORDS_PER_TURN)]


def build(texts: list[str], table: StaticTable, analyzer: Analyzer) -> tuple[ScopeColumns, float]:
    """Return the columns of the texts, two speakers in turn, and the seconds of `add_columns`."""
    analysed = [analyzer.analyse(text) for text in texts]
    count = len(texts)
    batch = DocumentBatch(
        keys=[f"m{i}" for i in range(count)],
        groups=[f"s{i // _TURNS_PER_SESSION}" for i in range(count)],
        positions=[i % _TURNS_PER_SESSION + 1 for i in range(count)],
        created_at=[1_700_000_000_000_000 + i * 60_000_000 for i in range(count)],
        roles=[1] * count,
        speakers=["Ada" if i % 2 else "Ben" for i in range(count)],
        traits=[one.traits for one in analysed],
        lengths=[one.length for one in analysed],
        terms=[one.terms for one in analysed],
        tokens=[table.token_ids(text).tobytes() for text in texts],
        vectors=table.encode(texts),
        embedder=table.id,
    )
    columns = ScopeColumns()
    begin = time.perf_counter()
    columns.add_columns(batch)
    return columns, time.perf_counter() - begin


def measure(size: int, questions: int = 200) -> dict[str, float]:
    """Return medians and 95th percentiles for one scope of `size` turns."""
    rng = random.Random(11)
    table, analyzer, weights = StaticTable.load(), Analyzer(), weights_for(StaticTable.load().id)
    texts = made_up_texts(size, rng)
    columns, load_s = build(texts, table, analyzer)
    parts: dict[str, list[float]] = {name: [] for name in ("plan", "find", "rank", "whole")}
    for _ in range(questions):
        chosen = rng.choice(texts).split()
        text = f"When did Ada say that {' '.join(rng.sample(chosen, 8))} in March?"
        begin = time.perf_counter()
        query = plan_query(text, analyzer=analyzer, now=_NOW, speaker_names=columns.speakers)
        vector = table.encode([query.subject])[0]
        planned = time.perf_counter()
        candidates = columns.candidates(query.candidate_query(vector, table.id, limit=_CANDIDATES))
        found = time.perf_counter()
        rank(query, candidates, token_embedder=table, weights=weights, limit=10)
        end = time.perf_counter()
        parts["plan"].append(planned - begin)
        parts["find"].append(found - planned)
        parts["rank"].append(end - found)
        parts["whole"].append(end - begin)
    result = {f"{name}_p50_ms": _milliseconds(times, 50) for name, times in parts.items()}
    result["whole_p95_ms"] = _milliseconds(parts["whole"], 95)
    result["load_s"] = round(load_s, 3)
    result["megabytes"] = round(columns.memory_bytes / 1e6, 1)
    return result


def _milliseconds(times: list[float], share: float) -> float:
    return round(float(np.percentile(times, share)) * 1_000, 3)


def _word(rng: random.Random) -> str:
    syllables = ("ba", "ko", "ri", "ten", "sul", "mo", "dar", "ni", "pel", "vo", "gra", "shi")
    return "".join(rng.choices(syllables, k=rng.randint(2, 4)))


def main() -> None:
    """Print one row for each size of scope."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 6_000, 100_000])
    parser.add_argument("--json", action="store_true", help="print JSON, not a table")
    arguments = parser.parse_args()
    results = {size: measure(size) for size in arguments.sizes}
    if arguments.json:
        print(json.dumps(results, indent=1))
        return
    for size, result in results.items():
        print(f"{size:>9} turns  " + "  ".join(f"{key} {value}" for key, value in result.items()))


if __name__ == "__main__":
    main()
