"""Fit the ranker's weights: `python -m tools.fit_ranker --data FOLDER --embedder static`.

Prints recall at 10 by 5-fold cross-validation over conversations, with single data sets left out,
and on the data fitted; writes `src/daybook/recall/ranking/weights/NAME.json`.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.recall_quality.conversations import Conversation, load_conversations
from benchmarks.recall_quality.embedders import open_embedder
from benchmarks.recall_quality.indexed_conversation import BlockingEmbedder
from daybook.embedders.static_table import StaticTable
from daybook.recall.text.analysis import Analyzer
from tools.fit_ranker.examples import Example, make_examples
from tools.fit_ranker.recuts import grown, long_sessions, split_messages
from tools.fit_ranker.two_stage import TwoStages, fit_two_stages, mean_recall

_FOLDS = 5
_NAMES = {"static": "static", "minilm": "minilm", "none": "lexical"}
_OUTPUT = Path("src/daybook/recall/weights")
_DIGITS = 3
# Questions of each data set that are asked in the large scope.
_ASKED_IN_LARGE = 300
_CANDIDATES = 600
_AS_THEY_CAME = "as they came"
_SENTENCES = "a sentence a message"
_LARGE = "large"
# Scopes that we made up count less than those that came so.
_SHARES = {_SENTENCES: 0.5, _LARGE: 0.5}

Cuts = dict[str, list[Example]]


def make_cuts(
    conversations: Sequence[Conversation], embedder: BlockingEmbedder | None, made_up: int
) -> Cuts:
    """Return every question as a matrix, in its own conversation and in scopes cut otherwise."""
    tokens, analyzer = StaticTable.load(), Analyzer()
    homes = {question.id: one for one in conversations for question in one.questions}
    recut = [(one, long_sessions(one)) for one in conversations]
    people = [one for one in conversations if any(turn.speaker for turn in one.turns)]
    scopes = {
        _AS_THEY_CAME: list(conversations),
        "long sessions": [new for old, new in recut if new != old],
        _SENTENCES: [split_messages(one, analyzer.stems) for one in people],
    }
    cuts = {
        name: list(make_examples(scope, embedder, tokens, homes=homes))
        for name, scope in scopes.items()
    }
    large = [grown(conversations, made_up, _ASKED_IN_LARGE)]
    cuts[_LARGE] = list(make_examples(large, embedder, tokens, homes=homes, limit=_CANDIDATES))
    return cuts


def training_of(cuts: Cuts) -> list[Example]:
    """Return the mixture that is fitted: all cuts, assistant chats as they came twice."""
    topical = {one.dataset for one in cuts["long sessions"]}
    again = [one for one in cuts[_AS_THEY_CAME] if one.dataset in topical]
    weighed = (
        replace(one, share=_SHARES.get(name, 1.0)) for name, cut in cuts.items() for one in cut
    )
    return [*again, *weighed]


def folds_of(conversations: Sequence[Conversation]) -> dict[str, int]:
    """Return the fold of each conversation: its place in its data set, modulo five."""
    seen: dict[str, int] = defaultdict(int)
    folds = {}
    for conversation in conversations:
        folds[conversation.id] = seen[conversation.dataset] % _FOLDS
        seen[conversation.dataset] += 1
    return folds


def cross_validated(
    cuts: Cuts, folds: dict[str, int], *, l2: float, constrained: bool
) -> dict[str, dict[str, float]]:
    """Return each cut's mean recall where a question's fold was not fitted."""
    training = training_of(cuts)
    found: dict[str, dict[str, list[float]]] = {cut: defaultdict(list) for cut in cuts}
    for fold in range(_FOLDS):
        fitted = [one for one in training if folds[one.conversation] != fold]
        stages = fit_two_stages(fitted, l2=l2, constrained=constrained)
        for name, cut in cuts.items():
            for one in cut:
                if folds[one.conversation] == fold and one.question.answerable:
                    found[name][one.dataset].append(100 * stages.recall(one))
    return {
        name: {dataset: float(np.mean(values)) for dataset, values in sets.items()}
        for name, sets in found.items()
    }


def left_out(cuts: Cuts, *, l2: float, constrained: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each data set with the recall of weights that were fitted on it alone."""
    training = training_of(cuts)
    for dataset in sorted({one.dataset for one in training}):
        alone = [one for one in training if one.dataset == dataset]
        stages = fit_two_stages(alone, l2=l2, constrained=constrained)
        yield dataset, mean_recall(stages, cuts[_AS_THEY_CAME])


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
    parser.add_argument(
        "--made-up", type=int, default=15_690, help="turns made up for the large scope"
    )
    parser.add_argument("--version", default="2", help="goes into the file")
    parser.add_argument("--dry-run", action="store_true", help="report only")
    arguments = parser.parse_args()

    conversations = load_conversations(arguments.data)
    embedder = open_embedder(arguments.embedder, arguments.cache)
    cuts = make_cuts(conversations, embedder, arguments.made_up)
    l2, constrained = arguments.l2, arguments.constrained
    validated = cross_validated(cuts, folds_of(conversations), l2=l2, constrained=constrained)
    for name, recalls in validated.items():
        print(f"5-fold, {name:22}", describe(recalls), flush=True)
    for dataset, recalls in left_out(cuts, l2=l2, constrained=constrained):
        print(f"fitted on {dataset:20}", describe(recalls), flush=True)
    stages = fit_two_stages(training_of(cuts), l2=l2, constrained=constrained)
    fitted = mean_recall(stages, cuts[_AS_THEY_CAME])
    print(f"{'data fitted':30}", describe(fitted))
    name = _NAMES[arguments.embedder]
    provenance = {
        "version": arguments.version,
        "command": f"python -m tools.fit_ranker --embedder {arguments.embedder}"
        + (" --constrained" if constrained else "")
        + f" --made-up {arguments.made_up}",
        "data": ", ".join(f"{one.dataset}:{one.id}" for one in conversations),
        "embedder": "none" if embedder is None else embedder.id,
        "recall_at_10_fitted": describe(fitted),
        "numpy": np.__version__,
    }
    provenance |= {
        "recall_at_10_cross_validated" + ("" if cut == _AS_THEY_CAME else f" ({cut})"): (
            describe(recalls)
        )
        for cut, recalls in validated.items()
    }
    if not arguments.dry_run:
        write_weights(_OUTPUT / f"{name}.json", name, stages, provenance)


if __name__ == "__main__":
    main()
