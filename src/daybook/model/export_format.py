"""The formats a session can be exported in."""

from __future__ import annotations

from typing import Literal

__all__ = ["ExportFormat"]

ExportFormat = Literal["json", "markdown", "html"]
