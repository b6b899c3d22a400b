"""Questions about time through the whole of Daybook, with a ranker that knows no time beside."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from daybook import Daybook, Message
from daybook.context.strategy import Relevant, TokenWindow
from daybook.demo.questions import bundled_file
from daybook.facets import recall as recall_module
from daybook.facets.timed_question import TimedQuestion
from daybook.indexing.models import Models
from daybook.model.hit import Hit
from daybook.recall.ranking import query as query_module
from daybook.recall.times.question_times import QuestionTimes
from tests.recall.time_scenarios import BOOKS, NOW, SCENARIOS, Scenario


class StoppedClock:
    def now(self) -> datetime:
        return NOW


def messages_of(text: str) -> Iterator[Message]:
    for line in text.strip().splitlines():
        day, said = line.split(" ", 1)
        at = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
        yield Message(role="user", content=said, created_at=at)


def other_talk() -> list[Message]:
    """Return the bundled conversations as if the last of them had been three days ago."""
    lines = bundled_file().read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    said = [
        (row["role"], row["content"], datetime.fromisoformat(row["created_at"]))
        for row in rows
        if row["role"] in ("user", "assistant") and row["content"]
    ]
    shift = NOW - timedelta(days=3) - max(at for *_, at in said)
    return [Message(role=role, content=text, created_at=at + shift) for role, text, at in said]


def filled(opened: Daybook, other: Sequence[Message]) -> Daybook:
    for name, text in BOOKS.items():
        for number, message in enumerate(messages_of(text)):
            opened.history.append(f"{name}-{number}", [message], user_id=name)
        if other:
            opened.history.append(f"{name}-other", other, user_id=name)
        opened.recall.flush(user_id=name)
    return opened


@pytest.fixture(scope="module")
def book() -> Iterator[Daybook]:
    with Daybook.open("inmemory://", clock=StoppedClock()) as opened:
        yield filled(opened, [])


def problem(scenario: Scenario, hits: Sequence[Hit]) -> str:
    """Return what is wrong with the hits for a scenario's question; nothing if they are right."""
    texts = [hit.message.text for hit in hits]
    if scenario.first and not any(word in texts[0] for word in scenario.first):
        return f"first is {texts[0]!r}"
    months = {hit.said_at.strftime("%Y-%m") for hit in hits[:5] if hit.said_at is not None}
    if len(months) < scenario.months:
        return f"only from {sorted(months)}"
    if scenario.outdated:
        marked = [hit.message.text for hit in hits if hit.superseded_by == hits[0].message.id]
        if len(marked) != 1 or scenario.outdated not in marked[0]:
            return f"marked are {marked}"
    return ""


def ask(book: Daybook, scenario: Scenario) -> list[Hit]:
    limit = 5 if scenario.kind == "history" else 10
    return book.recall.search(scenario.question, user_id=scenario.book, limit=limit)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.question)
def test_the_time_decides(book: Daybook, scenario: Scenario) -> None:
    hits = ask(book, scenario)
    assert problem(scenario, hits) == ""
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        assert sum(hit.why.values()) == pytest.approx(hit.score, abs=1e-3)


def test_among_two_hundred_other_messages_nearly_all_are_right() -> None:
    other = other_talk()
    assert len(other) > 150
    with Daybook.open("inmemory://", clock=StoppedClock()) as opened:
        busy = filled(opened, other)
        wrong = [one.question for one in SCENARIOS if problem(one, ask(busy, one))]
    assert len(wrong) <= 0.1 * len(SCENARIOS)


def test_a_context_recalls_by_time_too() -> None:
    question = Message.user("What did I buy two weeks after we moved?", created_at=NOW)
    with Daybook.open("inmemory://", clock=StoppedClock()) as book:
        book.history.append("told", list(messages_of(BOOKS["purchases"])), user_id="ada")
        book.history.append("now", [question], user_id="ada")
        strategy = TokenWindow() + Relevant(max_tokens=120)
        context = book.context.build("now", max_tokens=1_000, strategy=strategy)
    recalled = "".join(message.text for message in context.messages[:-1])
    assert "second-hand bicycle" in recalled
    assert "tea pot" not in recalled


async def _knows_no_time(
    text: str, *, now: datetime, models: Models, find: object
) -> TimedQuestion:
    times = QuestionTimes((), None, False)
    return _Untimed(text=text, times=times, event_windows=(), models=models)


class _Untimed(TimedQuestion, frozen=True, kw_only=True):
    def arranged(self, hits: Sequence[Hit], limit: int) -> list[Hit]:
        return list(hits[:limit])


def test_without_the_time_part_most_of_it_fails(
    book: Daybook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall_module, "timed_question", _knows_no_time)
    monkeypatch.setattr(query_module, "time_windows", lambda text, now: [])
    failed = Counter(one.kind for one in SCENARIOS if problem(one, ask(book, one)))
    there = Counter(one.kind for one in SCENARIOS)
    assert failed["update"] == there["update"]
    assert failed["history"] >= there["history"] / 2
    assert failed.total() > len(SCENARIOS) * 0.7
