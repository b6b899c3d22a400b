"""Daybook for LangGraph: a `BaseStore` on every engine.

`DaybookStore` serves sync and async callers; `AsyncDaybookStore` is the same with `setup` and the
sweeper as coroutines, in place of ``AsyncPostgresStore`` and ``AsyncSqliteStore``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from daybook.errors import MissingDependencyError

if TYPE_CHECKING:
    from daybook.adapters.langgraph.store import AsyncDaybookStore, DaybookStore

__all__ = ["AsyncDaybookStore", "DaybookStore"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from daybook.adapters.langgraph import store  # noqa: PLC0415 - says what is missing
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in ("langchain_core", "langgraph"):
            raise
        raise MissingDependencyError(
            f"daybook.adapters.langgraph.{name}", "pip install 'daybook[langgraph]'"
        ) from exc
    return getattr(store, name)
