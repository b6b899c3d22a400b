"""Whose session a run of LangChain's or LangGraph's is in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from daybook.errors import ConfigError

__all__ = ["Named", "named_in_config", "named_in_runtime", "required"]

Named = str | Callable[[Any], str | None] | None
_SESSION = ("session_id", "thread_id")


def named_in_config(given: Named, config: Mapping[str, Any] | None, field: str) -> str | None:
    """Return a name: as given, as a function of the config says, or as the config says.

    Args:
        given: The name, or a function of the config.
        config: A run's config.
        field: ``session_id`` (or the thread) or ``user_id``.
    """
    if isinstance(given, str):
        return given
    if given is not None:
        return given(config)
    found = (config or {}).get("configurable") or {}
    names = _SESSION if field == "session_id" else (field,)
    return next((str(found[name]) for name in names if found.get(name)), None)


def named_in_runtime(given: Named, runtime: Any, field: str) -> str | None:
    """Return a name: as given, as a function of the runtime says, or as its context says."""
    if isinstance(given, str):
        return given
    if given is not None:
        return given(runtime)
    context = getattr(runtime, "context", None)
    found = context.get(field) if isinstance(context, Mapping) else getattr(context, field, None)
    if not found and field == "session_id":
        info = getattr(runtime, "execution_info", None)
        found = getattr(info, "thread_id", None)
    return str(found) if found else None


def required(session_id: str | None) -> str:
    """Return a session id.

    Raises:
        ConfigError: None is named.
    """
    if session_id is None:
        raise ConfigError(
            "no session is named: pass session_id=, a context with session_id, or "
            "config={'configurable': {'thread_id': '…'}}"
        )
    return session_id
