"""Fit the ranker's weights: `python -m tools.fit_ranker --data FOLDER --embedder static`.

Prints recall at 10 by 5-fold cross-validation over conversations and on the data fitted, and
writes `src/daybook/recall/weights/NAME.json`.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.recall_quality.conversations import Conversation, load_conversations
from benchmarks.recall_quality.embedders import open_embedder
from daybook.embedders.static_table import StaticTable
from tools.fit_ranker.examples import Example, long_sessions, make_examples
from tools.fit_ranker.two_stage import TwoStages, fit_two_stages, mean_recall

_FOLDS = 5
_NAMES = {"static": "static", "minilm": "minilm", "none": "lexical"}
_OUTPUT = Path("src/daybook/recall/weights")
_DIGITS = 3


def folds_of(conversations: Sequence[Conversation]) -> dict[str, int]:
    """Return the fold of each conversation: its place in its data set, modulo five."""
    seen: dict[str, int] = defaultdict(int)
    folds = {}
    for conversation in conversations:
        folds[conversation.id] = seen[conversation.dataset] % _FOLDS
        seen[conversation.dataset] += 1
    return folds


def cross_validated(
    as_is: list[Example], training: list[Example], folds: dict[str, int], **options: float
) -> dict[str, float]:
    """Return mean recall where each question is ranked by weights its fold was not in."""
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for fold in range(_FOLDS):
        stages = fit_two_stages(
            [one for one in training if folds[one.conversation] != fold],
            l2=options["l2"],
            constrained=bool(options["constrained"]),
        )
        for one in as_is:
            if folds[one.conversation] == fold and one.question.answerable:
                sums[one.dataset] += 100 * stages.recall(one)
                counts[one.dataset] += 1
    return {name: sums[name] / counts[name] for name in sums}


def describe(recalls: dict[str, float]) -> str:
    """Return recalls in one line."""
    return ", ".join(f"{name} {value:.1f}" for name, value in sorted(recalls.items()))


def write_weights(path: Path, name: str, stages: TwoStages, provenance: dict[str, str]) -> None:
    """Write both stages as readable JSON."""
    first = dict(zip(stages.names[:-1], stages.first.tolist(), strict=True))
    final = dict(zip(stages.names, stages.final.tolist(), strict=True))
    content = {
        "name": name,
        "version": provenance.pop("version"),
        "provenance": provenance,
        "first": _rounded(first),
        "final": _rounded(final),
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _rounded(weights: dict[str, float]) -> dict[str, float]:
    rounded = {name: round(weight, _DIGITS) for name, weight in sorted(weights.items())}
    return {name: weight for name, weight in rounded.items() if weight}


def main() -> None:
    """Fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--embedder", choices=sorted(_NAMES), required=True)
    parser.add_argument("--cache", type=Path, help="folder for MiniLM's vectors")
    parser.add_argument("--l2", type=float, default=1e-3)
    parser.add_argument("--constrained", action="store_true", help="no negative support")
    parser.add_argument("--version", default="1", help="goes into the file")
    parser.add_argument("--dry-run", action="store_true", help="report only")
    arguments = parser.parse_args()

    conversations = load_conversations(arguments.data)
    embedder = open_embedder(arguments.embedder, arguments.cache)
    tokens = StaticTable.load()
    as_is = list(make_examples(conversations, embedder, tokens))
    recut = [long_sessions(one) for one in conversations]
    recut = [new for new, old in zip(recut, conversations, strict=True) if new != old]
    long = list(make_examples(recut, embedder, tokens))
    # A conversation as it came counts twice as much as the same one cut otherwise.
    training = as_is + [one for one in as_is if any(one.dataset == o.dataset for o in recut)] + long
    folds = folds_of(conversations)
    options = {"l2": arguments.l2, "constrained": arguments.constrained}
    validated = cross_validated(as_is, training, folds, **options)
    validated_long = cross_validated(long, training, folds, **options)
    stages = fit_two_stages(training, l2=arguments.l2, constrained=arguments.constrained)
    fitted = mean_recall(stages, as_is)
    print("5-fold         ", describe(validated))
    print("5-fold, recut  ", describe(validated_long))
    print("data fitted    ", describe(fitted))
    name = _NAMES[arguments.embedder]
    provenance = {
        "version": arguments.version,
        "command": f"python -m tools.fit_ranker --embedder {arguments.embedder}"
        + (" --constrained" if arguments.constrained else ""),
        "data": ", ".join(f"{one.dataset}:{one.id}" for one in conversations),
        "embedder": "none" if embedder is None else embedder.id,
        "recall_at_10_cross_validated": describe(validated),
        "recall_at_10_fitted": describe(fitted),
        "numpy": np.__version__,
    }
    if not arguments.dry_run:
        write_weights(_OUTPUT / f"{name}.json", name, stages, provenance)


if __name__ == "__main__":
    main()
