"""The conversation of ``daybook chat``: reads lines, streams answers, keeps no file of inputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing
from io import TextIOWrapper
from typing import Any

import click
import msgspec

from daybook.chat import ChatReply
from daybook.chat.memory_answer import NO_MODEL, is_from_memory
from daybook.cli import chat_slash
from daybook.cli.chat_place import ChatPlace
from daybook.cli.settings import Settings
from daybook.cli.terminal import make_console, printable
from daybook.errors import DaybookError

__all__ = ["Talk"]

_PROMPT = "you> "
_TITLE = 60


class Talk:
    """Lines in, answers out."""

    def __init__(self, settings: Settings, place: ChatPlace) -> None:
        self._settings = settings
        self._place = place
        self._typed = sys.stdin.isatty()
        self._failed = False

    def run(self) -> bool:
        """Talk until the input ends; tell whether every turn from a pipe was answered."""
        for line in self._typed_lines() if self._typed else self._piped_lines():
            if self._typed and line.startswith("/"):
                if not self._command(line):
                    break
            else:
                self._turn(line)
        return self._typed or not self._failed

    def _typed_lines(self) -> Iterator[str]:
        """Yield what somebody types; Ctrl-C empties the line, Ctrl-D ends."""
        _edit_lines()
        self._settings.note("/help lists commands, Ctrl-D ends")
        while True:
            try:
                line = input(_PROMPT).strip()
            except EOFError:
                click.echo()
                return
            except KeyboardInterrupt:
                click.echo()
                continue
            if line:
                yield line

    def _piped_lines(self) -> Iterator[str]:
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        for line in sys.stdin:
            if line.strip():
                yield line.strip()

    def _command(self, line: str) -> bool:
        """Do what a line that begins with a slash asks for; tell whether to go on."""
        try:
            return chat_slash.run(self._place, line)
        except DaybookError as exc:
            self._complain(exc)
        except KeyboardInterrupt:
            click.echo()
        return True

    def _turn(self, line: str) -> None:
        try:
            session_id = self._place.session_id or self._place.begin(line[:_TITLE])
            if self._settings.as_json:
                self._answer_as_json(session_id, line)
            else:
                self._answer(session_id, line)
        except DaybookError as exc:
            self._failed = True
            self._complain(exc)
        except KeyboardInterrupt:
            if not self._typed:
                raise
            click.echo("\n(ended; what had come is kept)")

    def _answer(self, session_id: str, line: str) -> None:
        """Print an answer as it comes."""
        parts = self._place.chat.stream(session_id, line, user_id=self._place.user_id)
        # Closing waits until what had come of the answer is stored.
        with closing(parts):
            for part in parts:
                if isinstance(part, ChatReply):
                    self._end(part)
                else:
                    click.echo(printable(part.removeprefix(NO_MODEL)), nl=False)

    def _end(self, reply: ChatReply) -> None:
        click.echo()
        if not self._typed:
            return
        about = [f"#{reply.receipts[-1].last_seq}"]
        if reply.usage is not None:
            about.append(f"{reply.usage.input_tokens:,} + {reply.usage.output_tokens:,} tokens")
        about += [f"{run.name}: {run.outcome}" for run in reply.tools]
        if reply.finish_reason != "stop":
            about.append(reply.finish_reason)
        make_console().print(printable("  ".join(about)), style="dim", soft_wrap=True)

    def _answer_as_json(self, session_id: str, line: str) -> None:
        reply = self._place.chat.chat(session_id, line, user_id=self._place.user_id)
        answer = reply.message
        _print_line(
            {
                "session_id": session_id,
                "user_id": self._place.user_id,
                "question": {"id": reply.question.id, "text": reply.question.text},
                "answer": {"id": answer.id, "text": answer.text},
                "seq": reply.receipts[-1].last_seq,
                "model": reply.model,
                "no_model": is_from_memory(answer),
                "finish_reason": reply.finish_reason,
                "usage": reply.usage,
                "tools": reply.tools,
            }
        )

    def _complain(self, error: DaybookError) -> None:
        if self._settings.as_json:
            kind = type(error).__name__
            _print_line({"session_id": self._place.session_id, "error": str(error), "kind": kind})
        else:
            click.echo(f"daybook: {printable(str(error))}", err=True)


def _print_line(facts: dict[str, Any]) -> None:
    click.echo(json.dumps(msgspec.to_builtins(facts), ensure_ascii=False))


def _edit_lines() -> None:
    """Let lines be edited, and earlier ones of this conversation be called back with the arrows."""
    try:
        import readline  # noqa: PLC0415 - absent from some builds of Python
    except ImportError:
        return
    # Nothing reads or writes a file of them.
    readline.clear_history()
    readline.set_auto_history(True)
