"""Which methods a protocol has, so that a new one cannot go untested."""

from __future__ import annotations

from inspect import iscoroutinefunction

__all__ = ["protocol_methods"]


def protocol_methods(protocol: type) -> frozenset[str]:
    """Return the names of a protocol's public async methods, `close` left out."""
    found = {
        name
        for name, value in vars(protocol).items()
        if iscoroutinefunction(value) and not name.startswith("_")
    }
    return frozenset(found - {"close"})
