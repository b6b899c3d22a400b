"""How the demo's tour looks: on a terminal, in a pipe, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daybook.cli.context_command import show_budget
from daybook.cli.recall_command import hit_facts, said_by, show_hit
from daybook.cli.snippets import highlighted, snippet
from daybook.cli.terminal import make_console, printable
from daybook.demo.tour import Answer, ContextShown, Tour

if TYPE_CHECKING:
    from rich.console import Console

    from daybook.model.message import Message

__all__ = ["show_tour", "tour_facts"]

_LINES = 6
_BLOCK_LINES = 12
_RECALLED = "<recalled-memory"


def tour_facts(tour: Tour) -> dict[str, Any]:
    """Return the tour as JSON: the stable shape of ``demo --json``."""
    return {
        "import": tour.report,
        "engine": tour.capabilities,
        "index": tour.state,
        "questions": [
            {
                "user_id": answer.question.user_id,
                "text": answer.question.text,
                "evidence": answer.question.evidence,
                "evidence_rank": answer.rank,
                "elapsed_ms": round(answer.elapsed_ms, 3),
                "hits": [hit_facts(hit) for hit in answer.hits],
            }
            for answer in tour.answers
        ],
        "context": None if tour.context is None else _context_facts(tour.context),
        "timings": tour.timings,
    }


def _context_facts(shown: ContextShown) -> dict[str, Any]:
    return {
        "session_id": shown.session_id,
        "query": shown.query,
        "tokens": shown.context.tokens,
        "messages": shown.context.messages,
        "receipt": shown.context.receipt,
        "elapsed_ms": round(shown.elapsed_ms, 3),
    }


def show_tour(tour: Tour) -> None:
    """Print the tour: what was imported, questions and hits, the context, the timings."""
    console = make_console()
    report = tour.report
    _heading(console, "1", "Import")
    users = ", ".join(printable(user, one_line=True) for user in report.users[:_LINES])
    more = f" and {len(report.users) - _LINES} more" if len(report.users) > _LINES else ""
    stored = report.messages + report.duplicates
    console.print(
        f"  {printable(report.file)} ({report.format}): {stored:,} messages in "
        f"{report.sessions:,} sessions of {len(report.users)} "
        f"user{'' if len(report.users) == 1 else 's'}: {users}{more}",
        soft_wrap=True,
    )
    if report.bad_count:
        console.print(f"  {report.bad_count:,} bad records skipped", style="yellow")
        for bad in report.bad_records[:_LINES]:
            console.print(f"    {printable(str(bad))}", style="yellow", soft_wrap=True)
    console.print(f"  {tour.capabilities.ack}: {tour.capabilities.durability}", style="dim")
    _heading(console, "2", "Questions, each to one person's memory only")
    for answer in tour.answers:
        _show_answer(console, answer)
    if not tour.answers:
        console.print("  there is too little text to ask about", style="dim")
    if tour.context is not None:
        _heading(console, "3", "Context for a next turn")
        _show_context(console, tour.context)
    _heading(console, "4", "Timings on this machine")
    _show_timings(console, tour)


def _show_answer(console: Console, answer: Answer) -> None:
    from rich.text import Text  # noqa: PLC0415 - slow to load

    question = answer.question
    line = Text("\n  ")
    line.append(f"{printable(question.user_id, one_line=True)} asks: ", style="bold")
    line.append(printable(question.text, one_line=True), style="bold italic")
    line.append(f"   {answer.elapsed_ms:.1f} ms", style="dim")
    console.print(line, soft_wrap=True)
    for rank, hit in enumerate(answer.hits, start=1):
        show_hit(console, rank, hit, question.text, around=False)
    if not question.evidence:
        return
    if answer.rank is None:
        console.print("     ✗ the evidence is not among the first ten hits", style="red")
    else:
        console.print(f"     ✓ evidence found, hit {answer.rank}", style="green")


def _show_context(console: Console, shown: ContextShown) -> None:
    from rich.text import Text  # noqa: PLC0415 - slow to load

    console.print(
        Text(f"  session {printable(shown.session_id, one_line=True)}, next question: ").append(
            printable(shown.query, one_line=True), style="italic"
        ),
        soft_wrap=True,
    )
    show_budget(console, shown.context)
    for message in shown.context.messages[-_LINES:]:
        _show_sent(console, message, shown.query)
    if len(shown.context.messages) > _LINES:
        console.print(f"  (the last {_LINES} of {len(shown.context.messages)})", style="dim")


def _show_sent(console: Console, message: Message, query: str) -> None:
    """Print a message of the context on a line; the recalled block as it is sent."""
    from rich.text import Text  # noqa: PLC0415 - slow to load

    line = Text("  ")
    line.append(f"{printable(message.name or message.role, one_line=True):<14}", style="cyan")
    if not message.text.startswith(_RECALLED):
        line.append_text(highlighted(snippet(said_by(message), query, width=140), query))
        console.print(line, soft_wrap=True)
        return
    console.print(line.append("recalled, as the model sees it:", style="yellow"))
    block = printable(message.text).split("\n")
    for row in block[:_BLOCK_LINES]:
        console.print(Text(f"    {row}", style="dim"), soft_wrap=True)
    if len(block) > _BLOCK_LINES:
        console.print(f"    … {len(block) - _BLOCK_LINES} more lines", style="dim")


def _show_timings(console: Console, tour: Tour) -> None:
    times = tour.timings
    shown = tour.context
    rows = {
        "import": f"{times.messages_per_s:,.0f} messages/s, committed to disk",
        "index": (
            f"{times.index_s:.2f} s behind the import ({times.indexed_per_s:,.0f} messages/s); "
            f"now {tour.state.pending_sessions} sessions wait"
        ),
        "query": (
            f"p50 {times.query_p50_ms:.1f} ms, p95 {times.query_p95_ms:.1f} ms "
            f"over {times.queries} questions"
        ),
        "found": f"evidence in the first ten hits for {times.found} of {times.queries}",
    }
    if shown is not None:
        rows["context"] = f"{shown.elapsed_ms:.1f} ms with recall"
    if not times.queries:
        del rows["query"], rows["found"]
    for name, value in rows.items():
        console.print(f"  {name:<10}{value}", soft_wrap=True)


def _heading(console: Console, number: str, title: str) -> None:
    from rich.text import Text  # noqa: PLC0415 - slow to load

    console.print()
    console.print(Text.assemble((f" {number} ", "bold reverse"), (f" {title}", "bold")))
