"""The ``daybook`` command: global options and the list of commands, each loaded when it is run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

import click

from daybook._version import __version__

__all__ = ["COMMANDS", "Entry", "app"]


class Entry(NamedTuple):
    """Where a command lives, and its line in the list of commands."""

    module: str
    summary: str


COMMANDS: Mapping[str, Entry] = {
    "chat": Entry("chat_command", "Talk with a model that remembers."),
    "import": Entry("import_command", "Import conversation files; safe to repeat."),
    "recall": Entry("recall_command", "Find what was said, and show where."),
    "sessions": Entry("sessions_command", "List conversations."),
    "show": Entry("show_command", "Print one conversation."),
    "context": Entry("context_command", "Build what to send to a model for the next turn."),
    "export": Entry("export_command", "Write a conversation as JSON, Markdown or HTML."),
    "copy": Entry("copy_command", "Copy everything to another engine, and prove it."),
    "reindex": Entry("reindex_command", "Index everything anew, or move the index here."),
    "stats": Entry("stats_command", "Count conversations, messages and what is indexed."),
    "doctor": Entry("doctor_command", "Check the installation and this daybook."),
    "bench": Entry(
        "bench_command", "Measure recall on your own conversations, or on a data set you have."
    ),
    "demo": Entry("demo_command", "Import a conversation and ask it questions."),
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the commands in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = import_module(f"daybook.cli.{entry.module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: daybook demo",
)
@click.option("--url", metavar="URL", help="Where the daybook is.  [DAYBOOK_URL, or daybook.db]")
@click.option("--index", metavar="URL", help="Where the index is, if elsewhere.  [DAYBOOK_INDEX]")
@click.option("--embedder", metavar="NAME", help="static, minilm, hash or none.  [static]")
@click.option("--tenant", metavar="NAME", help="Whose data.  [default]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quiet", "-q", is_flag=True, help="Print results only.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(__version__, prog_name="daybook")
def app(**given: str | bool | None) -> None:
    """The memory layer for conversational AI, on the command line.

    Keeps conversations, finds what was said in them, and builds what to send to a model next.
    These options may also stand after the command.
    """
    click.get_current_context().obj = given
