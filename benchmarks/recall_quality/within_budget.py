"""How much of the evidence a budget holds: `python -m benchmarks.recall_quality.within_budget`.

Everything goes through `Daybook`, with a counter that counts words, so that a budget of 500 is 500
words. Three ways to fill it: hits by rank until one does not fit (what a caller without a budget
does), `search(max_tokens=…)`, and `passages(max_tokens=…)`, whose dates and speakers count too.
A turn counts its words and one more, as in the usual scorers.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.recall_quality.conversations import Conversation, Question, load_conversations
from benchmarks.recall_quality.through_daybook import opened_book
from daybook import Daybook, Message

__all__ = ["main"]

_DEPTH = 100

# A question, its conversation's user and the budget to the ids of the turns that fit, and words.
Fill = Callable[[Daybook, str, str, int], tuple[set[str], int]]


class _Words:
    """Counts words as if they were tokens."""

    def count(self, message: Message) -> int:
        """Return the words of a message and one more."""
        return self.count_text(message.text) + 1

    def count_text(self, text: str) -> int:
        """Return the words of a text."""
        return len(text.split())


def by_rank(book: Daybook, question: str, user_id: str, budget: int) -> tuple[set[str], int]:
    """Take hits by rank until one does not fit."""
    held: set[str] = set()
    used = 0
    for hit in book.recall.search(question, user_id=user_id, limit=_DEPTH, neighbours=0):
        if used + hit.tokens > budget:
            break
        held.add(hit.message.id)
        used += hit.tokens
    return held, used


def by_search(book: Daybook, question: str, user_id: str, budget: int) -> tuple[set[str], int]:
    """Let `search` fill the budget."""
    hits = book.recall.search(question, user_id=user_id, max_tokens=budget)
    held = {message.id for hit in hits for message in hit.messages}
    return held, sum(hit.tokens for hit in hits)


def by_passages(book: Daybook, question: str, user_id: str, budget: int) -> tuple[set[str], int]:
    """Let `passages` fill the budget; a turn that is cut counts as found."""
    found = book.recall.passages(question, user_id=user_id, max_tokens=budget)
    held = {line.message.id for passage in found.passages for line in passage.lines}
    return held, found.tokens


WAYS: dict[str, Fill] = {"by rank": by_rank, "search": by_search, "passages": by_passages}


def measure(
    conversation: Conversation, book: Daybook, question: Question, budgets: list[int]
) -> dict[tuple[str, int], tuple[float, float]]:
    """Return, for each way and budget, the share of the evidence held and of the budget used."""
    results = {}
    for name, fill in WAYS.items():
        for budget in budgets:
            held, used = fill(book, question.text, conversation.id, budget)
            share = len(held & set(question.evidence)) / len(question.evidence)
            results[name, budget] = (share, used / budget)
    return results


def main() -> None:
    """Ask every question with evidence in every way; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--embedder", choices=("static", "minilm", "none"), default="static")
    parser.add_argument("--budgets", type=int, nargs="+", default=[250, 500, 1000, 2000])
    arguments = parser.parse_args()
    embedder = None if arguments.embedder == "none" else arguments.embedder
    rows: dict[tuple[str, str, int], list[tuple[float, float]]] = defaultdict(list)
    for conversation in load_conversations(arguments.data):
        with ExitStack() as stack:
            book = opened_book(conversation, stack, embedder=embedder, token_counter=_Words())
            for question in conversation.questions:
                if not question.evidence:
                    continue
                found = measure(conversation, book, question, arguments.budgets)
                for (way, budget), result in found.items():
                    rows[f"{conversation.dataset} (all)", way, budget].append(result)
                    if question.answerable:
                        rows[f"{conversation.dataset} (answerable)", way, budget].append(result)
    print(f"{'':26}{'':10}{'words':>6}{'n':>6}{'found %':>9}{'used %':>8}")
    for (dataset, way, budget), results in sorted(rows.items()):
        found_share, used = (100 * sum(one) / len(results) for one in zip(*results, strict=True))
        print(f"{dataset:26}{way:10}{budget:>6}{len(results):>6}{found_share:9.1f}{used:8.1f}")


if __name__ == "__main__":
    main()
