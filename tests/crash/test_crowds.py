"""Several processes append to, read, fork and remove the same sessions of one engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.crash.conftest import ENGINES
from tools.crash.engines.addresses import open_url
from tools.crash.engines.crowd import contend_as_tasks, contend_over_sessions
from tools.crash.engines.session_client import Mix
from tools.crash.zygote import Zygote

MIX = Mix(clients=8, forks=0.03, slot_s=0.3)


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_processes(
    engine: str, url_of: Callable[[str], str], tmp_path: Path, zygote: Zygote
) -> None:
    url = url_of(engine)
    seconds = 2.0 if engine == "dynamodb" else 0.8  # its emulator is slow
    tally = contend_over_sessions(
        zygote, engine, url, tmp_path, processes=2, seconds=seconds, mix=MIX
    )
    assert tally.sound, tally.examples
    assert tally.operations >= 10


async def test_tasks_on_memory() -> None:
    async with open_url("inmemory://") as book:
        tally = await contend_as_tasks("inmemory", book, seconds=0.5, mix=MIX, least=100)
    assert tally.sound, tally.examples
    assert tally.operations >= 100
