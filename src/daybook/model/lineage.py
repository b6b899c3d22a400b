"""Which stream of messages holds which part of a forked session. Pure.

Messages live in *streams*, numbered by their session's sequence numbers. A session writes to a
stream of its own; one that was forked reads its older messages from the streams of its ancestors,
each up to a number. So a fork copies no message, and a stream's messages stay as long as any
session refers to them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from msgspec import Struct

__all__ = ["Segment", "Window", "inherited_segments", "windows"]

S = TypeVar("S")


class Segment(Struct, Generic[S], frozen=True):
    """A part of an older stream: from where the segment before ends up to `last_seq`, included."""

    stream: S
    last_seq: int


class Window(Struct, Generic[S], frozen=True):
    """A run of a stream's messages: ``after < seq < before``."""

    stream: S
    after: int
    before: int


def inherited_segments(
    segments: Sequence[Segment[S]], own: S, at: int, *, first_seq: int
) -> tuple[Segment[S], ...]:
    """Return the segments of a fork at `at` of a session with these segments and its own stream.

    Parts that hold nothing readable, because they end before `first_seq`, are left out.

    Example:
        >>> inherited_segments([Segment("a", 4)], "b", 7, first_seq=1)
        (Segment(stream='a', last_seq=4), Segment(stream='b', last_seq=7))
        >>> inherited_segments([Segment("a", 4)], "b", 3, first_seq=1)
        (Segment(stream='a', last_seq=3),)
    """
    parts: list[Segment[S]] = []
    start = first_seq - 1
    whole: list[Segment[S]] = [*segments, Segment(own, at)]
    for segment in whole:
        end = min(segment.last_seq, at)
        if end > start:
            parts.append(Segment(segment.stream, end))
            start = end
    return tuple(parts)


def windows(segments: Sequence[Segment[S]], own: S, *, after: int, before: int) -> list[Window[S]]:
    """Return where the messages with ``after < seq < before`` are, in ascending order.

    Example:
        >>> windows([Segment("a", 4)], "b", after=2, before=9)
        [Window(stream='a', after=2, before=5), Window(stream='b', after=4, before=9)]
    """
    found: list[Window[S]] = []
    start = 0
    for segment in segments:
        low, high = max(after, start), min(before, segment.last_seq + 1)
        if high - low > 1:
            found.append(Window(segment.stream, low, high))
        start = segment.last_seq
    if before - max(after, start) > 1:
        found.append(Window(own, max(after, start), before))
    return found
