"""Google ADK's session service and memory service on any engine of Daybook's."""

from __future__ import annotations

from daybook.errors import MissingDependencyError

try:
    from daybook.adapters.google_adk.memory_service import DaybookMemoryService
    from daybook.adapters.google_adk.session_service import DaybookSessionService
except ModuleNotFoundError as exc:
    if (exc.name or "").partition(".")[0] != "google":
        raise
    raise MissingDependencyError(
        "daybook.adapters.google_adk", "pip install 'daybook[google-adk]'"
    ) from exc

__all__ = ["DaybookMemoryService", "DaybookSessionService"]
