"""Run files: what was ranked for each question, so that runs can be compared later and elsewhere.

Ours has one JSON object a line with ``question_id``, ``conv_id`` and ``ranked``, and for reading
``dataset``, ``category``, ``evidence``, ``ranks`` (the place of each piece of evidence, from 1,
null if it is not there) and ``seconds``. Files with only the first and third are read too, and so
are what MemPalace's ``longmemeval_bench.py`` and ``locomo_bench.py`` write.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any, TextIO

import msgspec

from daybook.errors import InvalidInputError
from daybook.evaluation.conversations import Conversation
from daybook.evaluation.metrics import Unit
from daybook.evaluation.runs import Answer, Run
from daybook.importers.source_file import Element, SourceFile

__all__ = ["read_run", "write_run"]

_TEXTS = 10

Key = tuple[str, str]


def write_run(
    file: TextIO, conversations: Sequence[Conversation], run: Run, *, with_text: bool = False
) -> None:
    """Write a run, a line for each question that was answered.

    Args:
        file: Where to.
        conversations: What was asked about.
        run: What was answered.
        with_text: Also write the question and the text of the first ten hits: for looking at what
            went wrong, where the conversations may be seen.
    """
    for conversation in conversations:
        texts = {turn.id: turn.text for turn in conversation.turns} if with_text else {}
        for question in conversation.questions:
            answer = run.answers.get((conversation.id, question.id))
            if answer is None:
                continue
            line: dict[str, Any] = {
                "question_id": question.id,
                "conv_id": conversation.id,
                "dataset": conversation.dataset,
                "category": question.category,
                "evidence": question.evidence,
                "ranks": [_rank(one, answer.ranked) for one in question.evidence],
                "seconds": None if answer.seconds != answer.seconds else round(answer.seconds, 6),
                "ranked": answer.ranked,
            }
            if with_text:
                line["question"] = question.text
                line["found"] = [texts.get(one, "") for one in _flat(answer.ranked[:_TEXTS])]
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_run(path: Path, conversations: Sequence[Conversation], *, name: str = "") -> Run:
    """Return a run from a file, for questions of these conversations; other questions are skipped.

    Args:
        path: The file.
        conversations: What it is about.
        name: What to call it; the file's name if empty.

    Raises:
        InvalidInputError: It is not a run file, or answers none of the questions.
    """
    wanted = _Wanted(conversations)
    answers: dict[Key, Answer] = {}
    for where, value in _values(path):
        key = wanted.key(value, where)
        if key is not None:
            answers[key] = Answer(tuple(wanted.units(value, key[0], where)), _seconds(value))
    if not answers:
        raise InvalidInputError(f"{path}: it answers none of these questions")
    return Run(name or path.stem, answers, 0, nan)


def _rank(turn: str, ranked: Sequence[Unit]) -> int | None:
    for place, unit in enumerate(ranked, start=1):
        if turn in _flat([unit]):
            return place
    return None


def _flat(ranked: Sequence[Unit]) -> list[str]:
    return [one for unit in ranked for one in ((unit,) if isinstance(unit, str) else unit)]


def _values(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a file of lines, or of one JSON list."""
    file = SourceFile(path)
    lines = next(file.lines(), None)
    by_line = isinstance(lines, Element) and isinstance(lines.value, dict)
    for element in file.lines() if by_line else file.elements():
        where = f"{path}: {'line ' if by_line else ''}{element.position}"
        if not isinstance(element, Element):
            raise InvalidInputError(f"{where}: {element.reason}")
        if not isinstance(element.value, dict):
            raise InvalidInputError(f"{where}: must be an object")
        yield where, element.value


def _seconds(value: Mapping[str, Any]) -> float:
    taken = value.get("seconds")
    return float(taken) if isinstance(taken, int | float) else nan


class _Wanted:
    """The questions that a run may answer, and the ids by which it may name turns."""

    def __init__(self, conversations: Sequence[Conversation]) -> None:
        self._by_id: dict[str, list[Key]] = {}
        self._by_text: dict[tuple[str, str], Key] = {}
        self._names = {one.id: _other_names(one) for one in conversations}
        for one in conversations:
            for question in one.questions:
                key = (one.id, question.id)
                self._by_id.setdefault(question.id, []).append(key)
                self._by_text.setdefault((one.id, question.text), key)

    def key(self, value: Mapping[str, Any], where: str) -> Key | None:
        """Return which question a line answers; None for one that was not asked."""
        if "sample_id" in value:  # MemPalace on LoCoMo gives the question's text alone
            return self._by_text.get((str(value["sample_id"]), str(value.get("question"))))
        if not isinstance(value.get("question_id"), str):
            raise InvalidInputError(f"{where}: question_id must be text")
        keys = self._by_id.get(value["question_id"], [])
        named = value.get("conv_id")
        return next((key for key in keys if named is None or key[0] == named), None)

    def units(self, value: Mapping[str, Any], conversation: str, where: str) -> list[Unit]:
        """Return what a line ranks, by our ids."""
        names = self._names[conversation]
        try:
            ranked = msgspec.convert(_ranked(value), list[str | tuple[str, ...]])
        except msgspec.ValidationError:
            raise InvalidInputError(f"{where}: ranked must be a list of ids, or of lists") from None
        return [
            names.get(unit, unit)
            if isinstance(unit, str)
            else tuple(names.get(one, one) for one in unit)
            for unit in ranked
        ]


def _ranked(value: Mapping[str, Any]) -> Any:
    results = value.get("retrieval_results")
    if isinstance(results, dict) and isinstance(results.get("ranked_items"), list):
        return [one.get("corpus_id") for one in results["ranked_items"] if isinstance(one, dict)]
    return value.get("ranked", value.get("retrieved_ids"))


def _other_names(conversation: Conversation) -> dict[str, str]:
    """Return what MemPalace calls turns and sessions.

    A LoCoMo session is ``session_3`` there; a LongMemEval turn is its number among the user's
    turns of its session, from 0: ``SESSION_turn_2``.
    """
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    for turn in conversation.turns:
        if turn.session[:1] == "S" and turn.session[1:].isdecimal():
            names[f"session_{turn.session[1:]}"] = turn.session
        if turn.role == "user":
            count = counts.get(turn.session, 0)
            counts[turn.session] = count + 1
            names.setdefault(f"{turn.session}_turn_{count}", turn.id)
    return {name: ours for name, ours in names.items() if name not in conversation.sessions()}
