"""Recall in many languages: `python -m benchmarks.recall_quality.multilingual [--write]`.

Prints recall at 1 and 5 for each language: one language a user ("alone"), all languages as one
user's history ("together"), and a second set that was written when the rules stood ("second").
`--write` puts the table into `benchmarks/results`.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.recall_quality.conversations import Conversation, Question
from benchmarks.recall_quality.multilingual.check_set import SECOND, joined, load_check_set
from benchmarks.recall_quality.run import openers

_RESULTS = Path(__file__).parents[2] / "results"
_CUTS = (1, 5)

Ask = Callable[[str], list[str]]
Scores = dict[str, list[tuple[float, ...]]]


def measure(conversations: Sequence[Conversation], open_conversation: Callable[..., Ask]) -> Scores:
    """Return recall at each cut for each question, by the language of the question."""
    scores: Scores = defaultdict(list)
    for conversation in conversations:
        ask = open_conversation(conversation)
        for question in conversation.questions:
            ranked = ask(question.text)
            shares = tuple(100 * _share(question, ranked[:cut]) for cut in _CUTS)
            scores[_language(question)].append(shares)
            scores[f"({question.category})"].append(shares)
            scores["all"].append(shares)
    return scores


def table(embedders: Sequence[str], cache: Path | None) -> dict[str, dict[str, float]]:
    """Return rows of the table: a language or kind of question, then a figure for each column."""
    first, second = load_check_set(), load_check_set(SECOND)
    rows: dict[str, dict[str, float]] = defaultdict(dict)
    for embedder in embedders:
        open_conversation = openers(embedder, cache)
        for way, asked in (("alone", first), ("together", [joined(first)]), ("second", second)):
            for name, shares in measure(asked, open_conversation).items():
                for cut, values in zip(_CUTS, zip(*shares, strict=True), strict=True):
                    rows[name][f"{embedder}, {way}, R@{cut}"] = round(sum(values) / len(values), 1)
    return dict(rows)


def as_markdown(rows: dict[str, dict[str, float]]) -> str:
    """Return the table, languages first, then kinds of question, then all."""
    columns = list(rows["all"])
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name in sorted(rows, key=lambda name: (name == "all", name.startswith("("), name)):
        cells = (f"{rows[name][one]:g}" if one in rows[name] else "" for one in columns)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and print; write the results where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embedder", nargs="*", default=["static", "none"])
    parser.add_argument("--cache", type=Path, help="folder for MiniLM's vectors")
    parser.add_argument("--write", action="store_true", help="also write benchmarks/results")
    arguments = parser.parse_args()
    rows = table(arguments.embedder, arguments.cache)
    shown = as_markdown(rows)
    print(shown)
    if arguments.write:
        (_RESULTS / "multilingual.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
        head = (
            "# Recall in many languages\n\n`python -m benchmarks.recall_quality.multilingual`\n\n"
        )
        (_RESULTS / "multilingual.md").write_text(head + shown, "utf-8")


def _share(question: Question, ranked: Sequence[str]) -> float:
    return len(set(question.evidence).intersection(ranked)) / len(question.evidence)


def _language(question: Question) -> str:
    return question.id.rpartition("_")[0]


if __name__ == "__main__":
    main()
