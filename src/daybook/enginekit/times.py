"""Times as databases keep them: whole microseconds since 1970, UTC. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["moment", "moment_or_none", "to_micros"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(when: datetime) -> int:
    """Return microseconds since 1970, exactly."""
    return (when - _EPOCH) // _MICROSECOND


def moment(micros: int) -> datetime:
    """Return the aware time of a count of microseconds."""
    return _EPOCH + timedelta(microseconds=micros)


def moment_or_none(micros: int | None) -> datetime | None:
    """Return the aware time, or None for None."""
    return None if micros is None else moment(micros)
