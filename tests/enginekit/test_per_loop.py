"""Clients by event loop: one for each, closed where they were opened."""

from __future__ import annotations

import asyncio
import gc
import threading

import pytest

from daybook.enginekit.per_loop import PerLoop


class Clients:
    """Makes numbers as clients, and notes on which loop each was closed."""

    def __init__(self) -> None:
        self.made: dict[int, asyncio.AbstractEventLoop] = {}
        self.closed: dict[int, asyncio.AbstractEventLoop] = {}
        self.failures = 0

    async def make(self) -> int:
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError
        number = len(self.made)
        self.made[number] = asyncio.get_running_loop()
        return number

    async def close(self, number: int) -> None:
        self.closed[number] = asyncio.get_running_loop()


def test_a_loop_has_one_client_and_closes_it_when_it_ends() -> None:
    clients = Clients()
    per_loop = PerLoop(clients.make, clients.close)

    async def use() -> None:
        assert len({*await asyncio.gather(*(per_loop.get() for _ in range(9)))}) == 1

    asyncio.run(use())
    asyncio.run(use())
    assert clients.closed == clients.made
    assert len({*clients.made.values()}) == 2


def test_closing_closes_each_client_on_its_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{PerLoop.__module__}._HELD_UP_S", 60)  # a busy machine holds up, too
    clients = Clients()
    per_loop = PerLoop(clients.make, clients.close)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(per_loop.get(), loop).result(60)

        async def use_and_close() -> None:
            await per_loop.get()
            await per_loop.close()
            await per_loop.close()
            assert clients.closed == clients.made

        asyncio.run(use_and_close())
        assert len(clients.closed) == 2
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


def test_a_client_that_could_not_be_made_is_made_anew() -> None:
    """And what was left of the failure does not close its successor."""
    clients = Clients()
    clients.failures = 1
    per_loop = PerLoop(clients.make, clients.close)

    async def use() -> None:
        with pytest.raises(ConnectionRefusedError):
            await per_loop.get()
        assert await per_loop.get() == 0
        gc.collect()
        await asyncio.sleep(0)
        assert clients.closed == {}
        assert await per_loop.get() == 0

    asyncio.run(use())
    assert clients.closed == clients.made


def test_a_loop_that_waits_for_the_closing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A blocking close inside async code: its own loop can close its client only afterwards."""
    monkeypatch.setattr(f"{PerLoop.__module__}._HELD_UP_S", 0.05)
    clients = Clients()
    per_loop = PerLoop(clients.make, clients.close)

    async def use_and_close_from_elsewhere() -> None:
        await per_loop.get()
        closing = threading.Thread(target=lambda: asyncio.run(per_loop.close()))
        closing.start()
        closing.join(60)  # holds this loop up, as a blocking call does
        assert not closing.is_alive()
        assert clients.closed == {}
        await asyncio.sleep(0.05)  # it goes on

    asyncio.run(use_and_close_from_elsewhere())
    assert clients.closed == clients.made
