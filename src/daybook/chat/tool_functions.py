"""A tool and the function behind it: the schema from the signature, the arguments checked by it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec
from msgspec import Struct

from daybook.errors import ConfigError
from daybook.model.reply import Tool

__all__ = ["BadArgumentsError", "CalledFor", "ToolError", "ToolFunction", "as_tool_function"]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLAIN = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

Convert = Callable[[Mapping[str, Any], "CalledFor"], dict[str, Any]]


class ToolError(Exception):
    """Raised by a tool to tell the model in its own words what went wrong."""


class BadArgumentsError(Exception):
    """A model's arguments do not fit; the text says how, for the model."""


class CalledFor(Struct, frozen=True):
    """For whom a tool runs: a parameter of this type is filled in and never shown to the model.

    Attributes:
        session_id: The session.
        user_id: Who asked.
        message_id: What they asked with.
    """

    session_id: str
    user_id: str
    message_id: str


class ToolFunction:
    """A tool with a description of its own, and the function that does it.

    A plain function needs none of this: its name, its docstring's first paragraph and its
    annotated parameters describe it (`typing.Annotated` with `msgspec.Meta` describes a parameter).
    """

    def __init__(self, tool: Tool, function: Callable[..., Any]) -> None:
        """Put them together.

        Args:
            tool: How the model sees it.
            function: Sync (it runs in a thread) or async; gets the arguments by name. What it
                returns is text, or becomes JSON.

        Raises:
            ConfigError: The name is not one that providers take, or the function is none.
        """
        if not _NAME.fullmatch(tool.name):
            raise ConfigError(
                f"tool {tool.name!r}: a name is 1 to 64 letters, digits, _ and - (ASCII)"
            )
        if not callable(function):
            raise ConfigError(f"tool {tool.name}: the function cannot be called")
        self.tool = tool
        self.function = function
        self._convert: Convert = _fitting(function)

    def arguments(self, given: Mapping[str, Any] | str, caller: CalledFor) -> dict[str, Any]:
        """Return a model's arguments as the function takes them.

        Raises:
            BadArgumentsError: They are no JSON object, or do not fit.
        """
        if isinstance(given, str):
            raise BadArgumentsError("the arguments are not a JSON object")
        return self._convert(given, caller)


def as_tool_function(thing: ToolFunction | Callable[..., Any]) -> ToolFunction:
    """Return a tool, or a plain function as one.

    Raises:
        ConfigError: It is neither, or its parameters cannot be described: give a
            `ToolFunction(Tool(…), function)` then.
    """
    if isinstance(thing, ToolFunction):
        return thing
    name = getattr(thing, "__name__", "")
    if not name.isidentifier():
        raise ConfigError(
            f"tool: {type(thing).__name__} is neither a named function nor a "
            "ToolFunction(Tool(…), function)"
        )
    fields, callers = _parameters(thing, name)
    shape = msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)
    made = ToolFunction(
        Tool(name=name, description=_description(thing), parameters=_schema(shape, name)), thing
    )

    def convert(given: Mapping[str, Any], caller: CalledFor) -> dict[str, Any]:
        try:
            checked = msgspec.convert(given, shape)
        except msgspec.ValidationError as exc:
            raise BadArgumentsError(str(exc)) from None
        values = {field: getattr(checked, field) for field in shape.__struct_fields__}
        return {**values, **dict.fromkeys(callers, caller)}

    made._convert = convert  # noqa: SLF001 - of the same module
    return made


def _parameters(function: Callable[..., Any], name: str) -> tuple[list[Any], list[str]]:
    """Return a function's parameters as fields, and the names of those that say for whom."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except (NameError, TypeError) as exc:
        raise ConfigError(f"tool {name}: its annotations cannot be read: {exc}") from None
    fields: list[Any] = []
    callers: list[str] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _PLAIN:
            raise ConfigError(f"tool {name}: parameter {parameter.name} cannot be given by name")
        kind = hints.get(parameter.name, Any)
        if kind is CalledFor:
            callers.append(parameter.name)
        elif parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, kind))
        else:
            fields.append((parameter.name, kind, parameter.default))
    return fields, callers


def _schema(shape: type[Struct], name: str) -> dict[str, Any]:
    try:
        whole = msgspec.json.schema(shape)
    except (TypeError, ValueError) as exc:
        reason = str(exc).splitlines()[-1]
        raise ConfigError(
            f"tool {name}: its parameters cannot be described ({reason}): give a "
            "ToolFunction(Tool(…), function)"
        ) from None
    others: dict[str, Any] = whole["$defs"]
    own: dict[str, Any] = others.pop(name)
    own.pop("title", None)
    return {**own, "$defs": others} if others else own


def _description(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(function) or ""
    return " ".join(text.partition("\n\n")[0].split())


def _fitting(function: Callable[..., Any]) -> Convert:
    """Return a check that arguments fit a function's signature by name."""
    signature = inspect.signature(function)

    def convert(given: Mapping[str, Any], _: CalledFor) -> dict[str, Any]:
        try:
            signature.bind(**given)
        except TypeError as exc:
            raise BadArgumentsError(str(exc)) from None
        return dict(given)

    return convert
