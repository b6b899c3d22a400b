"""First come, first served: who stands in line for a session of one process."""

from __future__ import annotations

import asyncio
from asyncio import AbstractEventLoop
from weakref import WeakKeyDictionary, WeakValueDictionary

__all__ = ["Standing", "TurnLine"]


class Standing:
    """A place in line, from the moment of asking: what is looked up meanwhile costs no place."""

    def __init__(self, before: asyncio.Future[None] | None, own: asyncio.Future[None]) -> None:
        self._before = before
        self._own = own

    async def wait(self) -> None:
        """Wait until all who stood there before have left."""
        if self._before is not None:
            await asyncio.wait({self._before})

    def leave(self) -> None:
        """Let the next one come, as soon as all who stood there before have left. Repeatable."""
        if self._before is None or self._before.done():
            _end(self._own)
        else:
            own = self._own
            self._before.add_done_callback(lambda _: _end(own))


class TurnLine:
    """The lines of sessions; one is forgotten when nobody stands in it."""

    def __init__(self) -> None:
        self._last: WeakKeyDictionary[
            AbstractEventLoop, WeakValueDictionary[str, asyncio.Future[None]]
        ] = WeakKeyDictionary()

    def stand(self, session_id: str) -> Standing:
        """Take the place behind everybody who stands in a session's line on this event loop."""
        loop = asyncio.get_running_loop()
        last = self._last.setdefault(loop, WeakValueDictionary())
        own = loop.create_future()
        before = last.get(session_id)
        last[session_id] = own
        return Standing(before, own)


def _end(place: asyncio.Future[None]) -> None:
    if not place.done():
        place.set_result(None)
