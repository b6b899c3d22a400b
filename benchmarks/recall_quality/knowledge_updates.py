"""How sure marks of outdated messages are: `python -m benchmarks.recall_quality.knowledge_updates`.

Pairs of statements of our own, updates and look-alikes, each asked of the rules as two hits. With
`--data FOLDER` the marks among the best twenty of every question there are counted too: in
conversations in which hardly anything is contradicted, few is right.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.recall_quality.conversations import load_conversations
from benchmarks.recall_quality.through_daybook import opened_book
from daybook.model.hit import Hit
from daybook.model.message import Message
from daybook.recall.evidence.knowledge_updates import superseded

__all__ = ["Pair", "main", "read_pairs"]

PAIRS = Path(__file__).parent.parent.parent / "tests" / "recall" / "update_pairs.txt"
_UNSEEN = "# Written after the rules"
_DEPTH = 20
_START = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two statements of one person; `seen` if the rules were made with them in sight."""

    older: str
    newer: str
    is_update: bool
    seen: bool

    @property
    def is_marked(self) -> bool:
        """Whether the rules mark the older one as outdated."""
        found = superseded([_hit(self.older, 1), _hit(self.newer, 2)])
        return found == {0: 1}


def read_pairs(path: Path = PAIRS) -> Iterator[Pair]:
    """Yield the pairs of a file in the form that its first lines describe."""
    seen = True
    for line in path.read_text(encoding="utf-8").splitlines():
        seen = seen and not line.startswith(_UNSEEN)
        if line[:2] in ("+ ", "- "):
            older, newer = line[2:].split(" | ")
            yield Pair(older, newer, line[0] == "+", seen)


def _hit(text: str, day: int) -> Hit:
    return Hit(
        message=Message(role="user", content=text, id=f"m{day}"),
        messages=(),
        session_id=f"s{day}",
        seq=1,
        score=1.0,
        why={},
        said_at=_START + timedelta(days=day),
        speaker="user",
    )


def report(name: str, pairs: Sequence[Pair]) -> None:
    """Print precision and recall of the marks."""
    right = sum(pair.is_update and pair.is_marked for pair in pairs)
    wrong = sum(not pair.is_update and pair.is_marked for pair in pairs)
    updates = sum(pair.is_update for pair in pairs)
    precision = 100 * right / max(1, right + wrong)
    print(
        f"{name}: {updates} updates, {len(pairs) - updates} look-alikes; precision "
        f"{precision:.1f} ({wrong} wrong), recall {100 * right / updates:.1f}"
    )


def count_marks(folder: Path) -> None:
    """Print how many questions of the conversations in a folder bring a mark, and its cost."""
    questions = marked = 0
    seconds = 0.0
    with ExitStack() as stack:
        for conversation in load_conversations(folder):
            book = opened_book(conversation, stack)
            for question in conversation.questions:
                hits = book.recall.search(question.text, user_id=conversation.id, limit=_DEPTH)
                begin = time.process_time()
                superseded(hits)
                seconds += time.process_time() - begin
                marked += any(hit.superseded_by for hit in hits)
                questions += 1
    print(
        f"{folder.name}: {marked} of {questions} questions bring a mark among {_DEPTH} hits; "
        f"looking for one takes {1_000 * seconds / questions:.2f} ms of processor time"
    )


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of data sets, to count marks in")
    arguments = parser.parse_args()
    pairs = list(read_pairs())
    report("in sight when the rules were made", [pair for pair in pairs if pair.seen])
    report("written afterwards", [pair for pair in pairs if not pair.seen])
    if arguments.data is not None:
        count_marks(arguments.data)


if __name__ == "__main__":
    main()
