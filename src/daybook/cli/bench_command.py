"""``daybook bench``: how well recall finds what answers, on conversations of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click

from daybook.cli.bench_view import bench_facts, show_bench
from daybook.cli.command import daybook_command
from daybook.cli.progress import bars
from daybook.cli.settings import Settings
from daybook.cli.terminal import print_json
from daybook.demo.example_files import CONVERSATIONS, QUESTIONS, write_example
from daybook.errors import InvalidInputError
from daybook.evaluation.conversations import Conversation
from daybook.evaluation.curves import curves_of
from daybook.evaluation.daybook_system import STORES, DaybookSystem
from daybook.evaluation.load import FORMATS, load_conversations, sample_questions
from daybook.evaluation.plot import check_plot, write_plot
from daybook.evaluation.report import make_report
from daybook.evaluation.run_files import read_run, write_run
from daybook.evaluation.runs import Run, put_questions
from daybook.evaluation.scoring import Resampling

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_RUN_FILES = (".jsonl", ".json")
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(
    "bench",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExamples:\n  daybook bench example talks\n  daybook bench recall talks",
)
def command() -> None:
    """Measure recall on your own conversations, or on a data set you have.

    What is measured goes through a throw-away store; no daybook is opened, nothing is downloaded.
    """


@daybook_command(
    "recall",
    examples=[
        "daybook bench recall talks.jsonl questions.jsonl",
        "daybook bench recall locomo10.json --sample 200 --against minilm",
        "daybook bench recall talks/ --out today.jsonl --plot today.svg",
        "daybook bench recall talks/ --against yesterday.jsonl",
    ],
)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=_PATH)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="What the files are.  [told by content]"
)
@click.option(
    "--against",
    multiple=True,
    metavar="NAME|FILE",
    help="Another embedder (static, minilm, none), or a run file, to compare with; repeatable.",
)
@click.option(
    "--sample", metavar="N", type=click.IntRange(1), help="Only N questions, drawn at random."
)
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Messages asked for each time; the times printed are of such searches.",
)
@click.option(
    "--store",
    default="inmemory",
    show_default=True,
    type=click.Choice(STORES),
    help="sqlite: a temporary file.",
)
@click.option(
    "--resample",
    default="questions",
    show_default=True,
    type=click.Choice(["questions", "conversations"]),
    help="What the intervals are drawn over.",
)
@click.option("--seed", default=1, show_default=True, help="For the sample and the intervals.")
@click.option(
    "--out",
    metavar="FILE",
    type=_FILE,
    help="Write what was ranked for each question: ids and places.",
)
@click.option(
    "--with-text", is_flag=True, help="With --out: the questions and what was found, too."
)
@click.option(
    "--plot", metavar="FILE", type=_FILE, help="Draw recall by depth: a .svg or .png file."
)
async def recall(  # noqa: PLR0913 - one parameter for each option
    settings: Settings,
    *,
    paths: tuple[Path, ...],
    form: str | None,
    against: tuple[str, ...],
    sample: int | None,
    limit: int,
    store: str,
    resample: str,
    seed: int,
    out: Path | None,
    with_text: bool,
    plot: Path | None,
) -> None:
    """Measure how well questions find the messages that answer them.

    PATH is a file or folder: JSON lines of your own messages and questions (docs/bench.md; `daybook
    bench example` writes some), LoCoMo, LongMemEval, BEAM or REALTALK. Each conversation goes
    into a throw-away store and is asked its questions, with `--embedder NAME` or static.

    Printed, in percent and with 95 % intervals: R@k, the share of the answering messages among the
    first k returned; RB@500, those within the first 500 words returned; session R@10, the share of
    their sessions among the first ten; NDCG@10, which asks for high places. --json has more. A
    comparison is of the same questions: an interval without 0 means that one is better.
    """
    if settings.url_given:
        raise click.UsageError("bench makes a store of its own: see --store")
    if plot is not None:
        check_plot(plot)
    if out is not None and not out.parent.is_dir():
        raise InvalidInputError(f"the folder of {out} does not exist: create it first")
    conversations = load_conversations(paths, form=form)
    if sample is not None:
        conversations = sample_questions(conversations, sample, seed=seed)
    measured = _Measured(settings, conversations, store=store, limit=limit)
    runs = [await measured.run(settings.embedder)]
    with _opened(out) as file:
        if file is not None:
            write_run(file, conversations, runs[0], with_text=with_text)
    runs += [await measured.run(other) for other in against]
    report = make_report(conversations, runs, Resampling(resample, seed))
    if plot is not None:
        write_plot(
            plot,
            [
                curve
                for name, scored in report.scored.items()
                for curve in curves_of(name, scored, report.resampling)
            ],
        )
    if settings.as_json:
        print_json(bench_facts(report))
    else:
        show_bench(report)


@daybook_command("example", examples=["daybook bench example talks"])
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def example(settings: Settings, folder: Path) -> None:
    """Write the bundled history and questions to it as files.

    They show the format for your own, and are something to measure: `daybook bench recall FOLDER`.
    """
    write_example(folder)
    settings.note(f"written: {folder / CONVERSATIONS}, {folder / QUESTIONS}")


command.add_command(recall)
command.add_command(example)


class _Measured:
    """The conversations, and what puts their questions to one system after another."""

    def __init__(
        self,
        settings: Settings,
        conversations: Sequence[Conversation],
        *,
        store: str,
        limit: int,
    ) -> None:
        self._settings = settings
        self._conversations = conversations
        self._store = store
        self._limit = limit
        self._names: set[str] = set()

    async def run(self, spec: str) -> Run:
        """Return the answers of an embedder, or those in a run file."""
        if Path(spec).suffix in _RUN_FILES:
            found = read_run(Path(spec), self._conversations)
        else:
            system = DaybookSystem(spec, store=self._store, limit=self._limit)
            with bars(self._settings) as drawn:
                found = await put_questions(
                    system, self._conversations, on_progress=drawn.steps(spec)
                )
        if found.name in self._names:
            raise InvalidInputError(f"--against {spec}: there is a run of that name already")
        self._names.add(found.name)
        return found


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO | None]:
    """Open a file to be written, if there is one."""
    if path is None:
        yield None
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except OSError as exc:
        raise InvalidInputError(f"{path}: cannot be written: {exc.strerror}") from None
