"""Context windows: strategies as values, and the pure part of building.

A caller needs the strategies alone: ``from daybook.context import Summary, TokenWindow``. No
storage and no waiting here: `daybook.facets.context` reads the log and hands entries in;
`cut.choose_cut` chooses what stays, `build.lay_out` puts it in order, `digesting` grows summaries
and observations.
"""

from __future__ import annotations

from daybook.context.strategy import (
    ADAPTIVE,
    Buffer,
    Early,
    Observations,
    Relevant,
    Strategy,
    Summary,
    TokenWindow,
    Window,
)

__all__ = [
    "ADAPTIVE",
    "Buffer",
    "Early",
    "Observations",
    "Relevant",
    "Strategy",
    "Summary",
    "TokenWindow",
    "Window",
]
