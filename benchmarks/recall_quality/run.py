"""Recall's quality on data from outside: `python -m benchmarks.recall_quality.run --data FOLDER`.

Feeds each conversation as one user's history, asks its questions and prints recall at 5, 10 and 20,
within 500 words and by session, with 95 % intervals, and the time a question takes. `--out` keeps
the rankings, `--against` prints the paired difference to rankings kept before. With `--through
daybook` everything goes through `Daybook` itself on an in-memory engine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from benchmarks.recall_quality.conversations import Conversation, load_conversations
from benchmarks.recall_quality.embedders import open_embedder
from benchmarks.recall_quality.indexed_conversation import index_conversation
from benchmarks.recall_quality.report import Results, read_run, table, write_run
from benchmarks.recall_quality.through_daybook import daybook_opener
from daybook.embedders.static_table import StaticTable
from daybook.recall.ranking.ranker import rank
from daybook.recall.ranking.weights import weights_for
from daybook.recall.text.analysis import Analyzer

__all__ = ["main"]

# Deep enough for ten sessions.
_DEPTH = 100

Ask = Callable[[str], list[str]]


def openers(embedder_name: str, cache: Path | None) -> Callable[[Conversation], Ask]:
    """Return what makes a conversation answer questions with turn ids, by the pure pipeline."""
    embedder, tokens, analyzer = open_embedder(embedder_name, cache), StaticTable.load(), Analyzer()
    weights = weights_for("" if embedder is None else embedder.id)

    def open_conversation(conversation: Conversation) -> Ask:
        index = index_conversation(conversation, analyzer, embedder, tokens)

        def ask(question: str) -> list[str]:
            query = index.plan(question)
            candidates = index.candidates(query)
            ranked = rank(query, candidates, token_embedder=tokens, weights=weights, limit=_DEPTH)
            return [one.key for one in ranked]

        return ask

    return open_conversation


def ask_all(
    conversations: Iterable[Conversation], open_conversation: Callable[[Conversation], Ask]
) -> tuple[Results, list[float]]:
    """Return every question with its ranked turns, and the seconds each took."""
    results: Results = []
    seconds = []
    for conversation in conversations:
        ask = open_conversation(conversation)
        for question in conversation.questions:
            begin = time.perf_counter()
            ranked = ask(question.text)
            seconds.append(time.perf_counter() - begin)
            results.append((conversation, question, ranked))
    return results, seconds


def main() -> None:
    """Run every question, keep the rankings, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--embedder", choices=("static", "minilm", "none"), default="static")
    parser.add_argument("--through", choices=("pipeline", "daybook"), default="pipeline")
    parser.add_argument("--out", type=Path, help="where the rankings go")
    parser.add_argument("--against", type=Path, help="rankings kept by an earlier --out")
    parser.add_argument("--cache", type=Path, help="folder for MiniLM's vectors (pipeline only)")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        if arguments.through == "daybook":
            open_conversation = daybook_opener(arguments.embedder, stack)
        else:
            open_conversation = openers(arguments.embedder, arguments.cache)
        results, seconds = ask_all(load_conversations(arguments.data), open_conversation)
    if arguments.out is not None:
        write_run(arguments.out, results)
    against = None if arguments.against is None else read_run(arguments.against)
    for line in table(results, against):
        print(line)
    p50, p95 = np.percentile(np.array(seconds) * 1_000, [50, 95])
    print(f"query p50 {p50:.2f} ms, p95 {p95:.2f} ms over {len(seconds)} questions")


if __name__ == "__main__":
    main()
