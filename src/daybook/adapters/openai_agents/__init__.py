"""A `Session` for the OpenAI Agents SDK, on any engine of Daybook's."""

from __future__ import annotations

from daybook.errors import MissingDependencyError

try:
    from daybook.adapters.openai_agents.session import DaybookSession
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "agents":
        raise
    raise MissingDependencyError(
        "daybook.adapters.openai_agents", "pip install 'daybook[openai-agents]'"
    ) from exc

__all__ = ["DaybookSession"]
