"""The tour: import a file, ask it questions, build the next turn's context, take the times.

Returns values; how they look is the command line's business.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from msgspec import Struct

from daybook.client import AsyncDaybook
from daybook.demo.questions import (
    BUNDLED_QUESTIONS,
    DemoQuestion,
    bundled_file,
    derived_questions,
    evenly,
    locomo_questions,
)
from daybook.facets.recall import RecallState
from daybook.importers.report import ImportProgress, ImportReport
from daybook.importers.run import import_file
from daybook.importers.source_file import SourceFile
from daybook.model.capabilities import EngineCapabilities
from daybook.model.context import Context
from daybook.model.hit import Hit
from daybook.model.message import Message

__all__ = ["Answer", "ContextShown", "Timings", "Tour", "take_tour"]

_SHOWN = 6
_TIMED = 60
_HITS = 3
_LOOKED_AT = 10
_USERS = 3
_READ_SESSIONS = 40
_BUNDLED_TURN = ("mara", "mara-07-back", "What should Ms Okafor know before she takes Bolo again?")


class Answer(Struct, frozen=True, kw_only=True):
    """A question with what was found.

    Attributes:
        question: The question.
        hits: The best hits.
        rank: Which hit is evidence, from 1; None if none of the first ten is.
        elapsed_ms: How long the search took.
    """

    question: DemoQuestion
    hits: list[Hit]
    rank: int | None
    elapsed_ms: float


class ContextShown(Struct, frozen=True, kw_only=True):
    """A context built for a next turn.

    Attributes:
        session_id: The session that goes on.
        query: What its user asks next.
        max_tokens: The budget.
        context: What would be sent.
        elapsed_ms: How long building took.
    """

    session_id: str
    query: str
    max_tokens: int
    context: Context
    elapsed_ms: float


class Timings(Struct, frozen=True, kw_only=True):
    """How long things took here.

    Attributes:
        import_s: Storing all messages durably.
        messages_per_s: Messages stored in a second.
        index_s: Indexing them.
        indexed_per_s: Messages indexed in a second.
        queries: Searches that were timed.
        query_p50_ms: Their median.
        query_p95_ms: What 95 of 100 stay under.
        found: How many of the timed questions had evidence in the first ten hits.
    """

    import_s: float
    messages_per_s: float
    index_s: float
    indexed_per_s: float
    queries: int
    query_p50_ms: float
    query_p95_ms: float
    found: int


class Tour(Struct, frozen=True, kw_only=True):
    """Everything the tour saw."""

    report: ImportReport
    capabilities: EngineCapabilities
    answers: list[Answer]
    context: ContextShown | None
    state: RecallState
    timings: Timings


async def take_tour(
    book: AsyncDaybook,
    path: Path | None,
    *,
    max_tokens: int = 600,
    on_progress: Callable[[ImportProgress], None] | None = None,
    index: Callable[[AsyncDaybook], Awaitable[None]] | None = None,
) -> Tour:
    """Take the tour through a file, or through the bundled history.

    Args:
        book: An opened daybook, best an empty one.
        path: The file; None for the bundled history.
        max_tokens: Budget of the context.
        on_progress: Called while importing.
        index: Does the indexing; by default `recall.flush`.
    """
    report = await import_file(book, path or bundled_file(), on_progress=on_progress)
    started = time.perf_counter()
    await (index(book) if index else book.recall.flush())
    index_s = time.perf_counter() - started
    questions = await _questions(book, path, report)
    await _warm_up(book, questions)
    answers = [await _ask(book, question) for question in evenly(questions, _TIMED)]
    shown = answers if path is None else evenly(answers, _SHOWN)
    return Tour(
        report=report,
        capabilities=book.capabilities,
        answers=[_cut(answer) for answer in shown],
        context=await _build_context(book, path, questions, max_tokens),
        state=await book.recall.state(),
        timings=_timings(report, index_s, answers),
    )


async def _questions(
    book: AsyncDaybook, path: Path | None, report: ImportReport
) -> Sequence[DemoQuestion]:
    if path is None:
        return BUNDLED_QUESTIONS
    if report.format == "locomo":
        file = await asyncio.to_thread(SourceFile, path)
        return await asyncio.to_thread(locomo_questions, file)
    questions: list[DemoQuestion] = []
    users = evenly(report.users, _USERS)
    for user_id in users:
        messages = await _messages_of(book, user_id)
        questions += derived_questions(user_id, messages, limit=_TIMED // len(users))
    return questions


async def _messages_of(book: AsyncDaybook, user_id: str) -> list[Message]:
    page = await book.sessions.list(user_id=user_id, limit=_READ_SESSIONS)
    messages: list[Message] = []
    for session in page.items:
        messages += await book.history.list(session.id, user_id=user_id)
    return messages


async def _warm_up(book: AsyncDaybook, questions: Sequence[DemoQuestion]) -> None:
    """Load each user's part of the index once: the times are those of a running program."""
    for user_id in sorted({question.user_id for question in questions}):
        await book.recall.search("hello", user_id=user_id, limit=1)


async def _ask(book: AsyncDaybook, question: DemoQuestion) -> Answer:
    started = time.perf_counter()
    hits = await book.recall.search(question.text, user_id=question.user_id, limit=_LOOKED_AT)
    elapsed_ms = (time.perf_counter() - started) * 1000
    rank = next(
        (at for at, hit in enumerate(hits, start=1) if hit.message.id in question.evidence), None
    )
    return Answer(question=question, hits=hits, rank=rank, elapsed_ms=elapsed_ms)


def _cut(answer: Answer) -> Answer:
    return Answer(
        question=answer.question,
        hits=answer.hits[:_HITS],
        rank=answer.rank,
        elapsed_ms=answer.elapsed_ms,
    )


async def _build_context(
    book: AsyncDaybook, path: Path | None, questions: Sequence[DemoQuestion], max_tokens: int
) -> ContextShown | None:
    """Build the next turn of the bundled history's last session, or of a session of the file."""
    if path is None:
        user_id, session_id, query = _BUNDLED_TURN
    elif questions:
        user_id, query = questions[-1].user_id, questions[-1].text
        page = await book.sessions.list(user_id=user_id, limit=1)
        session_id = page.items[0].id
    else:
        return None
    started = time.perf_counter()
    context = await book.context.build(
        session_id, max_tokens=max_tokens, query=query, user_id=user_id
    )
    return ContextShown(
        session_id=session_id,
        query=query,
        max_tokens=max_tokens,
        context=context,
        elapsed_ms=(time.perf_counter() - started) * 1000,
    )


def _timings(report: ImportReport, index_s: float, answers: Sequence[Answer]) -> Timings:
    stored = report.messages + report.duplicates
    times = sorted(answer.elapsed_ms for answer in answers) or [0.0]
    return Timings(
        import_s=report.elapsed_s,
        messages_per_s=stored / max(report.elapsed_s, 1e-9),
        index_s=index_s,
        indexed_per_s=report.messages / max(index_s, 1e-9),
        queries=len(answers),
        query_p50_ms=statistics.median(times),
        query_p95_ms=times[min(len(times) - 1, int(len(times) * 0.95))],
        found=sum(answer.rank is not None for answer in answers),
    )
