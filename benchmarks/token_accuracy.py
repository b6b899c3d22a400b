"""How well a token budget is kept by the estimate alone, and with calibration.

    python -m benchmarks.token_accuracy --tokenizer NAME=SPEC … --text KIND=PATH …

SPEC is one of `load_token_counter`; PATH a JSON file, or a folder of JSON or Python files. A
stream of calls is played for each tokenizer and kind of text: each call fills a budget with the
newest messages of some conversation, as the estimate counts them; the tokenizer then says what the
provider would have counted, and the calibration learns from it. Nothing of the texts is kept.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, median
from typing import Any

from benchmarks.machine import describe
from benchmarks.report import Report, Table, at_least, write
from daybook.context.calibration import LEAST_SAMPLES, Calibration
from daybook.context.exact_tokens import ExactTokenCounter, load_token_counter
from daybook.context.token_estimate import ApproximateTokenCounter
from daybook.model.message import Message

_CALLS = 400
_BUDGETS = (1000, 2000, 4000, 8000)
_PYTHON_LINES = 60
_MOST_MESSAGES = 6000
_REPLY_MARK = 3  # what OpenAI counts for the reply's beginning, and no estimate knows
_COLUMNS = [
    "text",
    "tokenizer",
    "estimate: median error",
    "kept",
    "budget used",
    "calibrated: median error",
    "kept ",
    "budget used ",
    "kept, calls 4 to 20",
]

_Conversation = list[tuple[int, int]]  # estimated and exact tokens of each message


@dataclass
class _Side:
    """What one way of budgeting did, call by call."""

    errors: list[float] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    used: list[float] = field(default_factory=list)

    def note(self, budget: int, guessed: int, actual: int) -> None:
        """Keep a call."""
        self.errors.append(abs(guessed / actual - 1))
        self.kept.append(actual <= budget)
        self.used.append(actual / budget)

    def words(self) -> list[str]:
        """Return the columns of a table."""
        return [
            f"{100 * median(self.errors):.1f} %",
            f"{100 * fmean(self.kept):.1f} %",
            f"{100 * fmean(self.used):.0f} %",
        ]


def main() -> None:
    """Play the streams that the command line names; write the table."""
    options = _options()
    counters = {name: load_token_counter(spec) for name, spec in map(_split, options.tokenizer)}
    texts = {kind: list(_conversations(Path(path))) for kind, path in map(_split, options.text)}
    texts["JSON (generated)"] = [_generated_json()]
    kinds = list(texts)
    report = Report("Token budgets, estimated and calibrated")
    rows, kept = [], list[bool]()
    for name, counter in counters.items():
        counted = {kind: _counted(texts[kind], counter) for kind in kinds}
        streams = {kind: [counted[kind]] for kind in kinds}
        streams["mixed by call"] = list(counted.values())
        for kind, sources in streams.items():
            plain, calibrated = _play(sources)
            early = calibrated.kept[LEAST_SAMPLES:20]
            rows.append(
                [kind, name, *plain.words(), *calibrated.words(), f"{100 * fmean(early):.0f} %"]
            )
            kept += calibrated.kept[LEAST_SAMPLES:]
            report.numbers[f"{kind}, {name}: kept by estimate, calibrated"] = [
                fmean(plain.kept),
                fmean(calibrated.kept),
            ]
    report.tables.append(Table("Budgets of 1,000 to 8,000 tokens", _COLUMNS, sorted(rows)))
    report.verdicts.append(
        at_least("budgets kept, calibrated, from the fourth call", 100 * fmean(kept), 95, "%", 1)
    )
    report.notes += [
        f"{_CALLS} calls in each row, after {LEAST_SAMPLES} of which the calibration begins.",
        "Kept: the tokenizer counts no more than the budget. Used: of the budget, by its count.",
        "A window is of whole messages: long ones leave room.",
        "Calibrated error: of the median factor; budgets use the upper factor.",
    ]
    machine = describe(Path(), [])
    machine.pop("others", None)
    names = [f"--tokenizer {name}=SPEC" for name in counters]
    machine["command"] = " ".join(
        ["python -m benchmarks.token_accuracy", *names, *(f"--text '{k}=PATH'" for k in kinds[:-1])]
    )
    write(report, options.results, "token_accuracy", machine)


def _play(sources: list[list[_Conversation]]) -> tuple[_Side, _Side]:
    """Play calls whose conversation is longer than the budget: else nothing has to be left out."""
    draw = random.Random(7)
    plain, calibrated = _Side(), _Side()
    calibration = Calibration()
    while len(calibrated.kept) < _CALLS:
        conversation, budget = draw.choice(draw.choice(sources)), draw.choice(_BUDGETS)
        said = conversation[: draw.randint(1, len(conversation))]
        if sum(estimated for estimated, _ in said) < 2 * budget:
            continue
        estimated, actual = _window(said, budget)
        plain.note(budget, estimated, actual)
        estimated, actual = _window(said, calibration.budget_in_estimate(budget))
        calibrated.note(budget, calibration.corrected(estimated), actual)
        calibration = calibration.observe(estimated, actual)
    return plain, calibrated


def _window(conversation: _Conversation, budget: int) -> tuple[int, int]:
    """Return the estimated and the exact tokens of the newest messages that fit; one at least."""
    estimated, actual = conversation[-1][0], conversation[-1][1] + _REPLY_MARK
    for guess, exact in reversed(conversation[:-1]):
        if estimated + guess > budget:
            break
        estimated, actual = estimated + guess, actual + exact
    return estimated, actual


def _counted(texts: list[list[str]], counter: ExactTokenCounter) -> list[_Conversation]:
    estimate = ApproximateTokenCounter()
    return [
        [
            (estimate.count(message), counter.count(message))
            for message in map(Message.user, texts_of_one)
            if estimate.count(message) <= min(_BUDGETS) // 2
        ]
        for texts_of_one in texts
    ]


def _conversations(path: Path) -> Iterator[list[str]]:
    """Yield conversations, at most some thousand messages in all."""
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    read = 0
    for file in files:
        if read > _MOST_MESSAGES:
            return
        if file.suffix == ".json" and "questions" not in file.name:
            for found in _of_json(json.loads(file.read_text(encoding="utf-8"))):
                read += len(found)
                yield found
        elif file.suffix == ".py":
            lines = file.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
            starts = range(0, len(lines), _PYTHON_LINES)
            pieces = ["".join(lines[at : at + _PYTHON_LINES]) for at in starts]
            if pieces:
                read += len(pieces)
                yield pieces


def _of_json(value: Any) -> Iterator[list[str]]:
    """Yield the texts of each conversation: of LoCoMo's samples, or of a list of turns."""
    if isinstance(value, list) and value and isinstance(value[0], dict) and "qa" in value[0]:
        for sample in value:
            yield list(_said(sample["conversation"]))
    else:
        yield list(_said(value))


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        text = value.get("content", value.get("text"))
        if isinstance(text, str) and text:
            yield text
        else:
            value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _said(one)


def _generated_json() -> list[str]:
    """Return tool results as models get them."""
    draw = random.Random(3)
    cities = ["Paris", "Rome", "Oslo", "Kyoto", "Lima"]

    def hotel() -> dict[str, Any]:
        return {
            "id": draw.randbytes(6).hex(),
            "city": draw.choice(cities),
            "price_eur": round(draw.uniform(40, 400), 2),
            "free_rooms": draw.randint(0, 30),
            "position": {"lat": draw.uniform(-90, 90), "lon": draw.uniform(-180, 180)},
            "tags": draw.sample(["pool", "sea view", "quiet", "breakfast", "parking"], 3),
        }

    return [
        json.dumps({"hotels": [hotel() for _ in range(draw.randint(1, 4))]}) for _ in range(800)
    ]


def _split(pair: str) -> Sequence[str]:
    name, _, rest = pair.partition("=")
    return name, rest


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.token_accuracy")
    add: Any = parser.add_argument
    add("--tokenizer", action="append", default=[], metavar="NAME=SPEC", help="see the module")
    add("--text", action="append", default=[], metavar="KIND=PATH", help="see the module")
    add("--results", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


if __name__ == "__main__":
    main()
