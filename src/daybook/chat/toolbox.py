"""Runs the tools that a model asks for: all calls of a round at once, a result for each.

Whatever happens, each call gets its result, so that a call and its results can be stored together.
A result tells the model that a tool failed and never how: an exception's text and traceback may
hold what no model and no log should see. A tool that wants to say more raises `ToolError`.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from daybook.chat.chat_values import ToolOutcome, ToolRun
from daybook.chat.tool_functions import (
    BadArgumentsError,
    CalledFor,
    ToolError,
    ToolFunction,
    as_tool_function,
)
from daybook.enginekit.in_thread import in_thread
from daybook.errors import ConfigError, InvalidInputError
from daybook.model.codec import check_message, encode_message
from daybook.model.message import Message, ToolCall
from daybook.model.reply import Tool

__all__ = ["Toolbox", "refused"]

_log = logging.getLogger("daybook.chat")


class Toolbox:
    """The tools of a chat."""

    def __init__(
        self, tools: Sequence[ToolFunction | Callable[..., Any]], *, timeout_s: float
    ) -> None:
        """Take the tools.

        Args:
            tools: Functions, or tools with a description of their own.
            timeout_s: Longest run of one call.

        Raises:
            ConfigError: One is no tool, or two have the same name.
            InvalidInputError: `timeout_s` is no number above 0.
        """
        if type(timeout_s) not in (int, float) or not timeout_s > 0:
            raise InvalidInputError("tool_timeout_s must be a number above 0")
        made = [as_tool_function(one) for one in tools]
        self._tools = {one.tool.name: one for one in made}
        self._timeout_s = timeout_s
        if len(self._tools) < len(made):
            raise ConfigError("tools: two have the same name")

    @property
    def described(self) -> tuple[Tool, ...]:
        """The tools as a model sees them."""
        return tuple(one.tool for one in self._tools.values())

    async def run(
        self, calls: Sequence[ToolCall], caller: CalledFor
    ) -> tuple[list[Message], list[ToolRun]]:
        """Run calls at once; return a message for each, in order, and how each went.

        A sync function runs in a thread, which cannot be stopped: when it takes too long or the
        turn is cancelled it runs on unheard.
        """
        done = await asyncio.gather(*(self._one(call, caller) for call in calls))
        return [message for message, _ in done], [run for _, run in done]

    async def _one(self, call: ToolCall, caller: CalledFor) -> tuple[Message, ToolRun]:
        found = self._tools.get(call.name)
        error: str | None = None
        outcome: ToolOutcome
        if found is None:
            known = ", ".join(self._tools) or "none"
            outcome, text = "unknown", f"There is no such tool. Tools: {known}."
        else:
            outcome, text, error = await self._outcome(found, call, caller)
        if error is not None:
            _log.warning("tool %s failed: %s", call.name, error)
        return _result(call, outcome, text, error)

    async def _outcome(
        self, found: ToolFunction, call: ToolCall, caller: CalledFor
    ) -> tuple[ToolOutcome, str, str | None]:
        limit = asyncio.timeout(self._timeout_s)
        try:
            arguments = found.arguments(call.arguments, caller)
            async with limit:
                value = await _called(found.function, arguments)
            return "ok", _as_text(value), None
        except BadArgumentsError as exc:
            return "bad arguments", f"Not run: {exc}.", None
        except ToolError as exc:
            return "failed", f"The tool failed: {exc}", type(exc).__name__
        except Exception as exc:  # noqa: BLE001 - whatever a tool raises, the model is told
            if limit.expired():
                return "timed out", f"The tool did not end within {self._timeout_s:g} s.", None
            kind = type(exc).__name__
            return "failed", f"The tool failed ({kind}).", kind


def refused(calls: Sequence[ToolCall], rounds: int) -> tuple[list[Message], list[ToolRun]]:
    """Return a result for each call that says that it was not run: there were too many rounds."""
    text = f"Not run: {rounds} rounds of tools are the limit. Answer with what you have."
    made = [_result(call, "refused", text, None) for call in calls]
    return [message for message, _ in made], [run for _, run in made]


async def _called(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - its kind matters
    ):
        return await function(**arguments)
    value = await in_thread(function, **arguments)
    return await value if inspect.isawaitable(value) else value


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _result(
    call: ToolCall, outcome: ToolOutcome, text: str, error: str | None
) -> tuple[Message, ToolRun]:
    message = Message.tool(text, tool_call_id=call.id, name=call.name)
    try:
        encode_message(check_message(message))
    except InvalidInputError:
        outcome = "failed"
        message = Message.tool(
            "The tool's result cannot be stored.", tool_call_id=call.id, name=call.name
        )
    return message, ToolRun(call.name, call.id, outcome, error)
